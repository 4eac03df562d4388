"""While a run cannot say which artifacts it needs, nothing is removed and nothing is packed by what it says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app import demonstration_assets
from cl_core.archive.needs import UnknownNeeds
from cl_core.archive.verification import verify
from cl_core.runs.events import ArtifactEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.cli.conftest import Command
from tests.remade_runs import remade

Damage = Callable[[Path], object]


def a_link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def a_link_that_reads_as_an_error(file: Path) -> None:
    """The system answers EIO."""
    file.unlink()
    file.symlink_to("/proc/self/mem")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def cut_between_lines(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:3]))


def in_utf_16(file: Path) -> None:
    file.write_bytes(file.read_text().encode("utf-16"))


def in_utf_16_without_mark(file: Path) -> None:
    file.write_bytes(file.read_text().encode("utf-16-le"))


def a_number_of_6000_digits(file: Path) -> None:
    file.write_text(file.read_text().replace('"stage":1', f'"stage":{"9" * 6000}', 1))


def null(file: Path) -> None:
    file.write_text("null")


def an_empty_list(file: Path) -> None:
    file.write_text("{}")


DAMAGES: list[tuple[str, Damage]] = [
    *(
        (name, damage)
        for name in ("events.jsonl", "artifacts.json")
        for damage in (a_link_to_nothing, a_link_that_reads_as_an_error, cut, null, Path.unlink)
    ),
    ("events.jsonl", in_utf_16),
    ("events.jsonl", in_utf_16_without_mark),
    ("events.jsonl", cut_between_lines),
    ("events.jsonl", a_number_of_6000_digits),
    ("artifacts.json", an_empty_list),
]
IDS = [f"{name}-{damage.__name__}" for name, damage in DAMAGES]


@pytest.fixture
def bad(lab: Command) -> RunFolder:
    """A run beside another one, and an artifact for each key that it names and one that nobody does."""
    workspace = Workspace()
    remade(workspace, "i2i-ff", "sound")
    run = remade(workspace, "dam", "bad")
    kinds = {key: name.partition("/")[0] for name, key in run.artifacts().items()}
    kinds |= {event.key: event.kind for event in run.events if isinstance(event, ArtifactEvent)}
    for key, kind in {**kinds, "0" * 64: "adapter"}.items():
        folder = workspace.store.folder(kind, key)
        folder.mkdir(parents=True)
        (folder / "meta.json").write_text('{"inputs": {}}')
    return run


def stored() -> set[Path]:
    return set((Workspace().root / "store").glob("*/*"))


def test_what_two_whole_runs_need_is_kept_and_the_rest_goes(lab: Command, bad: RunFolder) -> None:
    before = stored()
    assert lab("clean", "--yes").status == 0
    assert {folder.name for folder in before - stored()} == {"0" * 64}


@pytest.mark.parametrize(("file", "damage"), DAMAGES, ids=IDS)
def test_nothing_is_removed_while_a_run_cannot_say_what_it_needs(
    lab: Command, bad: RunFolder, file: str, damage: Damage
) -> None:
    damage(bad.path / file)
    before = stored()
    for words in (["clean"], ["clean", "--yes"], ["clean", "--yes", "--json"]):
        refused = lab(*words)
        assert (refused.status, refused.out) == (2, "")
        assert refused.err.startswith(f"adapter-lab: run 'bad': {file} ")
        assert f"put a copy of the file back, or remove the run's folder {bad.path}" in refused.err
        assert refused.err.count("\n") == 1
    assert stored() == before
    packed = lab("pack", "bad.zip", "--run", "bad")
    assert packed.status == 2
    assert packed.err.startswith(f"adapter-lab: run 'bad': {file} ")
    assert not Path("bad.zip").exists()
    with pytest.raises(UnknownNeeds, match="run 'bad': "):
        demonstration_assets.needed(Workspace(), bad)
    assert not verify(Workspace(), "bad").whole
    shutil.rmtree(bad.path)
    assert lab("clean", "--yes").status == 0
    assert stored() < before


def test_a_run_whose_settings_are_gone_still_keeps_what_it_names(
    lab: Command, bad: RunFolder
) -> None:
    before = stored()
    (bad.path / "run.yaml").unlink()
    assert lab("clean", "--yes").status == 0
    assert {folder.name for folder in before - stored()} == {"0" * 64}


def test_a_list_in_utf_16_names_what_it_names(lab: Command, bad: RunFolder) -> None:
    before = stored()
    in_utf_16(bad.path / "artifacts.json")
    assert lab("clean", "--yes").status == 0
    assert {folder.name for folder in before - stored()} == {"0" * 64}


def test_all_runs_that_cannot_say_it_are_named(lab: Command, bad: RunFolder) -> None:
    for run in ("bad", "sound"):
        null(Workspace().find(run).path / "artifacts.json")
    said = lab("clean").err
    assert said.startswith("adapter-lab: run 'bad': artifacts.json cannot be read: ")
    assert "(the same holds for 1 more run: sound)" in said
