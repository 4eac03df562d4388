"""A recipe: one choice for each of the four slots, and which mixes cannot work.

Any mix is a recipe: `Recipe(initialise="improvised", train="isolated", route="learned", compose="average")`.
The named ones are in `recipes.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from cl_core.adapters.compose import COMPOSITIONS
from cl_core.choices import Table
from cl_core.errors import Faults, did_you_mean
from cl_core.initialise import INITIALISERS
from cl_core.route import ROUTERS
from cl_core.settings import Settings
from cl_core.train import TRAINERS

if TYPE_CHECKING:
    from cl_core.lab.run_settings import RunSettings

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

    @property
    def told_the_task(self) -> bool:
        """Whether every sample's true task is given to the router: an upper bound, no rival of the others."""
        return self.route == "oracle"

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
        faults += self._impossible()
        if faults:
            raise Faults(f"recipe '{self.name}'", faults)

    def _impossible(self) -> list[str]:
        """Combinations that cannot work, each with its reason."""
        faults = []
        if self.train != "isolated":
            start = "random" if self.train == "joint" else "previous"
            if self.initialise != start:
                faults.append(
                    f"initialise: '{self.initialise}' cannot go with train: {self.train}, which keeps one adapter for "
                    f"all tasks; use initialise: {start}"
                )
            if self.route != "uniform":
                faults.append(
                    f"route: '{self.route}' has nothing to choose with train: {self.train}, which keeps one adapter; "
                    "use route: uniform"
                )
            if self.compose != "select":
                faults.append(
                    f"compose: '{self.compose}' has nothing to compose with train: {self.train}, which keeps one "
                    "adapter; use compose: select"
                )
            return faults
        if self.route == "learned" and self.compose not in LEARNABLE:
            faults.append(
                f"compose: '{self.compose}' passes no gradient on to the weights, so route: learned cannot be trained "
                f"through it; use compose: {' or '.join(LEARNABLE)}"
            )
        if self.compose == "fusion" and self.route != "oracle":
            faults.append(
                f"compose: fusion belongs to one task and must be told which; route: '{self.route}' does not know the "
                "task id; use route: oracle"
            )
        if self.compose == "select" and self.route in ("uniform", "fixed"):
            faults.append(
                f"compose: select with route: '{self.route}' gives every sample the same one adapter; use compose: "
                "merge or average, or another route"
            )
        return faults

    def check_settings(self, settings: RunSettings) -> None:
        """Refuses settings under which the recipe cannot work.

        Raises:
            Faults: each with its reason.
        """
        faults = []
        memory = settings.memory
        asks = [
            slot
            for slot in ("train", "route")
            if "memory" in SLOTS[slot][getattr(self, slot)].needs
        ]
        for slot in asks:
            if memory.memory == 0:
                faults.append(
                    f"{slot}: '{getattr(self, slot)}' learns from a memory of earlier tasks, and memory=0 keeps none; "
                    "set memory to a share between 0.001 and 0.5, such as --set memory=0.1"
                )
        if "train" in asks and memory.memory_selection == "uncertainty":
            faults.append(
                "memory_selection=uncertainty asks each task's own model, and train: replay has none; choose another"
            )
        if self.route == "fixed" and settings.router.weights is None:
            faults.append("route: fixed needs one weight per task, as in --set weights=[0.5,0.5,0]")
        if faults:
            raise Faults(f"recipe '{self.name}'", faults)


LEARNABLE = ("average", "merge")
"""Compositions that are differentiable in the weights."""
