"""A run's folder: what it was made with, what happened, what came of it, and whether all of it can be read.

Reading a run needs no torch. A run folder explains itself: copied elsewhere, it still shows all its results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, partial
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from cl_core.errors import UserError
from cl_core.recipes import outside
from cl_core.runs import run_hashes
from cl_core.runs.events import (
    AnyEvent,
    EpochEvent,
    EvaluationEvent,
    Event,
    FailureEvent,
    FinishEvent,
    KillEvent,
    StopEvent,
    WarningEvent,
    append_event,
)
from cl_core.runs.kill_words import KEPT, UNKNOWN_END, kill_words
from cl_core.runs.run_config import RunConfig, stream_in
from cl_core.runs.run_files import (
    COLUMNS,
    DamagedFile,
    check_hash,
    check_table,
    hashed_files,
    read_artifacts,
    read_config,
    read_event_list,
    read_hash_list,
    read_json,
    read_table,
)
from cl_core.store import is_held
from cl_core.store.atomic_writes import json_bytes

if TYPE_CHECKING:
    import pyarrow

Status = Literal["finished", "running", "stopped", "failed", "interrupted", "damaged"]
Stamp = tuple[tuple[str, int, int, int, int], ...]
"""Name, size, times and inode of each file: an edit may put the time back, but not the time of that."""


class RunFolder:
    """One run on disk.

    Args:
        path: its folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.on_event: Callable[[Event], None] = lambda event: None

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

    def create(self, config: RunConfig) -> None:
        """Writes what is known before anything runs."""
        self.path.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        self.write("run.yaml", text.encode())
        if kept := outside.kept(config.recipe):
            self.write(outside.FILE, json_bytes(kept))

    def write(self, name: str, content: bytes) -> None:
        """Replaces one of its files, atomically, and the file's hash with it."""
        run_hashes.write_hashed(self.path, name, content)

    def take_up(self) -> None:
        """Before a process carries it out: what is not as it was written is not vouched for any more."""
        run_hashes.begin(self.path)

    def seal(self) -> None:
        """After a process carried it out: vouches for what happened."""
        run_hashes.seal(self.path)

    @property
    def lock_path(self) -> Path:
        """Held by the process that carries the run out."""
        return self.path / "run.lock"

    @property
    def events(self) -> list[AnyEvent]:
        """All events so far.

        Raises:
            DamagedFile: they cannot be read.
        """
        return read_event_list(self.path / "events.jsonl")

    def record(self, event: Event) -> None:
        """Appends an event, and calls `on_event` of this process."""
        append_event(self.path / "events.jsonl", event)
        self.on_event(event)

    def warn(self, message: str) -> None:
        """Says something that a person should know; a run that goes on does not say it again."""
        if not any(
            isinstance(event, WarningEvent) and event.message == message for event in self.events
        ):
            self.record(WarningEvent(message=message))

    @property
    def stamp(self) -> Stamp:
        """What changes when the run does."""
        names = (
            *("run.yaml", "events.jsonl", "artifacts.json", "environment.json", outside.FILE),
            *(run_hashes.HASHES, run_hashes.LOST_HASHES),
        )
        files = [self.path / name for name in (*names, *(f"{name}.parquet" for name in COLUMNS))]
        stats = [(file.name, file.stat()) for file in files if file.is_file()]
        return tuple(
            (name, its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_ino) for name, its in stats
        )

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

    @property
    def status(self) -> Status:
        """`interrupted`: its process was killed; `damaged`: see `fault`. All but `running` can be resumed."""
        if is_held(self.lock_path):
            return "running"
        if self.exists and self.fault:
            return "damaged"
        events = self.events
        match events[-1] if events else None:
            case FinishEvent():
                return "finished"
            case StopEvent():
                return "stopped"
            case FailureEvent():
                return "failed"
            case _:
                return "interrupted"

    @property
    def learnt(self) -> bool:
        """Whether anything was learnt or scored: what came of the stream's data, and binds the run to them."""
        if (self.path / "scores.parquet").is_file():
            return True
        return any(isinstance(event, EpochEvent | EvaluationEvent) for event in self.events)

    @property
    def failure(self) -> str:
        """What it said when it failed, how it was killed, that it ended without a word, or what is damaged; else ""."""
        status = self.status
        if status == "damaged":
            return self.fault
        events = self.events
        last = events[-1] if events else None
        if status == "interrupted":
            ended = kill_words(last.signal) if isinstance(last, KillEvent) else UNKNOWN_END
            return f"{ended}. {KEPT}; resume it with: adapter-lab resume {self.name}"
        return last.message if status == "failed" and isinstance(last, FailureEvent) else ""

    @property
    def _stop_file(self) -> Path:
        return self.path / "stop.request"

    def request_stop(self) -> None:
        """Asks the process that carries the run out to stop; it answers before its next step."""
        self._stop_file.touch()

    def clear_stop(self) -> None:
        """Takes a request back; whoever takes the run up starts with none."""
        self._stop_file.unlink(missing_ok=True)

    def stop_requested(self) -> bool:
        """Whether somebody asked."""
        return self._stop_file.exists()

    def write_environment(self, environment: dict[str, Any]) -> None:
        """Replaces `environment.json`: where the run is carried out now."""
        self.write("environment.json", json_bytes(environment))

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

    def write_artifacts(self, names: dict[str, str]) -> None:
        """Replaces the list of artifacts, and vouches for those that its model is made of."""
        self.write("artifacts.json", json_bytes(names))
        run_hashes.list_artifacts(self.path, names)

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

    def table(self, name: Literal["scores", "routing", "lost"]) -> pyarrow.Table:
        """Returns `scores.parquet`, `routing.parquet`, or `lost.parquet` where it was asked for (`oracle_answers.py`).

        Raises:
            UserError: the run has not come that far.
            DamagedFile: it cannot be read.
        """
        file = self.path / f"{name}.parquet"
        if not lexists(file):
            said = f": {self.failure}" if self.failure else ""
            raise UserError(f"run '{self.name}' has no {name} yet: it is {self.status}{said}")
        return read_table(file, self._config_or_none())

    def _config_or_none(self) -> RunConfig | None:
        try:
            return self.config
        except DamagedFile:  # it is said where that is read
            return None


@lru_cache(maxsize=4096)
def _fault(path: Path, stamp: Stamp) -> str:
    """Of a run's folder; `stamp` says whether its files are still the same."""
    try:
        for check in _checks(RunFolder(path), whole=False):
            check()
    except DamagedFile as error:
        return error.said
    return ""


def _checks(run: RunFolder, whole: bool) -> Iterator[Callable[[], object]]:
    """What reads the files of a run, each of its own; one that came to its end has scores.

    Args:
        run: its folder.
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


def _read_whole(run: RunFolder, file: Path) -> None:
    read_table(file, run._config_or_none(), counted=True)


def _check_rest(run: RunFolder, whole: bool) -> None:
    for name in run.hashed:
        check_hash(run.path / name, whole)
    scores, events = run.path / "scores.parquet", run.events
    if events and isinstance(events[-1], FinishEvent) and not scores.is_file():
        raise DamagedFile(scores, "is missing, though the run came to its end")
    if whole and events and isinstance(events[-1], FinishEvent):
        last = len(run.config.tasks)
        if last not in run.table("scores")["stage"].to_pylist():
            said = f"holds no score after stage {last}, though the run came to its end"
            raise DamagedFile(scores, said)
