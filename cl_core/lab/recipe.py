"""Recipes: one choice for each of the four slots, by name.

    recipe             initialise  train       route     compose
    dam                previous    isolated    centroid  merge
    adapters           random      isolated    oracle    select
    average-merge      previous    isolated    uniform   merge
    closest-task-init  closest     isolated    oracle    select
    sequential         previous    sequential  uniform   select

Any other mix is a recipe too: `Recipe(initialise="random", train="isolated", route="centroid", compose="average")`.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from cl_core.adapters.compose import COMPOSITIONS
from cl_core.choices import Table
from cl_core.errors import Faults, UserError, did_you_mean
from cl_core.initialise import INITIALISERS
from cl_core.route import ROUTERS
from cl_core.settings import Settings
from cl_core.train import TRAINERS

SLOTS: dict[str, Table] = {
    "initialise": INITIALISERS,
    "train": TRAINERS,
    "route": ROUTERS,
    "compose": COMPOSITIONS,
}
"""The four slots and the tables of their choices."""


class Recipe(Settings):
    """One choice for each slot, with the settings that belong to it."""

    name: str = "custom"
    """What reports call it."""
    summary: str = ""
    """One sentence for menus."""
    source: str = "(ours)"
    """The paper, or who chose."""
    initialise: str
    """Where adapter t starts."""
    train: str
    """What moves while task t is learnt."""
    route: str
    """Which adapters a sample gets."""
    compose: str
    """What the weights do to the adapters."""
    settings: dict[str, object] = Field(default_factory=dict)
    """Settings that differ from the defaults, by their flat names (`k`, `temperature`, ...)."""

    def check(self) -> None:
        """Refuses a mix that cannot work.

        Raises:
            Faults: every unknown choice and every impossible combination, with its reason.
        """
        faults = []
        for slot, table in SLOTS.items():
            choice = getattr(self, slot)
            if choice not in table:
                faults.append(
                    f"{slot}: there is no '{choice}'; choose one of {', '.join(table)}."
                    f"{did_you_mean(choice, table)}"
                )
        if self.train == "sequential":
            if self.initialise != "previous":
                faults.append(
                    f"initialise: '{self.initialise}' cannot go with train: sequential, which "
                    "trains one adapter from task to task; use initialise: previous"
                )
            if self.route != "uniform":
                faults.append(
                    f"route: '{self.route}' has nothing to choose with train: sequential, which keeps one adapter; "
                    "use route: uniform"
                )
        if faults:
            raise Faults(f"recipe '{self.name}'", faults)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in [
        Recipe(
            name="dam",
            summary="one adapter per task, started from the last; centroids choose k of them, merged per sample",
            source="DAM, arXiv 2403.08755",
            initialise="previous",
            train="isolated",
            route="centroid",
            compose="merge",
            settings={"k": 2, "temperature": 0.01},
        ),
        Recipe(
            name="adapters",
            summary="one adapter per task from scratch, chosen by the true task: the upper bound for routing",
            source="vanilla adapters; I2I's baseline",
            initialise="random",
            train="isolated",
            route="oracle",
            compose="select",
        ),
        Recipe(
            name="average-merge",
            summary="DAM's adapters, all merged with equal weights: what routing has to beat",
            source="DAM, static merging baseline",
            initialise="previous",
            train="isolated",
            route="uniform",
            compose="merge",
            # Equal weights name no task: every other rule would answer from the first head only.
            settings={"head_rule": "direct"},
        ),
        Recipe(
            name="closest-task-init",
            summary="each adapter starts as a copy of the closest earlier task's; chosen by the true task",
            source="I2I, arXiv 2304.02168, baseline ClosestTaskInit",
            initialise="closest",
            train="isolated",
            route="oracle",
            compose="select",
        ),
        Recipe(
            name="sequential",
            summary="a single adapter trained on one task after the other: what forgetting looks like",
            source="fine-tuning baseline",
            initialise="previous",
            train="sequential",
            route="uniform",
            compose="select",
        ),
    ]
}


def load_recipe(source: str, **slots: str | None) -> Recipe:
    """Returns a recipe by name, or from a YAML file, with single slots exchanged.

    Args:
        source: a name of `RECIPES`, or the path of a YAML file with the fields of `Recipe`.
        slots: choices that replace the recipe's own (`route="oracle"`); None keeps them.

    Raises:
        UserError: no such recipe, or a file that is not one.
        Faults: a mix that cannot work.
    """
    if source in RECIPES:
        recipe = RECIPES[source]
    elif Path(source).suffix in (".yaml", ".yml"):
        recipe = _read_recipe(Path(source))
    else:
        raise UserError(
            f"there is no recipe '{source}'; choose one of {', '.join(RECIPES)}, or give the path of a YAML file."
            f"{did_you_mean(source, RECIPES)}"
        )
    changed = {slot: choice for slot, choice in slots.items() if choice is not None}
    changed = {slot: choice for slot, choice in changed.items() if getattr(recipe, slot) != choice}
    if changed:
        name = "+".join([recipe.name, *(f"{slot}={choice}" for slot, choice in changed.items())])
        recipe = recipe.model_copy(update={**changed, "name": name, "source": "(ours)"})
    recipe.check()
    return recipe


def _read_recipe(path: Path) -> Recipe:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"recipe file '{path}' cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f"recipe file '{path}' must hold a mapping with {', '.join(SLOTS)}")
    try:
        return Recipe(**{"name": path.stem, **data})
    except (ValidationError, TypeError) as error:
        raise UserError(f"recipe file '{path}': {error}") from error
