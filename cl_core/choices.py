"""A slot's choices as a table that one can read: each row says everything about its choice.

Each of the slots (initialise, train, route, compose) has one `Table`. Whoever wants to know what a choice is, from the
command line's help over plans and forms to the texts of a page, asks its row, never its name: a new choice is one file
and one row. Rows name their class as text and import it only when it is used: listing the choices needs no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, Literal, TypeVar, cast

from cl_core.errors import UserError, did_you_mean

Need = Literal["features", "memory", "task id", "training", "fishers"]
"""features: of the frozen backbone; memory: samples kept of every task; task id: known at test; training: a phase of
its own, beside the adapters'; fishers: diagonal Fisher information."""

Loaded = TypeVar("Loaded")
"""What the rows of a table load: the protocol of its slot."""
Traits = TypeVar("Traits")
"""What the rows of a table say of their choices beside their needs: a frozen class of its slot."""


@dataclass(frozen=True)
class Choice(Generic[Loaded, Traits]):
    """One row of a slot's table.

    Attributes:
        name: what recipes and the command line call it.
        target: "module:attribute", imported by `load`.
        summary: one sentence for menus and help.
        source: paper and section, or "(ours)".
        traits: what it is, in the words of its slot; each slot's `traits.py` says which there are.
        needs: what it cannot work without, see `Need`.
    """

    name: str
    target: str
    summary: str
    source: str
    traits: Traits
    needs: tuple[Need, ...] = ()

    def load(self) -> Loaded:
        """Imports and returns the class or function that the row names."""
        module, _, attribute = self.target.partition(":")
        return cast("Loaded", getattr(import_module(module), attribute))


class Table(Mapping[str, Choice[Loaded, Traits]]):
    """The choices of one slot, by name, in the order in which they are listed to people."""

    def __init__(self, slot: str, choices: Sequence[Choice[Loaded, Traits]]) -> None:
        self.slot = slot
        self._rows = {choice.name: choice for choice in choices}
        if len(self._rows) != len(choices):
            raise ValueError(f"two choices of slot '{slot}' share a name")

    def __getitem__(self, name: str) -> Choice[Loaded, Traits]:
        """Returns the row.

        Raises:
            UserError: no such choice; the message lists those that there are.
        """
        if name not in self._rows:
            raise UserError(
                f"there is no {self.slot} '{name}'; choose one of {', '.join(self._rows)}."
                f"{did_you_mean(name, self._rows)}"
            )
        return self._rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, name: str) -> Loaded:
        """Imports and returns what the row `name` stands for; raises `UserError` for an unknown name."""
        return self[name].load()

    def add(self, choice: Choice[Loaded, Traits]) -> None:
        """Lists one choice more, behind the others; the same row again changes nothing.

        Raises:
            UserError: another choice has that name.
        """
        if self._rows.get(choice.name, choice) != choice:
            raise UserError(
                f"there is a {self.slot} '{choice.name}' already, of {self._rows[choice.name].target}; "
                f"call the one of {choice.target} something else"
            )
        self._rows[choice.name] = choice
