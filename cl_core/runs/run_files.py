"""Files of a run folder as they are read: of one that cannot be, the error names the file and says what to do.

Whatever is wrong with a file (cut short, another encoding, nested without end, something else altogether) is a
`DamagedFile`, so that one run that is damaged stops nothing that looks at all runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from cl_core.errors import UserError
from cl_core.runs.events import AnyEvent, read_events
from cl_core.runs.run_config import RunConfig

if TYPE_CHECKING:
    import pyarrow

ANEW = "'adapter-lab resume {run}' writes it anew"
MENDING = {
    "run.yaml": "put a copy of it back, or remove {folder} and run it again",
    "events.jsonl": "put a copy of it back, or remove the file and 'adapter-lab resume {run}'",
    "lost.parquet": "'adapter-lab explain {run}' writes it anew",
}
"""What to do about a damaged file, where it is not `ANEW`."""
COLUMNS = {
    "scores": ("stage", "task", "metric", "value", "samples"),
    "routing": ("stage", "sample_id", "true_task", "weights", "prediction", "label"),
    "lost": ("stage", "sample_id", "true_task", "own", "first", "run"),
}
"""Of tables, by name: those that everything which reads them needs."""
NO_MAPPING = "it holds no names with values"
MOST_SAID = 200


class DamagedFile(UserError):
    """A file of a run cannot be read.

    Args:
        file: which.
        why: what is wrong with it.

    Attributes:
        fault: which file, and what is wrong with it.
        said: that, and what to do.
    """

    def __init__(self, file: Path, why: Exception | str) -> None:
        run = file.parent.name
        todo = MENDING.get(file.name, ANEW).format(run=run, folder=file.parent)
        self.fault = f"{file.name} {_reason(why)}"
        self.said = f"{self.fault}; {todo}"
        super().__init__(f"run '{run}': {self.said}")


def read_config(file: Path) -> RunConfig:
    """What `run.yaml` says.

    Raises:
        DamagedFile: it is missing or is not one.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError(NO_MAPPING)
        return RunConfig(**content)
    except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise DamagedFile(file, error) from error


def read_event_list(file: Path) -> list[AnyEvent]:
    """All events; empty where there is no such file.

    Raises:
        DamagedFile: it is not UTF-8.
    """
    try:
        return list(read_events(file))
    except (OSError, ValueError) as error:
        raise DamagedFile(file, error) from error


def read_json(file: Path) -> dict[str, Any]:
    """A mapping; empty where there is no such file.

    Raises:
        DamagedFile: it holds none.
    """
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFile(file, error) from error
    if not isinstance(content, dict):
        raise DamagedFile(file, TypeError(NO_MAPPING))
    return content


def read_artifacts(file: Path) -> dict[str, str]:
    """Name to key; empty where there is no such file.

    Raises:
        DamagedFile: it holds none.
    """
    keys = read_json(file)
    odd = [name for name, key in keys.items() if not isinstance(key, str)]
    if odd:
        raise DamagedFile(file, TypeError(f"'{odd[0]}' is no key of the store"))
    return keys


def read_table(file: Path) -> pyarrow.Table:
    """The rows of one of `COLUMNS`.

    Raises:
        DamagedFile: it is none, or lacks a column.
    """
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file, partitioning=None)
    except (OSError, pyarrow.ArrowException) as error:
        raise DamagedFile(file, error) from error
    _check_columns(file, table.column_names)
    return table


def check_table(file: Path) -> None:
    """Reads a table's end, where its columns are listed, and none of its rows.

    Raises:
        DamagedFile: it is none, or lacks a column.
    """
    import pyarrow.parquet

    try:
        names = pyarrow.parquet.read_schema(file).names
    except (OSError, pyarrow.ArrowException) as error:
        raise DamagedFile(file, error) from error
    _check_columns(file, names)


def _check_columns(file: Path, names: Iterable[str]) -> None:
    missing = [name for name in COLUMNS[file.stem] if name not in set(names)]
    if missing:
        raise DamagedFile(file, TypeError(f"it has no column '{missing[0]}'"))


def _reason(why: Exception | str) -> str:
    """In one line, without what only a programmer can read."""
    match why:
        case str():
            return why
        case UnicodeDecodeError():
            said = f"it is not UTF-8 (byte {why.object[why.start]:#04x} at {why.start})"
        case RecursionError():
            said = "it is nested too deeply"
        case ValidationError():
            first, *others = why.errors()
            field = ".".join(map(str, first["loc"]))
            said = f"{field}: {first['msg']}" + (f", and {len(others)} more" if others else "")
        case json.JSONDecodeError():
            said = f"it is no JSON ({why})"
        case _:
            # pyarrow begins with the file's whole path
            said = re.sub(r"^Could not open [^']*'[^']*': ", "", " ".join(str(why).split())).rstrip(
                "."
            )
    return f"cannot be read: {said[:MOST_SAID]}"
