"""A run's folder: what it was made with, what happened, and what came of it.

Reading a run needs no torch. A run folder explains itself: copied elsewhere, it still shows all its results.
"""

from __future__ import annotations

from collections.abc import Callable
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from cl_core.errors import UserError
from cl_core.recipes import outside
from cl_core.runs.events import (
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
from cl_core.runs.kill_words import KEPT, UNKNOWN_END, kill_words, still_words
from cl_core.runs.reading import run_hashes
from cl_core.runs.reading.run_reader import RunReader
from cl_core.runs.reading.run_tables import read_table
from cl_core.runs.run_config import RunConfig
from cl_core.store import is_held, stopped_holder
from cl_core.store.atomic_writes import json_bytes

if TYPE_CHECKING:
    import pyarrow

Status = Literal["finished", "running", "stopped", "failed", "interrupted", "damaged"]


class RunFolder(RunReader):
    """One run on disk, which is carried out here.

    Args:
        path: its folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.on_event: Callable[[Event], None] = lambda event: None

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
    def standstill(self) -> str:
        """That a signal stopped the process that carries it out, and what to do; else ""."""
        process = stopped_holder(self.lock_path)
        return "" if process is None else still_words(process)

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

    def write_artifacts(self, names: dict[str, str]) -> None:
        """Replaces the list of artifacts, and vouches for those that its model is made of."""
        self.write("artifacts.json", json_bytes(names))
        run_hashes.list_artifacts(self.path, names)

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
        return read_table(file, self.config_or_none())
