"""One job of the queue: what is to be run, whether it was begun, how it ended, and what it said.

    workspace/jobs/<id>/
      job.json       what is to be run
      recipe.yaml    where it is no named one
      begun.json     when the worker took it up
      outcome.json   how it ended
      log.txt        what the run said

A job is `adapter-lab run` in a process of its own: it survives whoever asked for it. Who is alive is asked of locks,
never of process numbers.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.limits import SEED, TooLarge
from cl_core.runs.kill_words import UNKNOWN_END, still_words
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import Status
from cl_core.runs.workspace import Workspace
from cl_core.settings import Settings, within
from cl_core.store import LockHeldError, RunLock, is_held, stopped_holder
from cl_core.store.atomic_writes import write_json

PYTHON = (sys.executable, "-P", "-m")
"""Begins a module's process without the folder where the user is: a `cl_core` or a `torch` there is not ours."""

State = Literal["queued", "cancelled"] | Status
MOST_LOG = 2**20
"""Bytes at the end of a log that are looked at."""
UNREADABLE = "how it ended cannot be read: its outcome.json is damaged; remove the job"
"""Said of a job."""
WORKER_LOCK = "worker.lock"
"""In the queue's folder, held by its worker."""
ACTIVE: tuple[State, ...] = ("queued", "running")
"""A job in these states will change by itself."""


class Request(Settings):
    """What is to be run: the arguments of `adapter-lab run`."""

    run: str
    """Name of the run; one that exists with the same settings goes on."""
    stream: str
    """A preset's name or the path of a stream file."""
    recipe: str
    """A name, or the path of a YAML file."""
    seed: Annotated[int, within(SEED, least=-SEED.most)] = 0
    preset: str = "default"
    protocol: Literal["til", "cil", "dil"] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    """Single settings by their flat names."""
    device: str = "auto"
    precision: str = "auto"
    submitted: str = Field(default_factory=lambda: datetime.now(UTC).isoformat())
    """ISO 8601, UTC: the order of the queue, whatever clocks say."""

    def command(self, workspace: Path) -> list[str]:
        """The command line that carries it out."""
        options = {
            "--stream": self.stream,
            "--recipe": self.recipe,
            "--name": self.run,
            "--seed": str(self.seed),
            "--preset": self.preset,
            "--protocol": self.protocol,
            "--device": self.device,
            "--precision": self.precision,
            "--workspace": str(workspace),
        }
        words = [*PYTHON, "cl_core.cli", "run"]
        for option, value in options.items():
            if value is not None:
                words += [option, value]
        for name, value in self.settings.items():
            words += ["--set", f"{name}={json.dumps(value)}"]
        return words


class Outcome(Settings):
    """How a job ended."""

    state: Literal["finished", "stopped", "failed", "interrupted", "cancelled"]
    message: str = ""
    """Of a failed one, what it said last; of an interrupted one, by what it was killed."""
    ended: str = Field(default_factory=lambda: datetime.now(UTC).isoformat())


class Job:
    """One job on disk.

    Args:
        path: its folder.
        workspace: where its run goes.
    """

    def __init__(self, path: Path, workspace: Workspace) -> None:
        self.path = path
        self.id = path.name
        self.workspace = workspace

    @property
    def request(self) -> Request:
        """What is to be run."""
        return Request(**read_json(self.path / "job.json"))

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None before that."""
        file = self.path / "outcome.json"
        try:
            return Outcome(**read_json(file)) if file.exists() else None
        except (OSError, ValueError, TypeError, TooLarge):  # it ended, whatever stands there
            return Outcome(state="failed", message=UNREADABLE, ended="")

    @property
    def begun(self) -> bool:
        """Whether the worker has taken it up."""
        return (self.path / "begun.json").is_file()

    @property
    def carried_out(self) -> bool:
        """Whether its run has said that its work has begun since the worker took the job up.

        Until then all that the run says is of an attempt before. Counted, whatever clocks say.
        """
        run = self.workspace.run(self.request.run)
        try:
            before = read_json(self.path / "begun.json").get("starts", 0)
            return run.exists and run.starts > before
        except (OSError, ValueError, TypeError, AttributeError, UserError):
            return False

    @property
    def lock_path(self) -> Path:
        """Held by the process that works on it."""
        return self.path / "job.lock"

    @property
    def state(self) -> State:
        """`interrupted`: it was killed, or who worked on it was. A run whose worker died may yet come to its end."""
        outcome = self.outcome
        if outcome is not None:
            return outcome.state
        if not self.begun:
            return "queued"
        if is_held(self.lock_path):
            return "running"
        run = self.workspace.run(self.request.run)
        return run.status if run.exists else "interrupted"

    @property
    def standstill(self) -> str:
        """That a signal stopped the process that works on it or, while it waits, on the queue; what to do; else ""."""
        state, worker = self.state, self.path.with_name(WORKER_LOCK)
        if state not in ACTIVE:
            return ""
        if state == "queued":
            process = stopped_holder(worker)
            return "" if process is None else still_words(process, "the queue's")
        lock = self.workspace.run(self.request.run).lock_path
        process = stopped_holder(lock if is_held(lock) else self.lock_path)
        return "" if process is None else still_words(process)

    @property
    def message(self) -> str:
        """Why it failed, was interrupted or stands still; else ""."""
        state = self.state
        if state in ACTIVE:
            return self.standstill
        if state not in ("failed", "interrupted"):
            return ""
        outcome = self.outcome
        if outcome is not None and outcome.message:
            return outcome.message
        run = self.workspace.run(self.request.run)
        return run.failure if run.exists else self.last_line or UNKNOWN_END

    @property
    def log_path(self) -> Path:
        """What the run said."""
        return self.path / "log.txt"

    def begin(self) -> None:
        """Marks it as taken up."""
        run, starts = self.workspace.run(self.request.run), 0
        with suppress(DamagedFile):  # it is said where the run is shown
            starts = run.starts if run.exists else 0
        now = datetime.now(UTC).isoformat()
        write_json(self.path / "begun.json", {"time": now, "starts": starts})

    def end(self, outcome: Outcome) -> None:
        """Marks it as ended."""
        write_json(self.path / "outcome.json", outcome.model_dump(mode="json"))

    def log(self, lines: int = 200) -> str:
        """The last lines of what the run said."""
        if not self.log_path.is_file():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - MOST_LOG))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def last_line(self) -> str:
        """What the run said last; "" where it said nothing."""
        lines = [line for line in self.log(20).splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def stop(self) -> None:
        """A queued job is cancelled; a running one is asked to stop at its next step, and keeps what it has."""
        state = self.state
        if state == "queued":
            with suppress(LockHeldError), RunLock(self.lock_path):
                if not self.begun:
                    self.end(Outcome(state="cancelled"))
                    return
        if state in ACTIVE:  # which a job that was taken up at this moment is, too
            self._stop_file.touch()
            self.pass_stop_on()

    def pass_stop_on(self) -> None:
        """Asks the run where the job was asked: again and again, as a run that begins forgets what it was asked."""
        run = self.workspace.run(self.request.run)
        if run.exists and self._stop_file.exists():
            run.request_stop()

    @property
    def stop_asked(self) -> bool:
        """Whether somebody asked it to stop; it does so at its next step."""
        return self._stop_file.exists()

    @property
    def _stop_file(self) -> Path:
        return self.path / "stop.request"
