"""The rows of a recipe's choices that are none of the lab's own, kept beside the run that was made with them.

`choices.json` says what such a choice is, so that the run's pages and reports say it where its code is not installed.
It is read as data: no module is imported that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from cl_core.adapters.compose.traits import CompositionTraits
from cl_core.bounded_files import read_json
from cl_core.choices import MissingChoice, Need
from cl_core.initialise.traits import InitialiserTraits
from cl_core.limits import TooLarge
from cl_core.recipes.recipe import SLOTS, Recipe
from cl_core.route.traits import RouterTraits
from cl_core.train.traits import TrainerTraits

FILE = "choices.json"
OURS = "cl_core."
"""How the targets of the lab's own rows begin."""
TRAITS: Mapping[str, type[Any]] = {
    "initialise": InitialiserTraits,
    "train": TrainerTraits,
    "route": RouterTraits,
    "compose": CompositionTraits,
}


def kept(recipe: Recipe) -> dict[str, Any]:
    """The rows of a recipe's choices from outside, as `choices.json` holds them; empty where there are none."""
    rows = {slot: table.find(getattr(recipe, slot)) for slot, table in SLOTS.items()}
    return {
        slot: asdict(row)
        for slot, row in rows.items()
        if row is not None and not row.target.startswith(OURS)
    }


def recall(folder: Path, recipe: Recipe) -> None:
    """Makes known what a run's folder says of choices that are not installed here; what cannot be read is left out."""
    missing = [slot for slot, table in SLOTS.items() if getattr(recipe, slot) not in table]
    if not missing or not (folder / FILE).is_file():
        return
    try:
        rows = read_json(folder / FILE)
        for slot in missing:
            row = rows[slot]
            name, target, summary, source = (
                str(row[field]) for field in ("name", "target", "summary", "source")
            )
            traits = TypeAdapter(TRAITS[slot]).validate_python(row["traits"])
            needs = TypeAdapter(tuple[Need, ...]).validate_python(row["needs"])
            if name == getattr(recipe, slot):
                SLOTS[slot].remember(MissingChoice(name, target, summary, source, traits, needs))
    except (OSError, ValueError, LookupError, TypeError, TooLarge):
        return  # the run then says that there is no such choice
