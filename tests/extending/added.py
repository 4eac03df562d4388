"""What is looked at of all that the pages of docs/extending add: their rows, and recipes of them."""

from __future__ import annotations

from typing import Any

from cl_core import choices
from cl_core.adapters.compose import COMPOSITIONS
from cl_core.backbones.sites import ARCHITECTURES
from cl_core.evaluate.table import METRICS
from cl_core.initialise import INITIALISERS
from cl_core.recipes.recipe import Recipe
from cl_core.route import ROUTERS
from cl_core.train import TRAINERS

INSIDE = any(row.name == "nearest" for row in ROUTERS.present)
"""Whether the rows stand in the tables of this checkout, as in the copy that `test_pages.py` makes."""
TABLES: dict[str, choices.NamedRows[Any]] = {
    "nearest": ROUTERS,
    "anchor": TRAINERS,
    "total": COMPOSITIONS,
    "first": INITIALISERS,
    "worst_task": METRICS,
    "camembert": ARCHITECTURES,
}
"""By the name of what a page adds, the table that has it."""
SLOTS = ("nearest", "anchor", "total", "first")
"""Those that are choices of a slot."""
THEIRS = Recipe(
    name="theirs", initialise="first", train="isolated", route="nearest", compose="total"
)
ANCHORED = Recipe(
    name="anchored", initialise="previous", train="anchor", route="uniform", compose="select"
)
