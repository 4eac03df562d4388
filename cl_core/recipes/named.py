"""The recipes that have a name, and recipes from files.

recipe             initialise  train       route        compose
dam                previous    isolated    centroid     merge
l2r-wavg           random      isolated    learned      average
l2r-merge          random      isolated    learned      merge
i2i-ff, -fl, -ll   improvised  isolated    oracle       select
adapters           random      isolated    oracle       select
adapter-fusion     random      isolated    oracle       fusion
closest-task-init  closest     isolated    oracle       select
epi                random      isolated    mahalanobis  select
s-prompts          random      isolated    kmeans       select
average-merge      previous    isolated    uniform      merge
input-weighted     random      isolated    centroid     merge
sequential         previous    sequential  uniform      select
replay, ewc, lwf   previous    themselves  uniform      select
joint              random      joint       uniform      select
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cl_core.bounded_files import read_yaml
from cl_core.errors import Faults, UserError, cut, did_you_mean, short
from cl_core.limits import TooLarge
from cl_core.recipes.recipe import SLOTS, Recipe
from cl_core.settings import allowed

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
            name="l2r-wavg",
            summary="one adapter per task; routers learnt from a small memory weigh their outputs, block by block",
            source="L2R, arXiv 2408.09053",
            initialise="random",
            train="isolated",
            route="learned",
            compose="average",
        ),
        Recipe(
            name="l2r-merge",
            summary="as l2r-wavg, but the routers weigh the adapters' parameters",
            source="L2R, arXiv 2408.09053",
            initialise="random",
            train="isolated",
            route="learned",
            compose="merge",
        ),
        *(
            Recipe(
                name=f"i2i-{variant}",
                summary=f"each adapter starts as the distillate of a fusion of the old ones; {what}",
                source="I2I, arXiv 2304.02168",
                initialise="improvised",
                train="isolated",
                route="oracle",
                compose="select",
                settings={"improvise_share": shares[0], "distil_share": shares[1]},
            )
            for variant, what, shares in (
                ("ff", "phases 1 and 2 on all samples", (1.0, 1.0)),
                ("fl", "phase 1 on all samples, phase 2 on 5 %", (1.0, 0.05)),
                ("ll", "phases 1 and 2 on 5 % of the samples", (0.05, 0.05)),
            )
        ),
        Recipe(
            name="adapters",
            summary="one adapter per task from scratch, told the true task: no router can choose better",
            source="vanilla adapters; I2I's baseline",
            initialise="random",
            train="isolated",
            route="oracle",
            compose="select",
        ),
        Recipe(
            name="adapter-fusion",
            summary="one adapter per task, then for each task a fusion of all adapters so far; chosen by the true task",
            source="AdapterFusion, arXiv 2005.00247; I2I's baseline",
            initialise="random",
            train="isolated",
            route="oracle",
            compose="fusion",
        ),
        Recipe(
            name="epi",
            summary="one adapter per task, chosen by the nearest class in Mahalanobis distance",
            source="EPI, routing rule (Wang et al. 2023); layer and covariance **(ours)**",
            initialise="random",
            train="isolated",
            route="mahalanobis",
            compose="select",
        ),
        Recipe(
            name="s-prompts",
            summary="one adapter per task, chosen by the nearest of five centres per task",
            source="S-Prompts, routing rule alone (Wang et al. 2022); layer and pooling **(ours)**",
            initialise="random",
            train="isolated",
            route="kmeans",
            compose="select",
        ),
        Recipe(
            name="input-weighted",
            summary="all adapters merged by how near their tasks are: MoCL's weights, without its joint training",
            source="after MoCL, arXiv 2404.00790 **(ours)**",
            initialise="random",
            train="isolated",
            route="centroid",
            compose="merge",
            settings={"k": 1000, "temperature": 0.05},
        ),
        Recipe(
            name="average-merge",
            summary="DAM's adapters, all merged with equal weights: what routing has to beat",
            source="DAM, static merging baseline",
            initialise="previous",
            train="isolated",
            route="uniform",
            compose="merge",
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
        Recipe(
            name="replay",
            summary="a single adapter that rehearses a memory of earlier tasks",
            source="experience replay, Chaudhry et al. 2019",
            initialise="previous",
            train="replay",
            route="uniform",
            compose="select",
        ),
        Recipe(
            name="ewc",
            summary="a single adapter whose weights are held where earlier tasks need them",
            source="EWC, Kirkpatrick et al. 2017",
            initialise="previous",
            train="ewc",
            route="uniform",
            compose="select",
        ),
        Recipe(
            name="lwf",
            summary="a single adapter that keeps the answers of its earlier self",
            source="LwF, Li and Hoiem 2016",
            initialise="previous",
            train="lwf",
            route="uniform",
            compose="select",
        ),
        Recipe(
            name="joint",
            summary="a single adapter jointly trained on all tasks at once: not continual, what one adapter can learn",
            source="multi-task training",
            initialise="random",
            train="joint",
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
        Faults: a mix that cannot work, or fields that a recipe does not have.
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


def recipe_yaml(recipe: Recipe) -> str:
    """A recipe as the YAML file that `load_recipe` reads: to be kept, changed and shared."""
    fields = recipe.model_dump(mode="json")
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=120)


def _read_recipe(path: Path) -> Recipe:
    try:
        data = read_yaml(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TooLarge) as error:
        raise UserError(f"recipe file '{path}' cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f"recipe file '{path}' must hold a mapping with {', '.join(SLOTS)}")
    try:
        return Recipe.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        raise Faults(f"recipe file '{path}'", list(map(_fault, error.errors()))) from error


def _fault(problem: ErrorDetails) -> str:
    """What is wrong with a field of a recipe, in words."""
    field = ".".join(map(str, problem["loc"]))
    match problem["type"]:
        case "missing":
            return f"it lacks '{field}'; choose one of {', '.join(SLOTS[field])}"
        case "extra_forbidden":
            fields = list(Recipe.model_fields)
            return (
                f"'{cut(field)}' is no field of a recipe.{did_you_mean(field, fields)} Allowed: {', '.join(fields)}; "
                "settings stand under settings"
            )
        case _:
            return f"{cut(field)}={short(problem['input'])}: {allowed(problem)}"
