"""A slot's choices as a table that one can read: each row says everything about its choice.

Each of the slots (initialise, train, route, compose) has one `Table`. Whoever wants to know what a choice is, from the
command line's help over plans and forms to the texts of a page, asks its row, never its name: a new choice is one file
and one row. Rows name their class as text and import it only when it is used: listing the choices needs no torch.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

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


@dataclass(frozen=True)
class MissingChoice(Choice[Loaded, Traits]):
    """A row that a run brought along, of a choice whose code is not here: it says what that is, and loads nothing.

    Never, not even where a module of that name can be imported: a run may come from anybody.
    """

    def load(self) -> Loaded:
        """Refuses.

        Raises:
            UserError: always; the message names the code.
        """
        raise UserError(
            f"the code of '{self.name}' ({self.target}) is not installed here: what was made with it can be looked at, "
            "and nothing can be computed; install the distribution that has it (docs/extending/README.md)"
        )


Row = TypeVar("Row", bound="NamedRow")


class NamedRow(Protocol):
    """A row of any list: of a slot, of the numbers, or of the architectures."""

    @property
    def name(self) -> str:
        """What it is called by."""
        ...


class NamedRows(Mapping[str, Row]):
    """Rows by name, in the order in which they are listed to people; behind the lab's own stand those of others.

    Others add theirs by `register`, or by an entry point of the group `adapter_lab.choices`, which every process of
    the lab reads once: a function without arguments that returns rows. Its module imports no torch.

    Args:
        what: what a row is, for errors.
        rows: the lab's own.
        kind: by which rows of this list are told from those of others: the class of their traits, or their own.
    """

    def __init__(self, what: str, rows: Sequence[Row], kind: type) -> None:
        self.what = what
        self._rows: dict[str, Row] = {row.name: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError(f"two choices of slot '{what}' share a name")
        self._kind = kind
        self._missing: dict[str, Row] = {}
        self._complete = False
        _LISTS[kind] = self

    @property
    def present(self) -> tuple[Row, ...]:
        """The rows that are here now, without looking for those of others."""
        return tuple(self._rows.values())

    @property
    def _all(self) -> dict[str, Row]:
        """The rows, with those that installed distributions add."""
        if not self._complete:
            self._complete = True
            for row in installed():
                if _kind(row) is self._kind:
                    try:
                        self.add(cast("Row", row))
                    except UserError as error:  # the lab goes on without it
                        warnings.warn(f"an installed row is left out: {error}", stacklevel=2)
        return self._rows

    def __getitem__(self, name: str) -> Row:
        """Returns the row.

        Raises:
            UserError: no such row; the message lists those that there are.
        """
        if name not in self._all and name in self._missing:
            return self._missing[name]
        if name not in self._all:
            raise UserError(
                f"there is no {self.what} '{name}'; choose one of {', '.join(self._all)}."
                f"{did_you_mean(name, self._all)}"
            )
        return self._rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def find(self, name: str) -> Row | None:
        """The row, or None where there is no such."""
        return self._all.get(name)

    def remember(self, row: Row) -> None:
        """Knows a row that is not listed, for what was made with it elsewhere: nobody can choose it."""
        self._missing[row.name] = row

    def add(self, row: Row) -> None:
        """Lists one row more, behind the others; the same row again changes nothing.

        Raises:
            UserError: another row has that name.
        """
        if self._all.get(row.name, row) != row:
            raise UserError(
                f"there is a {self.what} '{row.name}' already; call yours something else"
            )
        self._rows[row.name] = row


class Table(NamedRows[Choice[Loaded, Traits]]):
    """The choices of one slot.

    Args:
        slot: what a choice of it is called.
        choices: the lab's own.
        traits: the class of their traits.
    """

    def __init__(
        self, slot: str, choices: Sequence[Choice[Loaded, Traits]], traits: type[Traits]
    ) -> None:
        super().__init__(slot, choices, traits)

    @property
    def slot(self) -> str:
        """What a choice is called."""
        return self.what

    def load(self, name: str) -> Loaded:
        """Imports and returns what the row `name` stands for; raises `UserError` for an unknown name."""
        return self[name].load()


GROUP = "adapter_lab.choices"
"""Of entry points that add rows."""
_LISTS: dict[type, NamedRows[Any]] = {}
"""The lists of this process, by the kind of their rows."""


def register(*rows: Any) -> None:
    """Adds choices of the slots, numbers or architectures to this process, such as a notebook.

    Runs in the background and the app's workers are processes of their own; for them, install the rows as entry points
    (see `NamedRows`).

    Args:
        rows: a `Choice` with the traits of its slot, a `Metric`, or an `Architecture`.

    Raises:
        UserError: what is no row of any list, or has the name of another.
    """
    for row in rows:
        slot = _LISTS.get(_kind(row))
        if slot is None:
            raise UserError(
                f"{row!r} is no row: give a Choice with RouterTraits, TrainerTraits, CompositionTraits or "
                "InitialiserTraits, a Metric, or an Architecture"
            )
        slot.add(row)


@cache
def installed() -> tuple[Any, ...]:
    """The rows that installed distributions add; what cannot be read is left out, and a warning says whose it is."""
    rows: list[Any] = []
    for entry in entry_points(group=GROUP):
        try:
            rows += entry.load()()
        except Exception as error:  # noqa: BLE001 - code of others must not end the lab
            whose = entry.dist.name if entry.dist else "unknown"
            warnings.warn(
                f"the choices '{entry.name}' of {whose} ({entry.value}) are left out: {error!r}",
                stacklevel=2,
            )
    return tuple(rows)


def _kind(row: Any) -> type:
    """The class of a choice's traits; of other rows their own."""
    return type(row.traits) if isinstance(row, Choice) else type(row)
