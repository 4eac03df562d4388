"""What is shown of a run: the stage, and the task that is highlighted. They belong to that run alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from app.base import theme
from app.base.escaped_text import as_label
from app.figures.names import short
from cl_core.runs.run_folder import RunFolder

LAST_STAGE = "stage"
"""In the session: what was shown the last time, on pages without these menus, too."""


@dataclass(frozen=True)
class Stage:
    """What is shown of a run.

    Attributes:
        of: workspace and name of the run.
        names: of its tasks, as they are called on the screen and in addresses.
        after: the last task that has been learnt; None is the run's last.
        task: the highlighted one.
        gone: "after" or "task", and what was asked for under this name and is no task of the run.
    """

    of: tuple[str, str | None]
    names: tuple[str, ...]
    after: str | None = None
    task: str | None = None
    gone: tuple[str, str] | None = None

    @property
    def number(self) -> int:
        """The stage, from 1; 0 where there is no run."""
        return len(self.names) if self.after is None else 1 + self.names.index(self.after)


def choose(workspace_name: str, run: RunFolder | None, asked: Mapping[str, str] | None) -> Stage:
    """The stage: as asked for, else as it was, else the whole of the run; what the run does not have is kept.

    Args:
        workspace_name: of the workspace.
        run: that is looked at.
        asked: what an address that was followed says: what it leaves out is the run's whole, and no task.
    """
    of = (workspace_name, None if run is None else run.name)
    tasks = [] if run is None else [task.name for task in run.config.tasks]
    names = tuple(theme.numbered(number, name) for number, name in enumerate(tasks))
    kept: Stage | None = st.session_state.get(LAST_STAGE)
    after = task = None
    if asked is not None:
        after, task = asked.get("after"), asked.get("task")
    elif kept is not None and kept.of == of:
        after = st.session_state.get("after", kept.after)
        task = st.session_state.get("task", kept.task)
    given = {"after": after, "task": task}
    gone = [
        (name, value) for name, value in given.items() if value is not None and value not in names
    ]
    if asked is None and kept is not None and kept.of == of and kept.gone is not None:
        gone = [kept.gone]
    stage = Stage(
        of,
        names,
        after if after in names[:-1] else None,
        task if task in names else None,
        gone[0] if gone and names else None,
    )
    st.session_state[LAST_STAGE] = stage
    return stage


def draw(stage: Stage) -> Stage:
    """Draws the menus of a stage; returns it."""
    st.session_state["after"], st.session_state["task"] = (
        stage.after or stage.names[-1],
        stage.task,
    )
    if len(stage.names) > 1:
        st.select_slider(
            "Stage",
            stage.names,
            key="after",
            format_func=short,  # the strip below has the whole name
            help="Everything below is shown as it was at this stage: after this task had been learnt.",
        )
    _strip(stage.names)
    return stage


def _strip(names: tuple[str, ...]) -> None:
    """Chips with number, colour and name; a click highlights a task in every figure."""
    rules = "".join(
        f".st-key-task button:nth-of-type({index + 1})::before {{content: ''; display: inline-block; width: .7em; "
        f"height: .7em; margin-right: .45em; border-radius: {'50%' if index < 10 else '0'}; background: "
        f"{theme.task_colour(index) if index < 10 else 'transparent'}; border: 2px solid {theme.task_colour(index)}}}"
        for index in range(len(names))
    )
    st.html(f"<style>{rules}</style>")
    st.pills("Tasks", names, key="task", format_func=as_label, label_visibility="collapsed")
