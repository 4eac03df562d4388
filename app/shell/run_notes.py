"""What must be known of a run before its numbers are read: what became of it, and what holds for all of them.

It stands once: below the title of a page that shows the run's numbers, on any other page under the menu of runs.
"""

from __future__ import annotations

import streamlit as st

from app.base.control_words import by_control
from app.base.escaped_text import plain
from app.data.runs import Ending, ending, scored
from cl_core.jobs.job import ACTIVE
from cl_core.runs.cautions import TOLD, cautions
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder


def draw(run: RunFolder, beside_numbers: bool) -> None:
    """Says it where it is called; nothing where the run came to its end and nothing needs to be said.

    Args:
        run: that is looked at.
        beside_numbers: whether the page shows the run's numbers.
    """
    became = ending(run)
    if became.message:
        st.error(plain(_failed(became)), icon=":material/error:")
    short, whole = _cautions(run.config)
    if beside_numbers and scored(run) and became.status != "finished":
        short.insert(0, _partial(became))
        if became.status not in ACTIVE:
            whole.insert(0, "Resume the run on the page Train for the scores of every stage.")
    _say(short, whole)


def draw_cautions(config: RunConfig) -> None:
    """What holds for all numbers of a run, which need not be the one that is looked at."""
    _say(*_cautions(config))


def _say(short: list[str], whole: list[str]) -> None:
    if short:
        said = "; ".join(short)
        help_words = plain(by_control(" ".join(whole)))
        st.caption(plain(f"{said[0].upper()}{said[1:]}"), help=help_words)


def _failed(became: Ending) -> str:
    words = {
        "interrupted": "was interrupted",
        "damaged": "is damaged",
        "running": "has not ended",
    }
    return f"This run {words.get(became.status, became.status)}: {by_control(became.message)}"


def _partial(became: Ending) -> str:
    """That the run has not come to its end, so that its numbers are of some stages."""
    if became.status == "running":
        return "this run is running: shown is what has been scored so far"
    when = "shown is what had been scored by then"
    if became.status == "queued":
        return f"this run waits to go on: {when}"
    return when if became.message else f"this run was stopped: {when}"


def _cautions(config: RunConfig) -> tuple[list[str], list[str]]:
    """Whether it is told the task, and CIL's head rule: in a few words, and in whole sentences."""
    rule = config.head_rule
    short = []
    if config.recipe.told_the_task:
        short.append(f"{TOLD} told the true task")
    if rule is not None:
        short.append(f"head rule: {rule}")
    return short, [f"{caution[0].upper()}{caution[1:]}." for caution in cautions(config)]
