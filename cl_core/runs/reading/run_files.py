"""Files of a run folder as they are read: of one that cannot be, the error names the file and says what to do.

Whatever is wrong with a file (cut short, another encoding, nested without end, something else altogether, edited since
the run wrote it, numbers that cannot be) is a `DamagedFile`, so that one run that is damaged stops nothing that looks
at all runs.
"""

from __future__ import annotations

import errno
import json
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from cl_core import bounded_files
from cl_core.bounded_files import load_yaml, read_bytes
from cl_core.errors import UserError
from cl_core.limits import EVENTS_BYTES, TABLE_ROWS, YAML_BYTES, TooLarge
from cl_core.runs.events import AnyEvent, read_events
from cl_core.runs.reading import possible_events, possible_numbers, possible_rows, run_hashes
from cl_core.runs.run_config import RunConfig
from cl_core.settings import allowed
from cl_core.table_sizes.table_limits import check_parquet

if TYPE_CHECKING:
    import pyarrow

ANEW = "'adapter-lab resume {run}' writes it anew"
MENDING = {
    "run.yaml": "put a copy of it back, or remove {folder} and run it again",
    "events.jsonl": "put a copy of it back, or remove the file and 'adapter-lab resume {run}'",
    "lost.parquet": "'adapter-lab explain {run}' writes it anew",
    "lost-hashes.json": "'adapter-lab explain {run}' writes it anew",
    "choices.json": "put a copy of it back, or remove {folder} and run it again",
}
"""What to do about a damaged file, where it is not `ANEW`."""
COLUMNS = {
    "scores": ("stage", "task", "metric", "value", "samples"),
    "routing": ("stage", "sample_id", "true_task", "weights", "prediction", "label"),
    "lost": ("stage", "sample_id", "true_task", "own", "first", "run"),
}
"""Of tables, by name: those that everything which reads them needs."""
KEY, NAME = re.compile(r"[0-9a-f]{64}"), re.compile(r"[a-z][a-z0-9_-]*/")
"""Of an artifact, as the store has it, and as a run calls it."""
NO_MAPPING = "it holds no names with values"
MOST_SAID = 200
MOST_KEPT = 4 * 2**20
"""Bytes of events that are kept once they are read; they take ten times as many."""


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


class DamagedList(DamagedFile):
    """A list of hashes cannot be read: a run can be resumed all the same, which writes it anew."""


def read_config(file: Path) -> RunConfig:
    """What `run.yaml` says.

    Raises:
        DamagedFile: it is missing or is not one.
    """
    try:
        config = _config(read_bytes(file, YAML_BYTES), file.name)
    except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError, TooLarge) as error:
        raise DamagedFile(file, error) from error
    with suppress(DamagedList):
        check_hash(file)
    return config


@lru_cache(maxsize=128)
def _config(content: bytes, name: str) -> RunConfig:
    """What the bytes of a `run.yaml` say; read once, as pages ask for it at each drawing.

    Args:
        content: of the file.
        name: of the file, for the sentence of a refusal.
    """
    said = load_yaml(content.decode("utf-8"), f"'{name}'")
    if not isinstance(said, dict):
        raise TypeError(NO_MAPPING)
    return RunConfig(**said)


def read_event_list(file: Path) -> list[AnyEvent]:
    """All events; empty where there is no such file.

    Raises:
        DamagedFile: it is not UTF-8, or a number or moment in it cannot be.
    """
    if not lexists(file):
        return []
    try:
        content = read_bytes(file, EVENTS_BYTES)
        read = _events if len(content) <= MOST_KEPT else _events.__wrapped__
        events, fault = read(content)
    except (OSError, ValueError, TooLarge) as error:
        raise DamagedFile(file, error) from error
    with suppress(DamagedList):
        check_hash(file)
    if fault:
        raise DamagedFile(file, fault)
    return list(events)


@lru_cache(maxsize=8)
def _events(content: bytes) -> tuple[tuple[AnyEvent, ...], str]:
    """The events in the bytes of an `events.jsonl`, and what of them cannot be; a list of runs asks six times for each.

    Raises:
        ValueError: as `read_events`.
    """
    events = tuple(read_events(content))
    return events, possible_events.of_events(events)


def read_json(file: Path) -> dict[str, Any]:
    """A mapping; empty where there is no such file.

    Raises:
        DamagedFile: it holds none.
    """
    if not lexists(file):
        check_hash(file)
        return {}
    try:
        content = bounded_files.read_json(file)
    except (OSError, ValueError, TooLarge) as error:
        raise DamagedFile(file, error) from error
    if not isinstance(content, dict):
        raise DamagedFile(file, TypeError(NO_MAPPING))
    check_hash(file)
    return content


def read_artifacts(file: Path) -> dict[str, str]:
    """Name to key; empty where there is no such file.

    Raises:
        DamagedFile: it holds none.
    """
    keys = read_json(file)
    odd = [
        name
        for name, key in keys.items()
        if not isinstance(key, str) or not KEY.fullmatch(key) or not NAME.match(name)
    ]
    if odd:
        raise DamagedFile(file, TypeError(f"'{odd[0]}' is no key of the store"))
    return keys


def read_hash_list(folder: Path, name: str = run_hashes.HASHES) -> run_hashes.RunHashes | None:
    """One of a run's lists of hashes; None where there is none.

    Raises:
        DamagedFile: it is none.
    """
    try:
        return run_hashes.read_hashes(folder, name)
    except (OSError, ValueError, TypeError, TooLarge) as error:
        raise DamagedList(folder / name, error) from error


def check_hash(file: Path, large: bool = True) -> None:
    """Whether a file is what its run wrote; one without a hash is believed.

    Args:
        file: in a run's folder.
        large: whether files above `run_hashes.SMALL` are hashed too.

    Raises:
        DamagedFile: it is not, or the list of hashes is damaged.
    """
    hashes = read_hash_list(file.parent, run_hashes.list_of(file.name))
    try:
        fault = run_hashes.fault_of(file, hashes, large)
    except OSError as error:
        raise DamagedFile(file, error) from error
    if fault:
        raise DamagedFile(file, fault)


def hashed_files(folder: Path) -> list[str]:
    """Names of the files of a run that have a hash.

    Raises:
        DamagedFile: a list of hashes is none.
    """
    lists = [read_hash_list(folder, name) for name in (run_hashes.HASHES, run_hashes.LOST_HASHES)]
    return sorted({name for hashes in lists if hashes is not None for name in hashes.files})


def read_table(file: Path, config: RunConfig | None = None, counted: bool = False) -> pyarrow.Table:
    """The rows of one of `COLUMNS`.

    Args:
        file: which.
        config: of its run, whose rows they must be; None where that is not known.
        counted: whether each task must have as many samples as the run knows of it.

    Raises:
        DamagedFile: it is none, lacks a column, is not what the run wrote, or has rows or numbers that cannot be.
    """
    import pyarrow.parquet

    try:
        _check_regular(file)
        check_parquet(file, f"'{file.name}'")
        with pyarrow.parquet.ParquetFile(file) as opened:
            table = opened.read()
    except MemoryError:  # which pyarrow's is too
        raise
    except (OSError, pyarrow.ArrowException, TooLarge) as error:
        raise DamagedFile(file, error) from error
    _check_columns(file, table.column_names)
    check_hash(file)
    try:
        fault = possible_numbers.of_table(file.stem, table)
        if config is not None:
            fault = fault or possible_rows.of_config(file.stem, table, config)
            if counted:
                fault = fault or possible_rows.of_counts(file.stem, table, config)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:  # columns of other kinds
        raise DamagedFile(file, error) from error
    if fault:
        raise DamagedFile(file, fault)
    return table


def check_table(file: Path) -> None:
    """Reads a table's end, where its columns are listed with their extremes; its rows where one of those cannot be.

    Raises:
        DamagedFile: it is none, lacks a column, is not what the run wrote, or has a number that cannot be.
    """
    import pyarrow.parquet

    try:
        _check_regular(file)
        metadata = pyarrow.parquet.read_metadata(file)
        TABLE_ROWS.check(f"'{file.name}'", metadata.num_rows)
        names = metadata.schema.to_arrow_schema().names
        doubtful = not possible_numbers.in_extremes(file.stem, metadata)
    except MemoryError:
        raise
    except (OSError, pyarrow.ArrowException, TooLarge) as error:
        raise DamagedFile(file, error) from error
    _check_columns(file, names)
    check_hash(file, large=False)
    if doubtful:
        read_table(file)


def _check_regular(file: Path) -> None:
    if not stat.S_ISREG(
        file.stat().st_mode
    ):  # pyarrow would read the files of a folder, and wait for a pipe
        raise bounded_files.NoRegularFile("it is no regular file")


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
        case OSError(errno=errno.ELOOP):
            said = "its links lead in a circle"
        case FileNotFoundError():
            said = "it is not there, or is a link to what is not"
        case RecursionError():
            said = "it is nested too deeply"
        case ValidationError():
            first, *others = why.errors()
            field = ".".join(map(str, first["loc"]))
            said = f"{field}: {allowed(first)}" + (f", and {len(others)} more" if others else "")
        case json.JSONDecodeError():
            said = f"it is no JSON ({why})"
        case _:
            # pyarrow begins with the file's whole path
            said = re.sub(r"^Could not open [^']*'[^']*': ", "", " ".join(str(why).split())).rstrip(
                "."
            )
    return f"cannot be read: {said[:MOST_SAID]}"
