"""Training that comes to nothing: it diverges and says so in words, or it learns nothing and the run says that."""

from __future__ import annotations

import math
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cl_core.errors import Faults, UserError
from cl_core.recipes.settings import make_settings
from cl_core.reports.report import Report
from cl_core.reports.report_formats import FORMATS
from cl_core.runs.events import WarningEvent
from cl_core.runs.progress import read_progress
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.train.chance import Chance
from tests.small_runs import Carry

TRAINERS = {
    "dam": "learning_rate",
    "sequential": "learning_rate",
    "replay": "learning_rate",
    "ewc": "learning_rate",
    "lwf": "learning_rate",
    "joint": "learning_rate",
    "adapter-fusion": "fusion_learning_rate",
    "i2i-ff": "learning_rate",
    "l2r-wavg": "router_learning_rate",
}
"""Recipes, and the setting whose excess makes what is their own diverge."""
GATES_HOLD = ("l2r-wavg", 1e30)
"""At such a rate every gate is open or shut for good, and all numbers stay finite."""


@pytest.mark.parametrize("checkpoint_every", [1, 50])
@pytest.mark.parametrize(
    ("recipe", "rate"),
    [pair for pair in product(TRAINERS, (1e30, 1e300)) if pair != GATES_HOLD],
)
def test_a_divergence_ends_with_what_diverged_and_which_setting_to_lower(
    carry: Carry, tmp_path: Path, recipe: str, rate: float, checkpoint_every: int
) -> None:
    setting = TRAINERS[recipe]
    options: dict[str, Any] = {setting: rate, "checkpoint_every": checkpoint_every}
    with pytest.raises(UserError, match=f"diverged: .*--set {setting}=0.0"):
        carry("domains-dil", recipe, name="run", **options)
    run = Workspace(tmp_path / "workspace").find("run")
    assert run.status == "failed"
    assert "diverged" in run.events[-1].message


@pytest.mark.parametrize("recipe", ["dam", "epi", "s-prompts", "l2r-wavg", "sequential", "i2i-ff"])
def test_a_backbone_that_gives_no_numbers_is_named_and_not_the_learning_rate(
    carry: Carry, tiny: Path, tmp_path: Path, recipe: str
) -> None:
    broken = spoilt(tiny, tmp_path / "spoilt")
    with pytest.raises(UserError, match=r"frozen backbone.* not finite") as said:
        carry("domains-dil", recipe, name="run", backbone=str(broken))
    assert "learning_rate" not in str(said.value)


def spoilt(checkpoint: Path, target: Path) -> Path:
    """A copy of a checkpoint whose last block gives NaN."""
    shutil.copytree(checkpoint, target)
    tensors = load_file(target / "model.safetensors")
    name = [tensor for tensor in tensors if "layer.0.output.dense.weight" in tensor][-1]
    tensors[name][0] = float("nan")
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    return target


@pytest.mark.parametrize("bad", [float("inf"), float("nan"), "inf", "1e400"])
def test_settings_refuse_numbers_that_are_not_finite(bad: object) -> None:
    floats = [
        "learning_rate",
        "router_learning_rate",
        "fusion_learning_rate",
        "weight_decay",
        "clip",
        "temperature",
    ]
    with pytest.raises(Faults) as said:
        make_settings(dict.fromkeys(floats, bad))
    assert str(said.value).count("finite number") == len(floats)


def test_a_run_that_has_learnt_nothing_finishes_and_says_so_of_every_task(carry: Carry) -> None:
    still = {"learning_rate": 1e-12, "fusion_learning_rate": 1e-12}
    for recipe in ("dam", "replay", "adapter-fusion"):
        run = carry("domains-dil", recipe, name=recipe, **still).folder
        said = learnt_nothing(run)
        assert run.status == "finished"
        for task in run.config.tasks:
            assert any(f"'{task.name}' has learnt nothing that" in message for message in said)
        for task in run.config.tasks[1:] if recipe == "adapter-fusion" else ():
            assert any(
                f"'{task.name}, fusion' has learnt nothing that" in message for message in said
            )
        report = Report(run)
        assert set(said) <= set(report.as_dict()["warnings"])
        assert all(message in FORMATS["text"](report) for message in said)
        assert set(said) <= set(read_progress(run.config, run.events).warnings)


def test_a_run_that_goes_on_does_not_say_it_twice(carry: Carry) -> None:
    run = carry("domains-dil", "dam", name="run", learning_rate=1e-12)
    before = learnt_nothing(run.folder)
    run.resume()
    assert learnt_nothing(run.folder) == before


@pytest.mark.parametrize(
    ("accuracy", "loss", "nothing"),
    [(0.5, 0.70, True), (0.5, 0.3, False), (0.9, 0.70, False), (0.55, 0.693, True)],
)
def test_nothing_is_learnt_where_neither_accuracy_nor_loss_is_better_than_guessing(
    accuracy: float, loss: float, nothing: bool
) -> None:
    chance = Chance.of([(torch.tensor([0, 1] * 50), 2)])
    curve = [{"validation_accuracy": accuracy, "validation_loss": loss}]
    assert (chance.learnt_nothing(curve) is not None) == nothing


def test_guessing_is_as_good_as_the_commonest_class_and_as_sure_as_there_are_classes() -> None:
    """Of each group by itself; a label that is none (-1) is a row that nobody answers rightly."""
    first = torch.tensor([0] * 10 + [1] * 5 + [2] * 5)
    chance = Chance.of([(first, 4)])
    assert (chance.accuracy, chance.rows) == (0.5, 20)
    assert chance.loss == pytest.approx(math.log(4))
    second = torch.tensor([-1] * 6 + [2] * 3 + [0])
    both = Chance.of([(first, 4), (second, 8)])
    assert both.accuracy == pytest.approx((10 + 3) / 30)
    assert both.loss == pytest.approx((20 * math.log(4) + 10 * math.log(8)) / 30)


def test_it_is_the_kept_epoch_that_is_judged() -> None:
    chance = Chance.of([(torch.tensor([0, 1] * 50), 2)])
    good = {"validation_accuracy": 0.9, "validation_loss": 0.3}
    bad = {"validation_accuracy": 0.5, "validation_loss": 0.9}
    assert chance.learnt_nothing([bad, good, bad]) is None
    assert chance.learnt_nothing([bad, bad]) is not None
    assert chance.learnt_nothing([]) is None


def test_with_one_class_there_is_nothing_to_learn() -> None:
    chance = Chance.of([(torch.zeros(9, dtype=torch.int64), 1)])
    assert chance.learnt_nothing([{"validation_accuracy": 1.0, "validation_loss": 0.0}]) is None


def learnt_nothing(run: RunFolder) -> list[str]:
    said = [event.message for event in run.events if isinstance(event, WarningEvent)]
    return [message for message in said if "has learnt nothing that" in message]
