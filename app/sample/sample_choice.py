"""The sample that is looked at: one that the run was scored on, or one of the visitor's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app.base import theme
from app.base.escaped_text import plain
from app.base.popovers import closed, popover
from app.base.styles import ICONS
from app.data import answer_client
from app.data.answer_client import Sample
from app.data.routing_records import ONLY, RoutingRecords, keep, routed_at
from app.data.view import View
from app.shell import actions, not_found, own_sample
from app.shell.not_found import MOST_LINKS
from app.shell.own_sample import KINDS, Keys
from cl_core.runs.run_config import RunConfig

SOURCES = ("a test sample", "my own")
EVERY = "every task"
OWN = Keys(kind="kind", text="own", question="question", file="upload")
REFILTERED = "refiltered"
BROWSED = "browsed"
"""In the session: ids of the rows of the table."""
BROWSE = "browse-texts"
"""Key of the popover."""
TURNS = "sample-turns"
"""In the session: how often another sample came without having been chosen in its box."""
MOST_ROWS = 1000
"""In the list; filters narrow it further."""


@dataclass(frozen=True)
class SampleChoice:
    """What is looked at.

    Attributes:
        sample: as the worker is asked.
        name: in one line.
        true: index of its task, held-out ones behind the others; None where it is the visitor's own.
        label: what it should be answered with; None where that is not known.
    """

    sample: Sample
    name: str
    true: int | None = None
    label: str | None = None


def choose(view: View, config: RunConfig) -> SampleChoice | None:
    """Draws the choice; None while a sample of one's own is not complete."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        source = st.segmented_control(
            "Look at",
            SOURCES,
            default=SOURCES[0],
            required=True,
            key="from",
            bind="query-params",
            width="content",
        )
        if source == SOURCES[0]:
            return _scored(view, config)
    return _own(view, config)


def must_be_told(config: RunConfig) -> bool:
    """Whether the protocol or the router is told the true task."""
    return config.protocol == "til" or config.recipe.told_the_task


def _scored(view: View, config: RunConfig) -> SampleChoice | None:
    """A row that the run was scored on at this stage."""
    routed = None if view.run is None else routed_at(view.run, view.stage)
    if routed is None:
        st.info(
            "No sample has been routed at this stage yet. Choose a later one, or type your own."
        )
        return None
    every = [theme.numbered(index, task.name) for index, task in enumerate(config.all_tasks)]
    of = st.selectbox(
        "Of", [EVERY, *every], key="of", bind="query-params", width=150, on_change=_refilter
    )
    only = st.selectbox(
        "Show", ONLY, key="only", bind="query-params", width=190, on_change=_refilter
    )
    task = None if of in (None, EVERY) else every.index(of)
    rows = keep(routed, only or ONLY[0], task)
    ids = [routed.ids[index] for index in rows]
    asked = st.session_state.get("sample") or st.query_params.get("sample")
    if st.session_state.pop(REFILTERED, False) and ids:
        st.session_state["sample"] = ids[0]
    elif asked is not None and asked not in ids:
        if routed.row_of(asked) is not None:
            ids = [asked, *ids]  # a link's sample stays, whatever the filters say
        elif not_found.unknown("sample", not _nowhere(view, asked)):
            words = "{} was not scored in this run."
            not_found.of_page("sample", "sample", words, asked, ids[:MOST_LINKS])
            return None
        else:
            st.session_state.pop("sample", None)
            st.warning(
                f"{plain(asked)} was not scored at this stage; the first of the list is shown."
            )
    if not ids:
        st.info(f"There are no {only} here; choose another filter.")
        return None
    sample_id = st.selectbox(
        f"Sample, one of {len(ids)}", ids, key="sample", bind="query-params", width=190
    )
    here = ids.index(sample_id) if sample_id in ids else 0
    with st.container(horizontal=True, width="content", gap="xsmall", key=ICONS):
        for icon, step, words in (
            ("chevron_left", -1, "Previous sample"),
            ("chevron_right", 1, "Next sample"),
        ):
            alone = len(ids) < 2
            mark = f":material/{icon}:"
            if actions.pressed(words, f"step{step}", idle=alone, icon=mark, help=words):
                actions.then(sample=ids[(here + step) % len(ids)], **_turned())
        with popover("Browse the texts", BROWSE, ":material/list:", "Browse the texts"):
            _browse(view, config, routed, ids[:MOST_ROWS])
    row = routed.row_of(ids[here])
    if row is None:
        return None
    label = int(routed.column("label")[row])
    return SampleChoice(
        {"id": ids[here]},
        ids[here],
        int(routed.true[row]),
        config.label_space[label] if label >= 0 else None,
    )


def _nowhere(view: View, sample: str) -> bool:
    """Whether no stage of the run has been scored on it."""
    last = None if view.run is None else routed_at(view.run, len(view.tasks))
    return last is not None and last.row_of(sample) is None


def _refilter() -> None:
    st.session_state.update({REFILTERED: True, **_turned()})


def _turned() -> dict[str, int]:
    """That another sample is looked at than the box says that the visitor sees, by names in the session."""
    return {TURNS: st.session_state.get(TURNS, 0) + 1}


def _take() -> None:
    """The row that was ticked, of the table as it was on the screen."""
    taken = st.session_state["browse"]["selection"]["rows"]
    if taken:
        sample_id = st.session_state[BROWSED][taken[0]]
        st.session_state.update({"sample": sample_id, **_turned(), **closed(BROWSE)})


def _browse(view: View, config: RunConfig, routed: RoutingRecords, ids: Sequence[str]) -> None:
    """The samples as a table with their texts; a row can be chosen."""
    lines, rows = answer_client.lines(view), [routed.row_of(sample_id) or 0 for sample_id in ids]
    named = [task.name for task in config.all_tasks]
    table = pd.DataFrame(
        {
            "sample": [lines.get(sample_id, "") or sample_id for sample_id in ids],
            "task": [
                theme.numbered(int(routed.true[row]), named[int(routed.true[row])]) for row in rows
            ],
            "adapter": [
                "of all tasks" if config.recipe.shares_adapter else f"T{routed.chosen[row] + 1}"
                for row in rows
            ],
            "prediction": [routed.verdict(row) for row in rows],
        }
    )
    st.session_state[BROWSED] = list(ids)
    st.dataframe(
        table,
        key="browse",
        on_select=_take,
        selection_mode="single-row",
        hide_index=True,
        width=900,
        height=420,
        column_config={"sample": st.column_config.TextColumn(width="large")},
    )


def _own(view: View, config: RunConfig) -> SampleChoice | None:
    """A sample of the visitor's own, and the task that it is of where the run must be told."""
    kinds = answer_client.kinds(view)
    sample = own_sample.draw(kinds, OWN)
    if sample is None:
        wanted = " or ".join(KINDS[kind] for kind in kinds)
        st.caption(f"Give {wanted}, and see which adapters it gets.")
        return None
    true = None
    if must_be_told(config):
        names = [theme.numbered(index, name) for index, name in enumerate(view.tasks[: view.stage])]
        task_name = st.selectbox(
            "Predict as of task",
            names,
            key="as",
            bind="query-params",
            width=260,
            help="This run must be told which task a sample is of.",
        )
        true = names.index(task_name) if task_name in names else 0
    return SampleChoice(sample, sample.get("text") or sample.get("question") or "my picture", true)
