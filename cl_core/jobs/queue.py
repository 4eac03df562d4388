"""Runs in the background, one after the other: a queue in the workspace, and who works it off.

    workspace/jobs/<id>/
      job.json       what is to be run
      recipe.yaml    where it is no named one
      begun.json     when the worker took it up
      outcome.json   how it ended
      log.txt        what the run said

A job is `adapter-lab run` in a process of its own: it survives whoever asked for it. The worker (`worker.py`) holds a
lock while it lives, so that there is one, and takes the oldest job that nobody has taken. Who is alive is asked of
locks, never of process numbers.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.limits import SEED, TooLarge
from cl_core.recipes.named import RECIPES, load_recipe, recipe_yaml
from cl_core.recipes.recipe import Recipe
from cl_core.runs.kill_words import UNKNOWN_END
from cl_core.runs.run_folder import Status
from cl_core.runs.workspace import Workspace
from cl_core.settings import Settings, within
from cl_core.store import LockHeldError, RunLock, is_held
from cl_core.store.atomic_writes import write_json, write_text

PYTHON = (sys.executable, "-P", "-m")
"""Begins a module's process without the folder where the user is: a `cl_core` or a `torch` there is not ours."""

State = Literal["queued", "cancelled"] | Status
PATIENCE_SECONDS = 20.0
"""For others that put jobs into the queue."""
MOST_LOG = 2**20
"""Bytes at the end of a log that are looked at."""
UNREADABLE = "how it ended cannot be read: its outcome.json is damaged; remove the job"
"""Said of a job."""
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
    def begun_at(self) -> datetime | None:
        """When the worker took it up; None before that."""
        file = self.path / "begun.json"
        if not file.is_file():
            return None
        return datetime.fromisoformat(json.loads(file.read_bytes())["time"])

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
    def message(self) -> str:
        """Why it failed or was interrupted; else ""."""
        state = self.state
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
        write_json(self.path / "begun.json", {"time": datetime.now(UTC).isoformat()})

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


class Jobs:
    """The queue of a workspace.

    Args:
        workspace: whose.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.root = workspace.root / "jobs"

    @property
    def lock_path(self) -> Path:
        """Held by the worker."""
        return self.root / "worker.lock"

    @property
    def worked_on(self) -> bool:
        """Whether there is a worker."""
        return self.lock_path.is_file() and is_held(self.lock_path)

    def all(self) -> list[Job]:
        """Every job, the oldest first; folders that are none are passed over."""
        entries = []
        for path in self.root.iterdir() if self.root.is_dir() else ():
            try:
                job = Job(path, self.workspace)
                self.workspace.run(job.request.run)  # refuses names that are none
                entries.append((job.request.submitted, job.id, job))
            except (OSError, ValueError, TypeError, ValidationError, UserError):
                continue
        return [job for _, _, job in sorted(entries, key=lambda entry: entry[:2])]

    def find(self, name: str) -> Job:
        """The job of this id.

        Raises:
            UserError: there is none.
        """
        for job in self.all():
            if job.id == name:
                return job
        raise UserError(f"there is no job '{name}' in {self.workspace.root}")

    def of(self, run: str) -> Job | None:
        """The newest job of a run."""
        return next((job for job in reversed(self.all()) if job.request.run == run), None)

    def submit(self, request: Request, recipe: Recipe | None = None) -> Job:
        """Puts a job at the end of the queue and sees to it that somebody works.

        Args:
            request: what is to be run.
            recipe: in place of the request's, where it has no name.

        Raises:
            UserError: the run's name is no file name, a job of that run waits or runs already, or the workspace is
                read-only.
        """
        self.workspace.check_writable()
        self.workspace.run(request.run)  # refuses names that are none
        self.root.mkdir(parents=True, exist_ok=True)
        # Of two that start one run at once, the second meets the first one's job.
        with RunLock(self.root / "submit.lock", PATIENCE_SECONDS):
            job = self._add(request, recipe)
        self.wake()
        return job

    def _add(self, request: Request, recipe: Recipe | None) -> Job:
        jobs = self.all()
        for job in jobs:
            if job.request.run == request.run and job.state in ACTIVE:
                raise UserError(f"run '{request.run}' is {job.state} already")
        submitted = _after(request.submitted, [job.request.submitted for job in jobs])
        request = request.model_copy(update={"submitted": submitted})
        partial = self.root / f".{secrets.token_hex(6)}"
        path = self.root / partial.name[1:]
        partial.mkdir()
        if recipe is not None and RECIPES.get(recipe.name) != recipe:
            write_text(partial / "recipe.yaml", recipe_yaml(recipe))
            request = request.model_copy(update={"recipe": str(path.resolve() / "recipe.yaml")})
        write_json(partial / "job.json", request.model_dump(mode="json"))
        partial.rename(path)
        return Job(path, self.workspace)

    def again(self, job: Job, **changed: Any) -> Job:
        """The same once more: a stopped, failed or interrupted run goes on where it was left.

        Args:
            job: whose request; it may be removed afterwards.
            changed: fields of the request, such as another `run` and `seed`: a new run with the same settings.

        Raises:
            UserError: the run's job waits or runs already, or the recipe's file is gone.
        """
        now = datetime.now(UTC).isoformat()
        request = job.request.model_copy(update={"submitted": now, **changed})
        # A recipe without a name lies in the folder of the job that it came with: it is copied, not pointed at.
        recipe = None if request.recipe in RECIPES else load_recipe(request.recipe)
        return self.submit(request, recipe)

    def remove(self, job: Job) -> None:
        """Forgets a job that has ended; its run stays.

        Raises:
            UserError: it waits or runs.
        """
        if job.state in ACTIVE:
            raise UserError(f"job '{job.id}' is {job.state}; stop it first")
        shutil.rmtree(job.path)

    def wake(self) -> None:
        """Starts a worker where there is none and there is work."""
        if self.worked_on or not any(job.state == "queued" for job in self.all()):
            return
        threads = str(max((os.cpu_count() or 2) - 1, 1))
        environment = {"OMP_NUM_THREADS": threads, **os.environ}
        with (self.root / "worker.log").open("ab") as log:
            subprocess.Popen(
                [*PYTHON, "cl_core.jobs.worker", str(self.workspace.root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )


def _after(moment: str, others: Iterable[str]) -> str:
    """The moment, or the first one after the others where a clock was set back since: the order is that of asking."""
    last = max(others, default="")
    if moment > last:
        return moment
    try:
        return (datetime.fromisoformat(last) + timedelta(microseconds=1)).isoformat()
    except (ValueError, OverflowError):  # written by hand: it stays the last one
        return moment
