"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from cl_core.errors import UserError


def folder(name: str) -> Path:
    """A folder by a name that can be written down.

    Raises:
        UserError: there is no name, as where a script's variable is empty, or it is not UTF-8.
    """
    if not name:
        raise UserError("--workspace is empty; name a folder, which need not exist yet")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UserError(f"--workspace {name!a} is not UTF-8; name another folder") from None
    return Path(name)


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        help="Folder of runs [default: $ADAPTER_LAB_WORKSPACE, else ./workspace].",
        parser=folder,
        metavar="PATH",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")]
NameArgument = Annotated[
    str, typer.Argument(help="Name of the run; 'adapter-lab runs' lists them.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:0.")]

SlotOption = Annotated[str | None, typer.Option(help="Exchange this slot of the recipe.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Any setting, such as --set epochs=1 --set limit=60; 'adapter-lab settings' lists them.",
    ),
]


Allowed = TypeVar("Allowed", bound=str)
PROTOCOLS: tuple[Literal["til", "cil", "dil"], ...] = ("til", "cil", "dil")
PRECISIONS: tuple[Literal["auto", "float32", "bfloat16"], ...] = ("auto", "float32", "bfloat16")
"""Here and not where they are used: `cl_core.device` imports torch, for which `--help` would wait."""


def one_of(option: str, value: str | None, allowed: tuple[Allowed, ...]) -> Allowed | None:
    """Returns the value if it is allowed; raises `UserError` with those that are."""
    if value is None:
        return None
    for choice in allowed:
        if choice == value:
            return choice
    raise UserError(f"{option} is '{value}'; choose one of {', '.join(allowed)}")
