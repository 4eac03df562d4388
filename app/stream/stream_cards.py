"""A stream's tasks as cards in their order: what a row is, how many, which classes, some samples, what is wrong."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from app.base import theme
from app.base.escaped_text import plain
from app.base.popovers import closed, popover
from app.data import stream_edits
from app.shell import actions
from app.shell.stream_choice import PROTOCOLS, StreamChoice, write
from cl_core.errors import AdapterLabError, counted
from cl_core.runs.workspace import Workspace
from cl_core.system_faults import explained
from cl_core.tasks.spec import StreamSpec

KINDS = {
    "text": (":material/article:", "texts"),
    "image": (":material/image:", "pictures"),
    "image-qa": (":material/live_help:", "questions about pictures"),
    "video-qa": (":material/movie:", "questions about videos"),
}
COLUMNS = 3
MOST_SHOWN = 8
"""Classes named on a card."""
MOST_UNUSED = 30
"""Paths beside the data that were not read, listed on a card."""
MOST_LETTERS = 110
"""Of a sample's text."""
PROTOCOL_SAID = "protocol-said"
"""In the session: the label of the stream on the page, and what its menu of protocols said."""


def cards(workspace: Workspace, chosen: StreamChoice, checked: dict[str, Any]) -> None:
    """One card per task, three in a row, in the order in which they are learnt."""
    tasks = checked.get("tasks", [])
    learnt = len(chosen.spec.tasks) if chosen.spec else 0
    for start in range(0, len(tasks), COLUMNS):
        columns = st.columns(COLUMNS)
        for column, index in zip(columns, range(start, start + COLUMNS), strict=True):
            if index < len(tasks):
                with column.container(border=True, height="stretch", gap="xsmall"):
                    _card(workspace, chosen, tasks[index], index, learnt, checked["faults"])


def _card(
    workspace: Workspace,
    chosen: StreamChoice,
    task: dict[str, Any],
    index: int,
    learnt: int,
    faults: list[dict[str, Any]],
) -> None:
    name = theme.numbered(index, task["name"])
    filled = theme.task_colour(index) if index < len(theme.PETROFF) else "transparent"
    st.html(
        f"<div style='font-size:1.15rem;font-weight:600'><span style='display:inline-block;width:.8em;height:.8em;"
        f"border-radius:{'50%' if index < len(theme.PETROFF) else '0'};background:{filled};border:2px solid "
        f"{theme.task_colour(index)};margin-right:.5em'></span>{html.escape(name)}</div>"
    )
    with st.container(horizontal=True, gap="small"):
        _state(chosen, task["name"], index >= learnt, faults)
        icon, words = KINDS[task["kind"]]
        st.badge(words, icon=icon, color="gray")
    rows = task["rows"]
    counts = [
        f"{rows[split]:,} {split}" for split in ("train", "validation", "test") if split in rows
    ]
    st.markdown(" · ".join(counts) or "no rows could be read")
    trained = task["counts"].get("train", ())
    classes = ", ".join(
        f"{label} ({trained[number]:,})" if trained else label
        for number, label in enumerate(task["classes"][:MOST_SHOWN])
    )
    more = (
        f" and {task['class_count'] - MOST_SHOWN} more" if task["class_count"] > MOST_SHOWN else ""
    )
    st.markdown(f"**{counted(task['class_count'], 'class')}**: {plain(classes)}{more}")
    if task["transparent"]:
        st.caption(plain(f"{task['transparent']:,} with transparent parts, on {task['ground']}"))
    if task.get("unused"):
        with st.popover(
            f"Not used: {len(task['unused'])}", icon=":material/folder_off:", key=f"unused-{index}"
        ):
            for unused in task["unused"][:MOST_UNUSED]:
                st.text(unused)
    _samples(task, index)
    if chosen.editable and index < learnt:
        _controls(workspace, chosen, index, learnt)


def _state(chosen: StreamChoice, name: str, held_out: bool, faults: list[dict[str, Any]]) -> None:
    wrong = sum(fault["task"] == name for fault in faults)
    if wrong:
        words = counted(wrong, "problem")
        st.badge(words, icon=":material/error:", color="red")
    elif held_out:
        st.badge("held out", icon=":material/visibility:", color="violet")
    elif chosen.users:
        st.badge("in use", icon=":material/lock:", color="blue", help="A run was made from it")
    else:
        st.badge("ready", icon=":material/check:", color="green")


def _samples(task: dict[str, Any], index: int) -> None:
    """Pictures as they are, texts as text: never as markup."""
    pictures = [sample for sample in task["samples"] if sample["picture"]]
    if pictures:
        with st.container(horizontal=True, gap="xxsmall"):
            for sample in pictures:
                st.image(
                    base64.b64decode(sample["picture"]),
                    width=62,
                    alt=f"{sample['text']} {sample['label']}".strip(),
                )
    colour = theme.task_colour(index)
    for sample in task["samples"][:2]:
        if sample["text"]:
            words = sample["text"]
            short = words if len(words) <= MOST_LETTERS else f"{words[:MOST_LETTERS]}…"
            st.html(
                f"<div style='font-size:.92rem;border-left:3px solid {colour};padding-left:.6em'><b>"
                f"{html.escape(sample['label'])}</b> {html.escape(short)}</div>"
            )


def _controls(workspace: Workspace, chosen: StreamChoice, index: int, learnt: int) -> None:
    """Move, rename, remove. The buttons are the task's, not its position's: they stay with it when it moves."""
    if chosen.spec is None:
        return
    row, said = st.container(horizontal=True, gap="xxsmall"), st.container()
    name = chosen.spec.tasks[index].name
    with row:
        for words, by, way in (("Earlier", -1, "back"), ("Later", 1, "forward")):
            key = f"{words.lower()}-{name}"
            icon = f":material/arrow_{way}:"
            at_end = not 0 <= index + by < learnt
            if actions.pressed(words, key, of=chosen.label, said=said, idle=at_end, icon=icon):
                if at_end:
                    actions.refuse(key, f"It is the {'first' if by < 0 else 'last'} task already.")
                move = partial(stream_edits.moved, index=index, by=by)
                _save(workspace, key, move, chosen)
        with popover("Change", f"change-{name}", ":material/edit:"):
            _change(workspace, chosen, index)


def _change(workspace: Workspace, chosen: StreamChoice, index: int) -> None:
    old = chosen.spec.tasks[index].name if chosen.spec else ""
    key = f"rename-{old}"
    with st.form(f"{key}-form", border=False):
        field = f"name-{chosen.label}-{old}"
        name = st.text_input("Name of the task", old, key=field).strip()
        renamed = actions.pressed("Rename", key, of=chosen.label, draw=st.form_submit_button)
    if renamed:
        if name == old:
            actions.refuse(key, f"It is called '{old}': type another name first.")
        _save(
            workspace,
            key,
            lambda spec: stream_edits.renamed(spec, index, name),
            chosen,
            closed(f"change-{old}"),
        )
    key = f"remove-{old}"
    icon = ":material/delete:"
    if actions.pressed("Remove from the stream", key, of=chosen.label, icon=icon):
        _save(
            workspace,
            key,
            lambda spec: stream_edits.removed(spec, index),
            chosen,
            closed(f"change-{old}"),
        )


def _save(
    workspace: Workspace,
    key: str,
    change: Callable[[StreamSpec], StreamSpec],
    chosen: StreamChoice,
    state: Mapping[str, Any] | None = None,
) -> None:
    """Writes the stream with a change, and has the page drawn with it, and with these names in the session."""
    if chosen.spec is not None:
        with actions.answering(key):
            write(workspace, chosen, change(chosen.spec))
        actions.then(**(state or {}))


def protocol(workspace: Workspace, chosen: StreamChoice) -> None:
    """What is known at test; to be changed while the stream may be.

    Its menu says what the file holds, whoever wrote it: a choice is what differs from what the menu said last.
    """
    key = f"protocol-{chosen.label}"
    label, said = st.session_state.pop(PROTOCOL_SAID, ("", ""))
    asked = st.session_state.get(key, said)
    refusal = ""
    if label == chosen.label and asked != said:
        wanted = next(name for name, words in PROTOCOLS.items() if words == asked)
        if wanted != chosen.protocol:
            refusal = _choose_protocol(workspace, chosen, wanted)
    st.session_state[key] = PROTOCOLS[chosen.protocol]
    st.session_state[PROTOCOL_SAID] = (chosen.label, PROTOCOLS[chosen.protocol])
    st.selectbox(
        "Protocol",
        list(PROTOCOLS.values()),
        key=key,
        disabled=not chosen.editable or chosen.spec is None,
    )
    if refusal:
        st.error(plain(refusal), icon=":material/block:")


def _choose_protocol(workspace: Workspace, chosen: StreamChoice, wanted: str) -> str:
    """Writes the stream with it and has the page drawn anew, or returns why not."""
    if chosen.spec is None or not chosen.editable:
        return f"stream '{chosen.name}' stays as it is by now, so nothing was written"
    shared = chosen.spec.shared_labels if wanted == "cil" else None
    try:
        changed = stream_edits.rebuilt(chosen.spec, protocol=wanted, shared_labels=shared)
        write(workspace, chosen, changed)
    except (AdapterLabError, OSError, MemoryError) as error:
        return explained(error) or str(error)
    st.rerun()
