"""The queue of a workspace: runs in the background, one after the other.

The worker (`worker.py`) holds a lock while it lives, so that there is one, and takes the oldest job (`job.py`) that
nobody has taken.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cl_core.errors import UserError
from cl_core.jobs.job import ACTIVE, PYTHON, WORKER_LOCK, Job, Request
from cl_core.recipes.named import RECIPES, load_recipe, recipe_yaml
from cl_core.recipes.recipe import Recipe
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock, is_held
from cl_core.store.atomic_writes import write_json, write_text

PATIENCE_SECONDS = 20.0
"""For others that put jobs into the queue."""


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
        return self.root / WORKER_LOCK

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
