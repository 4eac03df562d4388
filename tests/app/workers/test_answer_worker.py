"""The worker that answers for samples: its answers, its manners, and what happens when it dies."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from datasets import Dataset
from PIL import Image

from app.data.runs import DEMONSTRATION
from app.workers import answer_worker, scored_rows
from app.workers.near_rows import near_rows
from app.workers.process import Worker, WorkerFailed
from app.workers.request_loop import answer_lines
from app.workers.scored_rows import ScoredRows, keep
from app.workers.thumbnails import png
from cl_core.analysis.nearest_rows import NearRow
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("app.workers.answer_worker")
    yield worker
    worker.stop()


def test_a_test_row_gets_the_weights_that_were_recorded(
    worker: Worker, small_workspace: Path
) -> None:
    records = Workspace(small_workspace).find("dam").table("routing")
    last = records.filter(pc.equal(records["stage"], 3)).slice(0, 3).to_pylist()
    tasks = [task.name for task in Workspace(small_workspace).find("dam").config.tasks]
    for record in last:
        where = {"workspace": str(small_workspace), "run": "dam"}
        (answer,) = worker.ask(
            "route", **where, stage=3, sample={"id": record["sample_id"]}, what_ifs=[{}]
        )
        weights = {share["task"]: share["weight"] for share in answer["shares"]}
        assert [weights[name] for name in tasks] == pytest.approx(record["weights"], abs=1e-4)


def test_every_scored_row_is_listed_and_can_be_shown(worker: Worker, small_workspace: Path) -> None:
    where = {"workspace": str(small_workspace), "run": "dam"}
    lines = worker.ask("samples", **where)
    records = Workspace(small_workspace).find("dam").table("routing")
    assert {line["id"] for line in lines} == set(records["sample_id"].to_pylist())
    shown = worker.ask("shown", **where, sample={"id": lines[0]["id"]})
    assert " ".join(shown["texts"]["text"].split()).startswith(lines[0]["line"])
    assert (shown["pictures"], shown["clip"]) == ([], False)


def test_a_sample_of_ones_own_may_be_what_the_runs_samples_are(worker: Worker) -> None:
    for run, kinds in {"dam": ["text"], "clips-dam": ["video-qa"]}.items():
        assert worker.ask("kinds", workspace=str(DEMONSTRATION), run=run, stage=1) == kinds


def test_where_the_data_are_gone_it_may_be_what_the_backbone_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(run: object) -> ScoredRows:
        raise UserError("its data are gone")

    monkeypatch.setattr(answer_worker, "ScoredRows", gone)
    kinds = answer_worker.AnswerWorker().kinds(str(DEMONSTRATION), "clips-dam", 1)
    assert kinds == ["text", "image", "image-qa", "video-qa"]


def test_kinds_of_mixed_rows_are_told_by_their_columns() -> None:
    rows = ScoredRows.__new__(ScoredRows)
    rows.table = pa.table(
        {
            "text": ["a", None, None, None],
            "question": [None, "what?", None, "what?"],
            "image": [None, None, b"x", b"x"],
            "video": [None, b"x", None, None],
        }
    )
    assert rows.kinds() == ["text", "image", "image-qa", "video-qa"]


def test_a_transparent_picture_is_shown_on_its_ground() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (4, 4)).save(file, "png")
    (picture,) = scored_rows.shown({"image": file.getvalue()}, "#203040")["pictures"]
    shown = Image.open(io.BytesIO(b64decode(picture))).convert("RGB")
    assert shown.getpixel((0, 0)) == (0x20, 0x30, 0x40)


@pytest.mark.parametrize(
    ("size", "shown"), [((8, 8), (480, 480)), ((300, 200), (300, 200)), ((960, 480), (480, 240))]
)
def test_small_pictures_are_shown_crisp_and_large_ones_small(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.open(io.BytesIO(b64decode(png(Image.fromarray(pixels), 480))))
    assert picture.size == shown
    if shown[0] > size[0]:  # grown by whole pixels: each colour stays what it was
        grow = shown[0] // size[0]
        assert np.array_equal(np.asarray(picture)[::grow, ::grow], pixels)
        assert np.array_equal(np.asarray(picture)[grow - 1 :: grow, grow - 1 :: grow], pixels)


def test_training_rows_near_a_sample_come_with_their_pictures(tmp_path: Path) -> None:
    """A clip becomes a strip of frames, a picture a small one, a text neither."""
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    clip = io.BytesIO()
    frames[0].save(clip, "GIF", save_all=True, append_images=frames[1:])
    picture = io.BytesIO()
    frames[0].save(picture, "PNG")
    rows = {
        "id": ["t/train/0", "t/train/1", "t/train/2"],
        "text": [None, None, "a <b>\ntext"],
        "image": [picture.getvalue(), None, None],
        "video": [None, clip.getvalue(), None],
        "question": ["what colour?", "and now?", None],
        "label": [0, -1, 1],
    }
    task = SimpleNamespace(
        name="t",
        ground="white",
        label_names=("red", "blue"),
        splits={"train": Dataset.from_dict(rows)},
    )
    features = SimpleNamespace(features={0: np.zeros((3, 2))})
    stream = SimpleNamespace(tasks=[task])
    near = [NearRow(0, row, 0.5) for row in range(3)]
    shown = near_rows(stream, features, near)  # type: ignore[arg-type]
    assert [near_row["text"] for near_row in shown] == ["what colour?", "and now?", "a <b> text"]
    assert [near_row["label"] for near_row in shown] == ["red", "another answer", "blue"]
    sizes = [Image.open(io.BytesIO(b64decode(near_row["picture"]))).size for near_row in shown[:2]]
    assert sizes[0] == (128, 96)
    assert sizes[1][1] == 96
    assert sizes[1][0] > 128
    assert shown[2]["picture"] == ""
    features.features[0] = np.zeros((4, 2))
    with pytest.raises(UserError, match="no longer those"):
        near_rows(stream, features, near)  # type: ignore[arg-type]


def test_a_mistake_of_the_users_comes_back_as_one(worker: Worker, small_workspace: Path) -> None:
    where = {"workspace": str(small_workspace), "run": "dam", "stage": 3}
    with pytest.raises(UserError, match="there is no adapter of 'filmz'"):
        worker.ask("route", **where, sample={"text": "a film"}, what_ifs=[{"force": "filmz"}])
    with pytest.raises(UserError, match="no row 'films/test/99999'"):
        worker.ask("route", **where, sample={"id": "films/test/99999"}, what_ifs=[{}])
    assert worker.ask("ready") is True


def test_after_it_was_killed_the_next_question_is_answered(worker: Worker) -> None:
    worker.start()
    first = worker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert worker.ask("ready") is True
    assert worker.pid not in (None, first)


def test_what_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_worker.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = Worker("slow_worker", timeout=0.5)
    with pytest.raises(WorkerFailed, match="no answer within"):
        worker.ask("ready")
    assert worker.pid is None


def test_one_that_dies_at_once_is_tried_twice_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "short_worker.py").write_text("print('', end='')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorkerFailed, match="short_worker ended before it answered"):
        Worker("short_worker", timeout=20).ask("ready")


def test_an_error_ends_one_question_only() -> None:
    def divide(by: int) -> float:
        return 1 / by

    questions = b"".join(json.dumps({"ask": "divide", "by": by}).encode() + b"\n" for by in (0, 2))
    answers = io.BytesIO()
    answer_lines(io.BytesIO(questions), answers, {"divide": divide})
    first, second = (json.loads(line) for line in answers.getvalue().splitlines())
    assert first == {"error": "ZeroDivisionError: division by zero", "users": False}
    assert second == {"answer": 0.5}


def test_the_servers_side_imports_no_torch() -> None:
    modules = (
        "app.data.answer_client, app.sample.sample_choice, app.sample.what_ifs, app.shell.cell_samples, "
        "app.sample.pinned, app.data.routing_tables, "
        "app.sample.nearest, app.forgetting.exports, app.settings.archive"
    )
    heavy = "('torch', 'sklearn', 'umap', 'datasets', 'transformers')"
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rows_that_are_kept_are_those_of_the_stream(
    small_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(small_workspace)
    run = workspace.find("dam")
    drawn = ScoredRows(run)
    keep(workspace, run)

    def refuse(*_: object) -> None:
        raise AssertionError("the stream is read again")

    monkeypatch.setattr(scored_rows, "open_stream", refuse)
    kept = ScoredRows(run)
    assert kept.lines() == drawn.lines()
    for line in drawn.lines():
        assert kept.inputs(line["id"]) == drawn.inputs(line["id"])
    with pytest.raises(UserError, match="no row 'nobody'"):
        kept.inputs("nobody")
