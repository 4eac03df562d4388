"""What a recipe does on a stream, in which order."""

from __future__ import annotations

from cl_core.recipes.named import RECIPES
from cl_core.recipes.plan import Needs, make_plan
from cl_core.recipes.settings import RunSettings


def phases(tasks: int, needs: Needs) -> list[str]:
    return [f"{step.phase}{step.task}" for step in make_plan(tasks, needs)]


def test_each_task_is_learnt_then_scored() -> None:
    assert phases(2, Needs()) == ["train0", "evaluate0", "train1", "evaluate1"]
    assert phases(2, Needs(features=True))[:2] == ["features0", "train0"]
    assert phases(2, Needs(features=True, unseen=True))[:2] == ["features0", "features1"]


def test_i2i_improvises_from_the_second_task_on() -> None:
    assert phases(2, Needs(improvises=True)) == [
        "train0",
        "evaluate0",
        "improvise1",
        "initialise1",
        "train1",
        "evaluate1",
    ]


def test_routers_are_trained_before_each_scored_stage_or_once_at_the_end() -> None:
    assert phases(2, Needs(routers=True)) == [
        "train0",
        "routers0",
        "evaluate0",
        "train1",
        "routers1",
        "evaluate1",
    ]
    once = phases(2, Needs(routers=True, every_stage=False))
    assert once == ["train0", "train1", "routers1", "evaluate1"]


def test_joint_training_waits_for_the_last_task() -> None:
    assert phases(3, Needs(at_once=True)) == ["train2", "evaluate2"]


def test_fusion_follows_the_tasks_own_training() -> None:
    plan = phases(2, Needs(fuses=True))
    assert plan == ["train0", "evaluate0", "train1", "fuse1", "evaluate1"]


def test_a_recipe_says_its_plan_from_the_rows_of_its_choices() -> None:
    assert len(RECIPES["dam"].plan(6, RunSettings())) == 18
    assert [step.phase for step in RECIPES["joint"].plan(2, RunSettings())] == ["train", "evaluate"]
