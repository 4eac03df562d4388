"""The view: the run, its stage and the task that a visitor looks at, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.base import theme
from app.data.runs import WorkspaceName, report
from cl_core.reports.report import Report
from cl_core.runs.run_folder import RunFolder


@dataclass(frozen=True)
class View:
    """What this visitor looks at.

    Attributes:
        workspace: the name of the one that the run lies in.
        run: the run, or None where there is none yet.
        stage: from 1: how many tasks have been learnt.
        task: the index of the highlighted task, from 0, or None.
        look: the theme's colours.
        lesson: whether explanations are shown at length.
    """

    workspace: WorkspaceName
    run: RunFolder | None
    stage: int
    task: int | None
    look: theme.Look
    lesson: bool

    @cached_property
    def report(self) -> Report:
        """The run's numbers.

        Raises:
            ValueError: there is no run.
        """
        if self.run is None:
            raise ValueError("there is no run to report on")
        return report(self.run)

    @property
    def tasks(self) -> list[str]:
        """Names of the run's tasks."""
        return self.report.tasks if self.run is not None else []
