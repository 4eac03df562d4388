"""Whole runs on questions about pictures and clips, and on streams that mix kinds of tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cl_core as cl
from cl_core.analysis.static_merge import merge_run
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.errors import UserError
from cl_core.recipes.named import RECIPES
from cl_core.reports.report import Report
from cl_core.runs.events import ArtifactEvent, EpochEvent
from tests.backbones.small_vision import write_vision
from tests.backbones.test_encoder_decoder import write_bart
from tests.small_runs import SMALL, Carry

QUICK: dict[str, Any] = {
    "epochs": 1,
    "router_epochs": 1,
    "memory": 0.3,
    "layer": -2,
    "image_grid": 2,
    "clip_grid": 1,
    "frames": 3,
    "fisher_rows": 4,
}
LIMITS = {split: SMALL[f"limit_{split}"] for split in ("train", "validation", "test")}
SIZES = "train=24,validation=8,test=12"


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vision(tmp_path_factory.mktemp("vision") / "vit")


@pytest.fixture
def ask(carry: Carry, vision: Path) -> Carry:
    """ask(stream, recipe, **settings) -> a finished run with a backbone that sees."""

    def run(stream: str, recipe: str, **options: Any) -> cl.Run:
        return carry(stream, recipe, **{"name": "run", "vision": str(vision), **QUICK, **options})

    return run


def write_stream(folder: Path, protocol: str, tasks: list[str]) -> str:
    file = folder / "stream.yaml"
    lines = "".join(f"  - {task}\n" for task in tasks)
    file.write_text(f"name: mixed\nprotocol: {protocol}\ntasks:\n{lines}")
    return str(file)


TASKS = {
    "count": f"{{name: count, kind: image-qa, builtin: 'questions/count:{SIZES}'}}",
    "shape": f"{{name: shape, kind: image-qa, builtin: 'questions/shape:{SIZES}'}}",
    "which-way": f"{{name: which-way, kind: video-qa, builtin: 'questions/which-way:{SIZES}'}}",
    "neon": f"{{name: neon, kind: image, builtin: 'scenes/neon:{SIZES}'}}",
    "films": "{name: films, builtin: domains/films}",
}


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "joint"] + ["joint"])
def test_every_recipe_answers_questions(ask: Carry, tmp_path: Path, recipe: str) -> None:
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"], TASKS["which-way"]])
    run = ask(stream, recipe)
    assert not np.isnan(run.matrix[2]).any()
    assert run.folder.config.label_space == cl.load_stream(stream).label_space.names


@pytest.mark.parametrize("recipe", ["dam", "l2r-merge", "i2i-ff", "replay"])
@pytest.mark.parametrize("protocol", ["til", "cil"])
def test_questions_under_other_protocols(
    ask: Carry, tmp_path: Path, recipe: str, protocol: str
) -> None:
    stream = write_stream(tmp_path, protocol, [TASKS["count"], TASKS["shape"]])
    assert not np.isnan(ask(stream, recipe).matrix[1]).any()


@pytest.mark.parametrize("recipe", ["dam", "l2r-wavg", "i2i-ff", "adapter-fusion", "replay", "ewc"])
def test_texts_pictures_and_questions_mix_in_one_stream(
    ask: Carry, tmp_path: Path, recipe: str
) -> None:
    kinds = [TASKS[name] for name in ("films", "neon", "which-way", "count")]
    run = ask(write_stream(tmp_path, "til", kinds), recipe)
    assert not np.isnan(run.matrix[3]).any()


def test_new_questions_are_answered_as_the_run_answered_them(ask: Carry, tmp_path: Path) -> None:
    for recipe in ("dam", "l2r-wavg", "adapters"):
        root = tmp_path / recipe
        root.mkdir()
        tasks = [TASKS["count"], TASKS["which-way"]]
        stream = write_stream(root, "dil" if recipe != "adapters" else "til", tasks)
        run = ask(stream, recipe, name=recipe)
        records = [r for r in run.folder.table("routing").to_pylist() if r["stage"] == 2]
        recorded = {r["sample_id"]: r for r in records}
        names = run.folder.config.label_space
        for task in cl.load_stream(stream, limits=LIMITS).tasks:
            medium = "video" if task.kind == "video-qa" else "image"
            rows = [{name: row[name] for name in (medium, "question")} for row in task.test]
            samples = run.route(*rows, task=task.name)
            for sample_id, sample in zip(task.test["id"], samples, strict=True):
                assert sample.prediction == names[recorded[sample_id]["prediction"]]
            if recipe == "l2r-wavg":
                assert list(samples[0].per_block) == ["visual", "block0", "block1", "block2"]


def test_each_task_has_a_projection_and_only_its_own_moves(ask: Carry, tmp_path: Path) -> None:
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"]])
    run = ask(stream, "adapters")
    names = run.folder.artifacts()
    first, second = (
        run.workspace.store.read("adapter", names[f"adapter/{task}"]).tensors
        for task in ("count", "shape")
    )
    assert first["adapter.visual"].shape == (16, 32)
    assert not torch.equal(first["adapter.visual"], second["adapter.visual"])
    dam = ask(stream, "dam", name="dam")
    copied = dam.folder.artifacts()["adapter/shape"]
    assert copied != names["adapter/shape"]


def test_pictures_are_looked_at_once_however_many_questions_and_recipes_there_are(
    ask: Carry, tmp_path: Path
) -> None:
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"]])
    ask(stream, "dam")
    artifact_events = [
        e
        for e in ask(stream, "adapters", name="again").folder.events
        if isinstance(e, ArtifactEvent)
    ]
    seen = [event for event in artifact_events if event.kind == "sights"]
    assert seen
    assert all(event.reused for event in seen)


def test_votes_are_learnt_from_and_scored(ask: Carry, tmp_path: Path) -> None:
    """Two of three people say the right colour, the third another: the best answer is worth two thirds."""
    from cl_core.synthetic.scenes.question_stream import task as make_task

    folder = tmp_path / "votes"
    (folder / "images").mkdir(parents=True)
    colour_task = make_task("colour", {"train": 24, "validation": 8, "test": 12})
    for split, columns in colour_task.columns.items():
        rows = []
        for number, picture in enumerate(columns["image"]):
            name = f"images/{split}-{number}.png"
            (folder / name).write_bytes(picture)
            answer = columns["answer"][number]
            votes = [answer, answer, "red" if answer != "red" else "blue"]
            rows.append({"image": name, "question": columns["question"][number], "votes": votes})
        rows[0]["votes"] = ["mauve", "ochre", "teal"] if split == "test" else rows[0]["votes"]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = "{name: colour, kind: image-qa, path: votes, answers: votes, most_answers: 8}"
    run = ask(write_stream(tmp_path, "til", [spec, TASKS["count"]]), "adapters", epochs=2)
    records = [r for r in run.folder.table("routing").to_pylist() if r["stage"] == 1]
    task = cl.load_stream(tmp_path / "stream.yaml", limits=LIMITS).tasks[0]
    assert records[0]["label"] == -1
    assert not records[0]["correct"]
    credit = [
        dict(zip(row["answers"], row["answer_weights"], strict=True)).get(record["prediction"], 0.0)
        for row, record in zip(task.test, records, strict=True)
    ]
    assert run.matrix[0, 0] == pytest.approx(np.mean(credit))
    assert 0 < max(credit) < 1
    history = [event for event in run.folder.events if isinstance(event, EpochEvent)]
    assert history[1].train_loss < history[0].train_loss


def test_what_is_routed_must_be_whole(ask: Carry, tmp_path: Path) -> None:
    run = ask(write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"]]), "dam")
    with pytest.raises(UserError, match="a sample is images; this run answers for text, image, "):
        run.route({"images": "x.png"})
    with pytest.raises(UserError, match=r"none\.png: there is no such file"):
        run.route({"image": "none.png", "question": "How many?"})
    with pytest.raises(UserError, match="one of them at a time"):
        run.route({"text": "a"}, {"image": b"x"})


@pytest.mark.parametrize(
    "recipe", ["dam", "l2r-wavg", "i2i-ff", "adapter-fusion", "sequential", "replay"]
)
def test_answers_scored_by_what_they_are_called_need_no_heads(
    ask: Carry, tmp_path: Path, recipe: str
) -> None:
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"], TASKS["which-way"]])
    run = ask(stream, recipe, answers="embeddings")
    assert not np.isnan(run.matrix[2]).any()
    names, store = run.folder.artifacts(), run.workspace.store
    if recipe in ("dam", "adapter-fusion"):
        heads = [
            store.read("adapter", names[f"adapter/{task}"]).tensors["head.weight"]
            for task in ("count", "shape", "which-way")
        ]
        assert torch.equal(heads[0], heads[1])
        assert torch.equal(heads[0], heads[2])
        assert len(heads[0]) == len(run.folder.config.label_space)
        trained = [
            e for e in run.folder.events if isinstance(e, ArtifactEvent) and e.kind == "adapter"
        ]
        plain = ask(stream, recipe, name="heads")
        with_heads = [
            e for e in plain.folder.events if isinstance(e, ArtifactEvent) and e.kind == "adapter"
        ]
        assert trained[0].key != with_heads[0].key


@pytest.mark.parametrize("recipe", ["dam", "l2r-wavg", "i2i-ff", "replay"])
def test_answers_not_yet_seen_are_never_given(ask: Carry, tmp_path: Path, recipe: str) -> None:
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"]])
    run = ask(stream, recipe, vocabulary="seen", router_stages="all", unseen=True)
    space = cl.load_stream(stream).label_space
    records = run.folder.table("routing").to_pylist()
    first = {r["prediction"] for r in records if r["stage"] == 1}
    assert first <= set(space.indices["count"])
    assert run.folder.config.settings.answers.vocabulary == "seen"


def test_the_untrained_model_answers_by_what_labels_are_called_where_it_can(
    carry: Carry, tmp_path: Path
) -> None:
    """CLIP's zero-shot classifier is b_j, the score before any training."""
    from tests.backbones.test_image_loader import write_open_clip

    clip = write_open_clip(tmp_path / "clip")
    stream = write_stream(tmp_path, "til", [TASKS["neon"], TASKS["neon"].replace("neon", "flat")])
    run = carry(stream, "adapters", backbone=str(clip), name="run", epochs=1, unseen=True)
    backbone = load_backbone(BackboneSettings(name=str(clip)), torch.device("cpu"))
    task = cl.load_stream(stream, limits=LIMITS).tasks[0]
    head = backbone.label_head(task.label_names)
    encoding = backbone.encode({"image": task.test["image"]})
    with torch.no_grad():
        output = backbone(backbone.collate(encoding, range(len(encoding))))
        logits = backbone.read(output, "cls") @ head.weight.T
    right = (logits.argmax(dim=1) == torch.tensor(task.test["label"])).double().mean()
    assert Report(run.folder).untrained[0] == pytest.approx(float(right))


@pytest.mark.parametrize("answers", ["heads", "embeddings"])
@pytest.mark.parametrize("recipe", ["dam", "l2r-wavg", "i2i-ff", "replay"])
def test_an_encoder_decoder_answers_questions(
    ask: Carry, tmp_path: Path, recipe: str, answers: str
) -> None:
    """With `embeddings` every answer of the vocabulary is scored by generating it."""
    bart = write_bart(tmp_path / "bart")
    tasks = [TASKS["count"], TASKS["shape"], TASKS["which-way"]]
    stream = write_stream(tmp_path, "dil", tasks)
    run = ask(stream, recipe, backbone=str(bart), answers=answers, learning_rate=1e-2)
    assert not np.isnan(run.matrix[2]).any()
    records = [r for r in run.folder.table("routing").to_pylist() if r["stage"] == 3]
    recorded = {r["sample_id"]: r for r in records}
    names = run.folder.config.label_space
    task = cl.load_stream(stream, limits=LIMITS).tasks[0]
    rows = [{name: row[name] for name in ("image", "question")} for row in task.test]
    for sample_id, sample in zip(task.test["id"], run.route(*rows, task="count"), strict=True):
        assert sample.prediction == names[recorded[sample_id]["prediction"]]


def test_adapters_that_see_can_be_merged_into_one(ask: Carry, tmp_path: Path) -> None:
    """The static mean is `average-merge` on the same adapters, projections included."""
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"]])
    dam, average = ask(stream, "dam"), ask(stream, "average-merge", name="average")
    merged = merge_run(dam.workspace, dam.folder, device="cpu")
    np.testing.assert_allclose(list(merged.scores.values()), average.matrix[-1], atol=1e-12)
    assert merged.adapter.projection is not None


def test_an_adapter_may_start_from_what_the_backbone_was_trained_with(
    carry: Carry, tmp_path: Path
) -> None:
    pytest.importorskip("open_clip")
    backbone = load_backbone(BackboneSettings(name="scene-qa", max_length=24), torch.device("cpu"))
    stream = write_stream(tmp_path, "dil", [TASKS["count"], TASKS["shape"]])
    options = {"backbone": "scene-qa", "init": "backbone", "epochs": 1, "learning_rate": 1e-12}
    run = carry(stream, "adapters", name="run", **options)
    tensors = run.workspace.store.read("adapter", run.folder.artifacts()["adapter/count"]).tensors
    for name, start in backbone.start.items():
        assert torch.allclose(tensors[name], start, atol=1e-8), name
    with pytest.raises(
        UserError, match=r"trained with are 12 bottlenecks of width 48; .* of width 24"
    ):
        carry(stream, "adapters", name="narrow", **options, reduction=16)
    with pytest.raises(UserError, match="was trained with are none"):
        carry(stream, "adapters", name="none", init="backbone", vision="scene-clip", epochs=1)
