"""A run's folder as it is read: its files, whether they can be believed, and since when they are the same."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, partial
from os.path import lexists
from pathlib import Path
from typing import Any

from cl_core.errors import UserError
from cl_core.recipes import outside
from cl_core.runs.events import AnyEvent, FinishEvent, StartEvent
from cl_core.runs.reading import run_hashes
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.reading.run_files import (
    check_hash,
    hashed_files,
    read_artifacts,
    read_config,
    read_event_list,
    read_hash_list,
    read_json,
)
from cl_core.runs.reading.run_tables import COLUMNS, check_table, read_table
from cl_core.runs.run_config import RunConfig, stream_in

Facts = tuple[str, int, int, int, int]
"""Name, size, times and inode of a file: an edit may put the time back, but not the time of that."""
Stamp = tuple[Facts, ...]
"""Of each file."""


class RunReader:
    """What lies in a run's folder.

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    @property
    def exists(self) -> bool:
        """Whether there is a run here."""
        return lexists(self.path / "run.yaml")  # a link that leads nowhere is a damaged one

    @cached_property
    def config(self) -> RunConfig:
        """Its recipe, settings and tasks.

        Raises:
            DamagedFile: `run.yaml` is missing or is not one.
        """
        config = read_config(self.path / "run.yaml")
        outside.recall(self.path, config.recipe)
        return config

    @property
    def stream_source(self) -> str:
        """A stream's name or file; of one that was on another machine, the file of that name in this workspace."""
        return stream_in(self.path.parents[1], self.config.stream)

    @property
    def events(self) -> list[AnyEvent]:
        """All events so far.

        Raises:
            DamagedFile: they cannot be read.
        """
        return read_event_list(self.path / "events.jsonl")

    @property
    def starts(self) -> int:
        """How often its work has begun.

        Raises:
            DamagedFile: its events cannot be read.
        """
        return sum(isinstance(event, StartEvent) for event in self.events)

    def environment(self) -> dict[str, Any]:
        """`environment.json`: versions and machine; empty where there is none.

        Raises:
            DamagedFile: it cannot be read.
        """
        return read_json(self.path / "environment.json")

    def artifacts(self) -> dict[str, str]:
        """Name to key in the store, "kind/task" or "kind/stage"; empty before the first one.

        Raises:
            DamagedFile: they cannot be read.
        """
        return read_artifacts(self.path / "artifacts.json")

    @property
    def stamp(self) -> Stamp:
        """What changes when the run does."""
        names = (
            *("run.yaml", "events.jsonl", "artifacts.json", "environment.json", outside.FILE),
            *(run_hashes.HASHES, run_hashes.LOST_HASHES),
        )
        files = (*names, *(f"{name}.parquet" for name in COLUMNS))
        return tuple(facts for name in files if (facts := _facts(self.path, name)))

    @property
    def fault(self) -> str:
        """Which of its files cannot be read, why, and what to do; "" where all can.

        Of tables the list of columns and their extremes are looked at, and of large files the sizes, once for as long
        as the files are the same: `check` reads and hashes all.
        """
        return _fault(self.path, self.stamp)

    def check(self) -> None:
        """Reads all its files.

        Raises:
            DamagedFile: one of them cannot be read.
        """
        for check in _checks(self, whole=True):
            check()

    def faults(self) -> list[str]:
        """Of each file that cannot be read or is not what the run wrote: which, why, and what to do; all are read."""
        said = []
        for check in _checks(self, whole=True):
            try:
                check()
            except DamagedFile as error:
                said.append(error.said)
        return list(dict.fromkeys(said))

    @property
    def hashed(self) -> list[str]:
        """Names of its files that have a hash; none of a run that was made before there were any.

        Raises:
            DamagedFile: a list of hashes cannot be read.
        """
        return hashed_files(self.path)

    def other_parts(self) -> list[str]:
        """Names of adapters, routers and other parts of its model that are not those which its numbers came from.

        By their `meta.json` in the store alone; what is missing there, or has no hash, is none of them.

        Raises:
            DamagedFile: the list of its artifacts or its hashes cannot be read.
        """
        hashes = read_hash_list(self.path)
        vouched, store = {} if hashes is None else hashes.artifacts, run_hashes.store_of(self.path)
        now = {
            name: run_hashes.meta_hash(store, name, key) for name, key in self.artifacts().items()
        }
        return [name for name in vouched if now.get(name) not in (None, vouched[name])]

    def check_parts(self) -> None:
        """Refuses a model with a part that is not what the run's numbers came from, though the store's hashes agree.

        Raises:
            UserError: a part was replaced; the message says what to do.
            DamagedFile: as `other_parts`.
        """
        if others := self.other_parts():
            raise UserError(
                f"run '{self.name}': {others[0]} in the store is another than its scores came from; "
                f"'adapter-lab resume {self.name}' computes it again"
            )

    def config_or_none(self) -> RunConfig | None:
        """`config`; None where it cannot be read."""
        try:
            return self.config
        except DamagedFile:  # it is said where that is read
            return None


def _facts(folder: Path, name: str) -> Facts | None:
    """Of one file; None where there is none. Without `pathlib`, as a thousand runs have ten files each."""
    try:
        its = os.stat(f"{folder}/{name}")  # noqa: PTH116 - see above
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(its.st_mode):
        return None
    return name, its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_ino


@lru_cache(maxsize=4096)
def _fault(path: Path, stamp: Stamp) -> str:
    """Of a run's folder; `stamp` says whether its files are still the same."""
    try:
        for check in _checks(RunReader(path), whole=False):
            check()
    except DamagedFile as error:
        return error.said
    return ""


def _checks(run: RunReader, whole: bool) -> Iterator[Callable[[], object]]:
    """What reads the files of a run, each of its own; one that came to its end has scores.

    Args:
        run: whose.
        whole: whether rows of tables are read and large files are hashed too.
    """
    yield lambda: run.config
    yield lambda: run.events
    yield run.artifacts
    yield run.environment
    for table in COLUMNS:
        file = run.path / f"{table}.parquet"
        if lexists(file):
            yield partial(_read_whole, run, file) if whole else partial(check_table, file)
    yield lambda: _check_rest(run, whole)


def _read_whole(run: RunReader, file: Path) -> None:
    read_table(file, run.config_or_none(), counted=True)


def _check_rest(run: RunReader, whole: bool) -> None:
    for name in run.hashed:
        check_hash(run.path / name, whole)
    scores, events = run.path / "scores.parquet", run.events
    if events and isinstance(events[-1], FinishEvent) and not scores.is_file():
        raise DamagedFile(scores, "is missing, though the run came to its end")
    if whole and events and isinstance(events[-1], FinishEvent):
        last = len(run.config.tasks)
        if last not in read_table(scores, run.config)["stage"].to_pylist():
            said = f"holds no score after stage {last}, though the run came to its end"
            raise DamagedFile(scores, said)
