"""Files of a run folder as they are read, but for its tables: whatever is wrong with one is a `DamagedFile`."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from os.path import lexists
from pathlib import Path
from typing import Any

import yaml

from cl_core import bounded_files
from cl_core.bounded_files import load_yaml, read_bytes
from cl_core.limits import EVENTS_BYTES, YAML_BYTES, TooLarge
from cl_core.runs.events import AnyEvent, read_events
from cl_core.runs.reading import possible_events, run_hashes
from cl_core.runs.reading.damaged_file import DamagedFile, DamagedList
from cl_core.runs.run_config import RunConfig

KEY, NAME = re.compile(r"[0-9a-f]{64}"), re.compile(r"[a-z][a-z0-9_-]*/")
"""Of an artifact, as the store has it, and as a run calls it."""
NO_MAPPING = "it holds no names with values"
MOST_KEPT = 4 * 2**20
"""Bytes of events that are kept once they are read; they take ten times as many."""


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
