"""A recipe: one choice for each of the four slots, and which mixes cannot work.

Any mix is a recipe: `Recipe(initialise="improvised", train="isolated", route="learned", compose="average")`.
The named ones are in `named.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from cl_core.adapters.compose import COMPOSITIONS
from cl_core.adapters.compose.traits import CompositionTraits
from cl_core.choices import Choice, Table
from cl_core.errors import Faults, did_you_mean
from cl_core.initialise import INITIALISERS
from cl_core.initialise.traits import InitialiserTraits
from cl_core.recipes.plan import LONG, Needs, Step, make_plan
from cl_core.recipes.settings import RunSettings, group_names
from cl_core.route import ROUTERS
from cl_core.route.selections import MEMORIES
from cl_core.route.traits import RouterTraits
from cl_core.settings import Settings
from cl_core.train import TRAINERS
from cl_core.train.traits import TrainerTraits

if TYPE_CHECKING:
    from cl_core.adapters.compose.composition import Composition
    from cl_core.initialise.initialiser import Initialiser
    from cl_core.route.router import Router
    from cl_core.train.trainers import Trainer

SLOTS: dict[str, Table[Any, Any]] = {
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
    def initialiser(self) -> Choice[type[Initialiser], InitialiserTraits]:
        """The row of its initialiser; this and the next three raise `UserError` where there is none of that name."""
        return INITIALISERS[self.initialise]

    @property
    def trainer(self) -> Choice[type[Trainer], TrainerTraits]:
        """The row of its trainer."""
        return TRAINERS[self.train]

    @property
    def router(self) -> Choice[type[Router], RouterTraits]:
        """The row of its router."""
        return ROUTERS[self.route]

    @property
    def composition(self) -> Choice[Composition, CompositionTraits]:
        """The row of its composition."""
        return COMPOSITIONS[self.compose]

    @property
    def told_the_task(self) -> bool:
        """Whether every sample's true task is given to the router: an upper bound, no rival of the others."""
        return "task id" in self.router.needs

    @property
    def shares_adapter(self) -> bool:
        """Whether one adapter serves all tasks, so that there is nothing to route or compose."""
        return self.trainer.traits.shared

    @property
    def routes_inside(self) -> bool:
        """Whether routers inside the forward pass, learnt from the memory, weigh the adapters block by block (L2R)."""
        return self.router.traits.weights == "inside the pass"

    @property
    def ranks(self) -> bool:
        """Whether a sample's weights are the softmax of its k best scores, which k and a temperature decide."""
        return not self.shares_adapter and self.router.traits.weights == "soft top-k"

    @property
    def keeps_memory(self) -> bool:
        """Whether training samples of earlier tasks are kept."""
        return any("memory" in row.needs for row in (self.router, self.trainer))

    @property
    def reads_features(self) -> bool:
        """Whether the router or the initialiser looks at features of the frozen backbone."""
        return any("features" in row.needs for row in (self.router, self.initialiser))

    @property
    def settings_read(self) -> frozenset[str]:
        """Flat names of the settings that its choices read, beside those of backbone, data and so on that all read."""
        read: set[str] = set()
        rows = (self.initialiser, self.trainer, self.router, self.composition)
        for name in (name for row in rows for name in row.traits.settings):
            read |= group_names(name) or {name}
        return frozenset(read | group_names("memory") if self.keeps_memory else read)

    @property
    def what_ifs(self) -> dict[str, str]:
        """By field of a `WhatIf`, why this recipe has no place for it; fields that it has a place for are left out."""
        if self.shares_adapter:
            why = f"recipe {self.name} keeps one adapter for all tasks: there is nothing to choose."
            return dict.fromkeys(("k", "temperature", "force", "uniform", "drop", "compose"), why)
        if self.routes_inside:
            return {
                "k": "its routers weigh all adapters in every block: there is no k.",
                "temperature": "at test time its gates have no temperature.",
            }
        if not self.ranks:
            why = f"the router '{self.route}' makes no ranking that k and a temperature would cut and soften."
            return {"k": why, "temperature": why}
        return {}

    def plan(self, tasks: int, settings: RunSettings) -> list[Step]:
        """What a run of it does on a stream, step by step.

        Args:
            tasks: of the stream.
            settings: of the run.
        """
        stages = settings.network.router_stages
        often = stages == "all" or (stages == "auto" and tasks <= LONG)
        needs = Needs(
            features=self.reads_features,
            unseen=settings.evaluate.unseen,
            improvises=self.initialiser.traits.improvises,
            fuses=self.composition.traits.trained,
            routers=self.routes_inside,
            at_once=self.trainer.traits.all_at_once,
            every_stage=often or not self.routes_inside,
        )
        return make_plan(tasks, needs)

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
        faults = faults or self._impossible()  # what an unknown choice goes with nobody can say
        if faults:
            raise Faults(f"recipe '{self.name}'", faults)

    def _impossible(self) -> list[str]:
        """Combinations that cannot work, each with its reason."""
        only = self.trainer.traits.only_with
        if only:
            why = {
                "initialise": "cannot go with train: {train}, which keeps one adapter for all tasks",
                "route": "has nothing to choose with train: {train}, which keeps one adapter",
                "compose": "has nothing to compose with train: {train}, which keeps one adapter",
            }
            return [
                f"{slot}: '{getattr(self, slot)}' {why[slot].format(train=self.train)}; use {slot}: {choice}"
                for slot, choice in only.items()
                if getattr(self, slot) != choice
            ]
        faults = []
        if self.routes_inside and not self.composition.traits.differentiable:
            faults.append(
                f"compose: '{self.compose}' passes no gradient on to the weights, so route: {self.route} cannot be "
                f"trained through it; use compose: {' or '.join(learnable())}"
            )
        one_adapter = self.router.traits.weights == "one-hot"
        if "task id" in self.composition.needs and not (self.told_the_task and one_adapter):
            telling = [
                name
                for name, row in ROUTERS.items()
                if "task id" in row.needs and row.traits.weights == "one-hot"
            ]
            faults.append(
                f"compose: {self.compose} belongs to one task and must be told which; route: '{self.route}' does not "
                f"know the task id; use route: {' or '.join(telling)}"
            )
        if self.composition.traits.one_adapter and self.router.traits.weights == "same for all":
            faults.append(
                f"compose: {self.compose} with route: '{self.route}' gives every sample the same one adapter; use "
                "compose: merge or average, or another route"
            )
        return faults

    def check_settings(self, settings: RunSettings) -> None:
        """Refuses settings under which the recipe cannot work.

        Raises:
            Faults: each with its reason.
        """
        faults = []
        memory = settings.memory
        needs = {"train": self.trainer.needs, "route": self.router.needs}
        asks = {slot: str(getattr(self, slot)) for slot in needs if "memory" in needs[slot]}
        for slot, name in asks.items():
            if memory.memory == 0:
                faults.append(
                    f"{slot}: '{name}' learns from a memory of earlier tasks, and memory=0 keeps none; "
                    "set memory to a share between 0.001 and 0.5, such as --set memory=0.1"
                )
        if "train" in asks and "training" in MEMORIES[memory.memory_selection].needs:
            faults.append(
                f"memory_selection={memory.memory_selection} asks each task's own model, and train: {self.train} has "
                "none; choose another"
            )
        router_settings = settings.router
        faults += [
            f"route: {self.route} needs {what}"
            for name, what in self.router.traits.asks.items()
            if getattr(router_settings, name) is None
        ]
        if faults:
            raise Faults(f"recipe '{self.name}'", faults)


def learnable() -> list[str]:
    """Compositions that routers can be learnt through, by name."""
    return sorted(name for name, row in COMPOSITIONS.items() if row.traits.differentiable)
