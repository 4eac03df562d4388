"""Whatever lies in a workspace ends no command and no page: every kind of file, damaged in every way, all at once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cl_core.errors import UserError
from cl_core.jobs.job import Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.slices import Slice, save_slice
from cl_core.runs.workspace import Workspace
from cl_core.store import write_json
from tests.app.conftest import ROOT
from tests.cli.conftest import Command
from tests.patience import PATIENCE
from tests.remade_runs import remade, take_model

STREAM = "name: good\nprotocol: dil\ntasks:\n- {name: a, builtin: domains/films}\n"


def a_folder(file: Path) -> None:
    """In the file's place."""
    file.mkdir()
    (file / "x").write_text("x")


def bytes_of(content: bytes) -> Callable[[Path], object]:
    """Writes these."""
    return lambda file: file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "latin": bytes_of(b'{"a": "caf\xe9"}\n'),
    "deep": bytes_of(b"[" * 20_000),
    "other": bytes_of(b"a: b\n"),
    "empty": bytes_of(b""),
    "list": bytes_of(b"[1, 2]\n"),
    "nan": bytes_of(b"NaN\n"),
    "numbers": bytes_of(b'{"a": 1e999, "state": 3, "run": 4, "name": 5}\n'),
    "date": bytes_of(b"2001-99-99\n"),
    "folder": a_folder,
    "pipe": os.mkfifo,
    "device": lambda file: file.symlink_to("/dev/zero"),
}
OF_RUNS = (
    *("run.yaml", "events.jsonl", "scores.parquet", "routing.parquet", "artifacts.json"),
    *("environment.json", "hashes.json", "run.lock"),
)


def damaged(file: Path, damage: Callable[[Path], object]) -> None:
    """Puts something else in the place of a file."""
    file.unlink(missing_ok=True)
    damage(file)


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one sound run, and of everything that it can hold one for each damage."""
    workspace = Workspace(tmp_path_factory.mktemp("hurt") / "workspace")
    sound = remade(workspace, "dam", "sound")
    take_model(sound)
    sound.take_up()
    sound.write_artifacts(sound.artifacts())
    sound.seal()
    for name in OF_RUNS:
        for way, damage in DAMAGES.items():
            run = RunFolder(workspace.root / "runs" / f"{name.replace('.', '-')}-{way}")
            shutil.copytree(sound.path, run.path)
            damaged(run.path / name, damage)
    for folder in ("streams", "drafts", "jobs"):
        (workspace.root / folder).mkdir()
    (workspace.root / "streams" / "good.yaml").write_text(STREAM)
    write_json(workspace.root / "drafts" / "good.json", {"name": "good", "protocol": "dil"})
    save_slice(workspace, Slice(name="good", run="sound", split="test", after=1, samples=("a",)))
    for way, damage in DAMAGES.items():
        damaged(workspace.root / "streams" / f"{way}.yaml", damage)
        damaged(workspace.root / "drafts" / f"{way}.json", damage)
        damaged(workspace.root / "slices" / f"{way}.json", damage)
        meta = workspace.root / "store" / "router" / way.encode().hex().ljust(64, "0") / "meta.json"
        meta.parent.mkdir(parents=True)
        damaged(meta, damage)
        for name in ("job.json", "outcome.json", "begun.json", "log.txt", "job.lock"):
            job = workspace.root / "jobs" / f"{name.replace('.', '-')}-{way}"
            job.mkdir()
            request = Request(run="sound", stream="domains", recipe="dam")
            write_json(job / "job.json", request.model_dump(mode="json"))
            write_json(job / "outcome.json", Outcome(state="failed").model_dump(mode="json"))
            damaged(job / name, damage)
    damaged(workspace.root / "preferences.json", DAMAGES["latin"])
    return workspace.root


@pytest.mark.parametrize(
    "words",
    [["runs"], ["compare"], ["report", "sound"], ["clean"], ["pack", "all.zip"], ["streams"]],
    ids=lambda words: words[0],
)
def test_no_command_ends_with_a_traceback(lab: Command, hurt: Path, words: list[str]) -> None:
    answer = lab(*words, "--workspace", str(hurt)) if words != ["streams"] else lab(*words)
    assert "Traceback" not in answer.err
    if answer.status == 2:  # what is needed cannot be told: it says of which run
        assert words == ["clean"]
        assert answer.err.count("\n") == 1


def test_every_damage_is_named_and_nothing_else(lab: Command, hurt: Path) -> None:
    answer = lab("verify", "--workspace", str(hurt), "--json")
    parts = json.loads(answer.out)["parts"]
    assert answer.status == 1
    whole = {(part["kind"], part["name"]) for part in parts if part["whole"]}
    assert ("run", "sound") in whole
    assert {name for kind, name in whole if kind in ("stream", "slice")} == {
        "streams/good.yaml",
        "slices/good.json",
    }
    runs = {part["name"]: part["faults"] for part in parts if part["kind"] == "run"}
    for name in ("run.yaml", "scores.parquet", "artifacts.json", "hashes.json", "events.jsonl"):
        for way in DAMAGES:
            assert any(name in fault for fault in runs[f"{name.replace('.', '-')}-{way}"]), (
                name,
                way,
            )


def test_a_stream_that_is_damaged_says_so(lab: Command, hurt: Path) -> None:
    for way in DAMAGES:
        answer = lab("check", str(hurt / "streams" / f"{way}.yaml"))
        assert answer.status != 0
        assert "Traceback" not in answer.err


def test_jobs_that_cannot_be_read_hold_nothing_up(hurt: Path) -> None:
    jobs = Jobs(Workspace(hurt)).all()
    assert len(jobs) == 4 * len(DAMAGES)
    for job in jobs:
        assert job.state
        assert isinstance(job.log(), str)


def test_pages_show_what_is_whole(hurt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(hurt))
    page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
    page.query_params.update({"ws": "Mine", "run": "sound"})
    page.run()
    assert not page.exception
    assert "sound" in page.selectbox(key="run").options
    for other in ("stream", "train", "forgetting", "compare", "settings"):
        page.switch_page(f"../pages/{other}.py").run()
        assert not page.exception, (other, page.exception)


def test_a_run_that_is_resumed_says_what_is_damaged(hurt: Path) -> None:
    for way in DAMAGES:
        run = RunFolder(hurt / "runs" / f"run-yaml-{way}")
        with pytest.raises(UserError, match=r"run\.yaml"):
            run.config  # noqa: B018
