"""Pinned samples, kept beside the one that is looked at: what to ask of them, never the predictions.

The session holds them for all runs, the address those of the run that is shown: a reload and a copied link bring them
back. Pictures and clips do not fit into an address; those are the session's alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import streamlit as st

from app.base import links
from app.base.escaped_text import plain
from app.data import answer_client
from app.data.answer_client import RoutedPrediction
from app.data.view import View
from app.sample import what_ifs
from app.sample.sample_choice import TURNS, SampleChoice
from app.sample.what_ifs import WhatIfChoice
from app.shell import actions
from app.workers.process import WorkerFailed
from cl_core.adapters.compose import plain_compositions
from cl_core.errors import UserError

MOST = 4
PINS = "pinned"
MOST_LETTERS = 500
"""Of a text of one's own that goes into the address."""
NAMED = ("id", "text")
"""Columns of a sample that an address can hold."""
SOUND: dict[str, Callable[[Any, Sequence[str]], bool]] = {
    "k": lambda k, _: type(k) is int and k >= 1,
    "temperature": lambda t, _: type(t) is float and 0 < t < inf,
    "force": lambda name, names: name in names,
    "drop": lambda dropped, names: (
        isinstance(dropped, list) and all(name in names for name in dropped)
    ),
    "uniform": lambda alike, _: alike is True,
    "compose": lambda how, _: how in plain_compositions(),
}
"""By field of a what-if, whether a value is one, given the names of the run's tasks."""


def show(
    view: View, chosen: SampleChoice, asked: WhatIfChoice, true_task: str | None
) -> list[tuple[str, RoutedPrediction]]:
    """Draws the buttons; returns the name and the answer of each pinned sample, asked again at this stage.

    Args:
        view: what is looked at.
        chosen: the sample of now.
        asked: the what-if of now.
        true_task: its own, where it has an adapter.
    """
    pinned, odd = _followed(view)
    mine = [pin for pin in pinned if _of(view, pin)]
    new = _pin(view, dict(chosen.sample), asked.fields, true_task)
    row, said = st.container(horizontal=True), st.container()
    with row:
        meaning = f"Up to {MOST} stay here while you look at other samples or what-ifs."
        # Of this run, and not after a step to another sample that was not on the screen yet.
        of = (view.workspace, view.run.name if view.run else "", st.session_state.get(TURNS, 0))
        icon = ":material/keep:"
        if actions.pressed("Pin this sample", "pin", of=of, said=said, icon=icon, help=meaning):
            if new in mine:
                actions.refuse("pin", "It is pinned already.")
            if len(mine) >= MOST:
                actions.refuse("pin", f"{MOST} are pinned, which is the maximum: unpin them first.")
            st.session_state[PINS] = [*pinned, new]
            st.rerun()
        icon = ":material/keep_off:"
        if actions.pressed("Unpin all", "unpin", of=of[:2], said=said, idle=not mine, icon=icon):
            if not mine:
                actions.refuse("unpin", "Nothing is pinned.")
            st.session_state[PINS] = [pin for pin in pinned if not _of(view, pin)]
            st.rerun()
    linked = [pin for pin in mine if _fits(pin)]
    links.write_pins([_written(pin) for pin in linked])
    if len(linked) < len(mine):
        st.caption(
            "Pinned pictures, clips and long texts of your own stay in this tab; links leave them out."
        )
    if odd:
        st.warning("Some of what the address pins cannot be read, and is left out.")
    return [answered for pin in mine if (answered := _ask(view, pin)) is not None]


def _followed(view: View) -> tuple[list[dict[str, Any]], bool]:
    """All pins, after those that an address brought, which replace the run's; and whether some could not be read."""
    pinned: list[dict[str, Any]] = st.session_state.setdefault(PINS, [])
    brought: list[str] | None = st.session_state.pop(links.PINS_ASKED, None)
    if brought is None:
        return pinned, False
    read = [_read(view, text) for text in brought[:MOST]]
    new = [pin for pin in read if pin is not None]
    kept = [pin for pin in pinned if not (_of(view, pin) and _fits(pin))]
    st.session_state[PINS] = [*kept, *new]
    return st.session_state[PINS], len(new) < len(brought)


def _pin(
    view: View, sample: dict[str, str], fields: dict[str, Any], true_task: str | None
) -> dict[str, Any]:
    run = view.run
    where = {"ws": view.workspace, "run": run.name if run else ""}
    return {**where, "sample": sample, "fields": fields, "told": true_task}


def _of(view: View, pin: dict[str, Any]) -> bool:
    """Whether it was pinned in the run that is shown."""
    return (pin["ws"], pin["run"]) == (view.workspace, view.run.name if view.run else "")


def _fits(pin: dict[str, Any]) -> bool:
    """Whether an address has room for it."""
    sample = pin["sample"]
    return sample.keys() <= set(NAMED) and sum(map(len, sample.values())) <= MOST_LETTERS


def _written(pin: dict[str, Any]) -> str:
    """As an address says it: the sample, and the what-if and the task where there are any."""
    parts = {"told": pin["told"], **pin["fields"], **pin["sample"]}
    short = {name: value for name, value in parts.items() if value is not None}
    return json.dumps(short, ensure_ascii=False, separators=(",", ":"))


def _read(view: View, text: str) -> dict[str, Any] | None:
    """Back from `_written`; None where an address says something else."""
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, dict):
        return None
    true_task = parts.pop("told", None)
    sample = {name: parts.pop(name) for name in NAMED if name in parts}
    names = [] if view.run is None else [task.name for task in view.run.config.tasks]
    sound = (
        len(sample) == 1
        and all(isinstance(value, str) and value for value in sample.values())
        and (true_task is None or isinstance(true_task, str))
        and all(name in SOUND and SOUND[name](value, names) for name, value in parts.items())
    )
    return _pin(view, sample, parts, true_task) if sound else None


def _ask(view: View, pin: dict[str, Any]) -> tuple[str, RoutedPrediction] | None:
    """Its name and its answer; says why where there is none, such as at a stage that lacks the task that it forces."""
    sample = pin["sample"]
    names = [] if view.run is None else [task.name for task in view.run.config.tasks]
    called = sample.get("id") or sample.get("text") or sample.get("question") or "my picture"
    words = what_ifs.describe(pin["fields"], names)
    name = f"{called[:28]}{', ' + words if words else ''}"
    true_task = pin["told"] if pin["told"] in view.tasks[: view.stage] else None
    try:
        return name, answer_client.predictions(view, sample, [pin["fields"]], true_task)[0]
    except (UserError, WorkerFailed) as error:
        st.warning(plain(f"The pinned {name} has no prediction here: {error}"))
        return None
