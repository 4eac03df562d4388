"""A run's folder: what it was made with, what happened, what came of it, and whether all of it can be read.

Reading a run needs no torch. A run folder explains itself: copied elsewhere, it still shows all its results.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal

import yaml

from cl_core.errors import UserError
from cl_core.recipes import outside
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
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_files import (
    COLUMNS,
    DamagedFile,
    check_table,
    read_artifacts,
    read_config,
    read_event_list,
    read_json,
    read_table,
)
from cl_core.store import is_held, write_json, write_text

if TYPE_CHECKING:
    import pyarrow

Status = Literal["finished", "running", "stopped", "failed", "interrupted", "damaged"]
Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and time of each file."""


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
        return (self.path / "run.yaml").is_file()

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
        source = self.config.stream
        moved = self.path.parents[1] / "streams" / PureWindowsPath(source).name
        carried = source.endswith((".yaml", ".yml")) and not Path(source).is_file()
        return str(moved) if carried and moved.is_file() else source

    def create(self, config: RunConfig) -> None:
        """Writes what is known before anything runs."""
        self.path.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        write_text(self.path / "run.yaml", text)
        outside.keep(self.path, config.recipe)

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
        names = ("run.yaml", "events.jsonl", "artifacts.json", "environment.json")
        files = [self.path / name for name in (*names, *(f"{name}.parquet" for name in COLUMNS))]
        stats = [(file.name, file.stat()) for file in files if file.is_file()]
        return tuple((name, its.st_size, its.st_mtime_ns) for name, its in stats)

    @property
    def fault(self) -> str:
        """Which of its files cannot be read, why, and what to do; "" where all can.

        Of tables the list of columns is looked at, once for as long as the files are the same: `check` reads the rows.
        """
        return _fault(self.path, self.stamp)

    def check(self) -> None:
        """Reads all its files.

        Raises:
            DamagedFile: one of them cannot be read.
        """
        _check(self, read_table)

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
        write_json(self.path / "environment.json", environment)

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
        """Replaces the list of artifacts."""
        write_json(self.path / "artifacts.json", names)

    def table(self, name: Literal["scores", "routing", "lost"]) -> pyarrow.Table:
        """Returns `scores.parquet`, `routing.parquet`, or `lost.parquet` where it was asked for (`oracle_answers.py`).

        Raises:
            UserError: the run has not come that far.
            DamagedFile: it cannot be read.
        """
        file = self.path / f"{name}.parquet"
        if not file.is_file():
            said = f": {self.failure}" if self.failure else ""
            raise UserError(f"run '{self.name}' has no {name} yet: it is {self.status}{said}")
        return read_table(file)


@lru_cache(maxsize=4096)
def _fault(path: Path, stamp: Stamp) -> str:
    """Of a run's folder; `stamp` says whether its files are still the same."""
    try:
        _check(RunFolder(path), check_table)
    except DamagedFile as error:
        return error.said
    return ""


def _check(run: RunFolder, table: Callable[[Path], object]) -> None:
    """Reads the files of a run, each of its tables by `table`; one that came to its end has scores."""
    run.config  # noqa: B018 - reading it checks it
    events = run.events
    run.artifacts()
    run.environment()
    files = [run.path / f"{name}.parquet" for name in COLUMNS]
    for file in files:
        if file.is_file():
            table(file)
    if events and isinstance(events[-1], FinishEvent) and not files[0].is_file():
        raise DamagedFile(files[0], "is missing, though the run came to its end")
