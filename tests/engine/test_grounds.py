"""What is transparent is seen on the run's ground, whoever sees it: stored tokens, new samples, what-ifs, the app."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import cl_core as cl
from app.report import run_report
from app.workers import check_worker
from app.workers.answer_worker import AnswerWorker
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.vision.vision_encoder import Medium
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import choose_device
from cl_core.engine.artifact_cache import Reporter
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.visual_tokens import stored_tokens
from cl_core.recipes.settings import make_settings
from cl_core.store import Store
from tests.backbones.small_vision import write_vision
from tests.small_runs import Carry

SIZES = {"train": 8, "validation": 4, "test": 4}
BLACK = (0, 0, 0)
LOOKS: dict[str, Any] = {"image_grid": 2, "clip_grid": 1, "frames": 3, "max_length": 24}


def drawn(number: int) -> list[Image.Image]:
    """Three frames of a white bar on nothing, thin or thick."""
    frames = np.zeros((3, 16, 16, 4), dtype=np.uint8)
    for moment, frame in enumerate(frames):
        frame[number + moment : number + moment + 2 + 6 * (number % 2)] = 255
    return [Image.fromarray(frame) for frame in frames]


def encoded(frames: list[Image.Image], medium: Medium) -> bytes:
    """A clip of them, or a picture of the first."""
    file = io.BytesIO()
    others = {"save_all": True, "append_images": frames[1:]} if medium == "video" else {}
    frames[0].save(file, "png", **others)
    return file.getvalue()


def on_black(frames: list[Image.Image]) -> list[Image.Image]:
    """The same by hand, nothing transparent left."""
    return [
        Image.fromarray(np.where(rgba[..., 3:] > 0, rgba[..., :3], 0).astype(np.uint8))
        for rgba in map(np.asarray, frames)
    ]


def write_stream(root: Path, medium: Medium) -> str:
    """Questions about how thick the bar is."""
    number, folder = 0, root / "t"
    folder.mkdir()
    for split, count in SIZES.items():
        lines = ""
        for _ in range(count):
            (folder / f"{number}.png").write_bytes(encoded(drawn(number), medium))
            answer = ("thin", "thick")[number % 2]
            row = {medium: f"{number}.png", "question": f"How thick is {number}?", "answer": answer}
            lines += json.dumps(row) + "\n"
            number += 1
        (folder / f"{split}.jsonl").write_text(lines)
    file = root / "stream.yaml"
    file.write_text(
        f"name: s\nprotocol: dil\ntasks:\n  - {{name: t, kind: {medium}-qa, path: t}}\n"
    )
    return str(file)


@pytest.mark.parametrize("medium", ["image", "video"])
def test_stored_tokens_are_of_what_is_seen_on_the_ground(
    tiny: Path, tmp_path: Path, medium: Medium
) -> None:
    stream = cl.load_stream(write_stream(tmp_path, medium), ground="black")
    vision = str(write_vision(tmp_path / "vit"))
    settings = make_settings({"backbone": str(tiny), "vision": vision, **LOOKS})
    backbone = load_backbone(settings.backbone, torch.device("cpu"))
    assert isinstance(backbone, VisionLanguageBackbone)
    silent = Reporter(lambda event: None, lambda step, steps: None, lambda: False)
    artifacts = RunArtifacts(
        Store(tmp_path / "store"),
        stream,
        backbone,
        settings,
        choose_device("cpu"),
        0,
        silent,
        stored_tokens,
    )
    source = stored_tokens(artifacts, 0, "train")
    assert source is not None
    by_hand = [encoded(on_black(drawn(number)), medium) for number in range(SIZES["train"])]
    wanted = backbone.vision_encoder.encode(medium, by_hand)
    torch.testing.assert_close(source.see(range(len(by_hand))).features, wanted.features)


def corner(shown: str, top: bool) -> tuple[int, ...]:
    """The colour of a left corner of a picture that a browser gets."""
    picture = Image.open(io.BytesIO(b64decode(shown))).convert("RGB")
    return tuple(picture.getpixel((0, 0 if top else picture.height - 1)))


def test_new_drawings_are_answered_and_shown_on_the_ground_that_the_run_learnt_them_on(
    carry: Carry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, vision = write_stream(tmp_path, "image"), str(write_vision(tmp_path / "vit"))
    options = {"ground": "black", "vision": vision, "epochs": 1, **LOOKS}
    run = carry(file, "dam", name="run", **options)
    assert run.folder.config.ground == "black"
    recorded = {row["sample_id"]: row for row in run.folder.table("routing").to_pylist()}
    rows = cl.load_stream(file).tasks[0].test
    asked = [{name: row[name] for name in ("image", "question")} for row in rows]
    answers = run.route(*asked)
    worker, workspace = AnswerWorker(), str(run.workspace.root)
    for sample_id, sample, answer in zip(rows["id"], asked, answers, strict=True):
        score = pytest.approx(recorded[sample_id]["scores"][0], abs=1e-5)
        assert answer.shares[0].score == score
        content = b64encode(Path(sample["image"]).read_bytes()).decode()
        for request in ({"id": sample_id}, {**sample, "image": content}):
            for routed in worker.route(workspace, "run", 1, request, [{}, {"temperature": 2.0}]):
                assert routed["shares"][0]["score"] == score
            assert corner(worker.shown(workspace, "run", request)["pictures"][0], top=True) == BLACK
    near = worker.near(workspace, "run", 1, {"id": rows["id"][0]}, 3)
    assert [corner(row["picture"], top=False) for row in near] == [BLACK] * 3
    asked_for = ["--workspace", workspace, "--run", "run", "--output", str(tmp_path / "run.html")]
    monkeypatch.setattr("sys.argv", ["run_report", *asked_for])
    run_report.main()
    in_report = re.findall(r"data:image/png;base64,([^\"]+)", (tmp_path / "run.html").read_text())
    assert in_report
    assert {corner(picture, top=True) for picture in in_report} == {BLACK}


@pytest.mark.parametrize("medium", ["image", "video"])
def test_the_card_of_a_task_shows_its_samples_on_its_ground(tmp_path: Path, medium: Medium) -> None:
    stream = Path(write_stream(tmp_path, medium))
    text = stream.read_text().replace("path: t", "path: t, ground: black")
    for asked in ({"text": text}, {"task": yaml.safe_load(text)["tasks"][0]}):
        request = check_worker.CheckRequest(folder=str(tmp_path), **asked)
        (card,) = check_worker.answer(request)["tasks"]
        pictures = [sample["picture"] for sample in card["samples"]]
        assert pictures
        assert {corner(picture, top=False) for picture in pictures} == {BLACK}
