"""Recipes: every one that has a name, any mix, and the mixes that cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

import cl_core as cl
from cl_core.errors import Faults, UserError
from cl_core.recipes.named import RECIPES, load_recipe, recipe_yaml
from cl_core.recipes.recipe import SLOTS, Recipe, learnable
from cl_core.recipes.settings import make_settings
from cl_core.route import ROUTERS


@pytest.mark.parametrize("name", RECIPES)
def test_every_named_recipe_is_one_choice_of_each_slot_and_can_work(name: str) -> None:
    recipe = RECIPES[name]
    recipe.check()
    recipe.check_settings(make_settings(recipe.settings))
    for slot, table in SLOTS.items():
        assert getattr(recipe, slot) in table


def test_the_papers_mixes_are_valid_recipes() -> None:
    mixed = load_recipe("dam", initialise="improvised", route="learned", compose="average")
    assert mixed.name == "dam+initialise=improvised+route=learned+compose=average"
    for compose in learnable():
        for initialise in SLOTS["initialise"]:
            load_recipe("l2r-wavg", initialise=initialise, compose=compose)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"route": "learned", "compose": "select"}, "passes no gradient on to the weights"),
        ({"route": "learned", "compose": "ties"}, "passes no gradient on to the weights"),
        (
            {"route": "centroid", "compose": "fusion"},
            "does not know the task id; use route: oracle",
        ),
        ({"train": "ewc"}, "nothing to choose with train: ewc"),
        ({"train": "joint"}, "initialise: 'previous' cannot go with train: joint"),
        ({"route": "uniform", "compose": "select"}, "gives every sample the same one adapter"),
        ({"route": "nearest"}, "there is no 'nearest'"),
    ],
)
def test_a_mix_that_cannot_work_is_refused_with_the_reason(
    changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(Faults, match=reason):
        load_recipe("dam", **changes)


@pytest.mark.parametrize("name", ["l2r-wavg", "l2r-merge", "replay"])
def test_what_learns_from_memory_is_refused_without_any(name: str) -> None:
    with pytest.raises(Faults, match="memory=0 keeps none; set memory to a share"):
        RECIPES[name].check_settings(make_settings({"memory": 0}))


def test_uncertain_memory_needs_a_model_of_the_task() -> None:
    settings = make_settings({"memory_selection": "uncertainty"})
    RECIPES["l2r-wavg"].check_settings(settings)
    with pytest.raises(Faults, match="each task's own model"):
        RECIPES["replay"].check_settings(settings)


def test_a_recipe_saved_as_yaml_is_read_back_the_same(tmp_path: Path) -> None:
    mine = load_recipe("l2r-wavg", initialise="improvised").model_copy(
        update={"name": "mine", "settings": {"memory": 0.2, "gate": "softmax"}}
    )
    file = tmp_path / "mine.yaml"
    file.write_text(recipe_yaml(mine), encoding="utf-8")
    assert load_recipe(str(file)) == mine


def test_a_file_that_is_no_recipe_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("initialise: random\nroot: learned\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken\.yaml"):
        load_recipe(str(file))


def test_settings_of_a_recipe_are_known_settings() -> None:
    for recipe in RECIPES.values():
        make_settings(recipe.settings)
    with pytest.raises(Faults, match="no setting 'memroy'"):
        make_settings(
            Recipe(
                initialise="random",
                train="isolated",
                route="learned",
                compose="average",
                settings={"memroy": 0.1},
            ).settings
        )


@pytest.mark.parametrize("recipe", ["epi", "s-prompts"])
def test_what_departs_from_the_papers_own_code_is_marked_as_ours(recipe: str) -> None:
    chosen = RECIPES[recipe]
    assert chosen.source.endswith("**(ours)**")
    assert "**(ours)**" in ROUTERS[chosen.route].source
    assert "**(ours)**" in str(ROUTERS.load(chosen.route).__doc__)


def test_what_a_recipe_is_described_with_may_change_between_begin_and_resume(
    tiny: Path, tmp_path: Path
) -> None:
    options = {"workspace": tmp_path, "backbone": str(tiny), "device": "cpu", "name": "run"}
    small = {"limit": 8, "epochs": 1, "max_length": 12, "layer": -2}
    begun = cl.run("domains-dil", "epi", **options, **small).folder
    recipe = begun.config.recipe
    old = recipe.source.replace("; layer and covariance **(ours)**", "")
    assert old != recipe.source
    older = recipe.model_copy(update={"source": old})
    begun.create(begun.config.model_copy(update={"recipe": older}))
    assert cl.run("domains-dil", "epi", **options, **small).folder.status == "finished"
