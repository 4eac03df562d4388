"""A slot's choices as a table that one can read.

Each of the slots (initialise, train, route, compose) has one `Table`. The command line's help, the app's menus and the
validation errors all read it, so a new choice is one file and one row. Rows name their class as text and import it
only when it is used: listing the choices needs no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from cl_core.errors import UserError, did_you_mean

Need = Literal["features", "memory", "task id", "training", "fishers"]
"""features: of the frozen backbone; memory: samples kept of every task; task id: known at test; training: a phase of
its own after the adapters'; fishers: the diagonal Fisher information of every adapter."""


@dataclass(frozen=True)
class Choice:
    """One row of a slot's table.

    Attributes:
        name: what recipes and the command line call it.
        target: "module:attribute", imported by `load`.
        summary: one sentence for menus and help.
        source: paper and section, or "(ours)".
        needs: what it cannot work without, see `Need`; recipes are checked against it.
    """

    name: str
    target: str
    summary: str
    source: str
    needs: tuple[Need, ...] = ()

    def load(self) -> Any:
        """Imports and returns the class or function that the row names."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)


class Table(Mapping[str, Choice]):
    """The choices of one slot, by name, in the order in which they are listed to people."""

    def __init__(self, slot: str, choices: Sequence[Choice]) -> None:
        self.slot = slot
        self._rows = {choice.name: choice for choice in choices}
        if len(self._rows) != len(choices):
            raise ValueError(f"two choices of slot '{slot}' share a name")

    def __getitem__(self, name: str) -> Choice:
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

    def load(self, name: str) -> Any:
        """Imports and returns what the row `name` stands for; raises `UserError` for an unknown name."""
        return self[name].load()
