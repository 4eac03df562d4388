"""Accuracy against k and temperature on the page Routing: what was computed, or having it computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from app.base.escaped_text import plain
from app.data.runs import stamp, workspace
from app.data.view import View
from app.figures.curves import setting_lines
from app.shell import actions, widgets
from app.shell.figure_table import setting_table
from app.shell.sharing import is_guest
from app.workers.background import Background
from cl_core.analysis.setting_accuracy import (
    KIND,
    MOST,
    RoutingSetting,
    SettingAccuracy,
    grid,
    inputs_of,
    read,
    samples_of,
    setting_of,
    shares,
)
from cl_core.errors import UserError, counted
from cl_core.runs.cautions import named
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import key

POLL_SECONDS = 1.0
LINE = "accuracy, mean of the tasks learnt"


@st.cache_resource
def worker() -> Background:
    """One for the whole server."""
    return Background("app.workers.setting_worker")


def draw(view: View) -> None:
    """Two figures, or a button that has them computed; of a run whose router ranks."""
    st.header("Accuracy under other settings")
    if view.run is None:
        return
    try:
        by_k, by_temperature = grid(view.run, view.stage)
        names = _keys(str(view.run.path), view.stage, (*by_k, *by_temperature), stamp(view.run))
    except UserError as error:
        st.caption(plain(str(error)))
        return
    accuracies = [_there(view, settings, names) for settings in (by_k, by_temperature)]
    if not all(accuracies):
        _offer(view, names)
        return
    left, right = st.columns(2, gap="large")
    with left:
        _chart(view, accuracies[0], "k", lambda setting: setting.k)
    with right:
        _chart(view, accuracies[1], "temperature", lambda setting: setting.temperature)


def _there(
    view: View, settings: Sequence[RoutingSetting], names: Sequence[str]
) -> list[SettingAccuracy]:
    """What was computed, of all settings; empty where some is missing or damaged."""
    if view.run is None or _done(view, names) < len(names):
        return []
    accuracies = _found(str(view.run.path), view.stage, tuple(settings), stamp(view.run))
    if len(accuracies) < len(settings):
        _found.clear()
        return []
    return accuracies


def _workspaces(view: View) -> tuple[Workspace, Workspace]:
    """Of the visitor's own, where it is put, and of the run: the demonstration is read-only."""
    return workspace("Mine"), workspace(view.workspace)


@st.cache_data(max_entries=64, show_spinner=False)
def _keys(
    path: str,
    stage: int,
    settings: tuple[RoutingSetting, ...],
    stamp: Stamp,
) -> list[str]:
    """Of the artifacts, each once.

    Raises:
        UserError: the run has not come to the stage.
    """
    run = RunFolder(Path(path))
    keys = (key(KIND, inputs_of(run, stage, setting, MOST)) for setting in settings)
    return list(dict.fromkeys(keys))


def _done(view: View, names: Sequence[str]) -> int:
    """How many settings are there."""
    stores = [workspace_of.store for workspace_of in _workspaces(view)]
    return sum(any(store.has(KIND, artifact_key) for store in stores) for artifact_key in names)


def _offer(view: View, names: Sequence[str]) -> None:
    run, more = view.run, ("--stage", str(view.stage))
    if run is None:
        return
    state = worker().state(run, *more)
    if state == "computing":
        _wait(view, run, more, names)
        return
    if is_guest():
        st.caption("It was not computed for this run.")
        return
    if state == "failed":
        st.error(
            f"It could not be computed: {plain(worker().why(run, *more))}",
            icon=":material/error:",
        )
    answered = sum(shares(samples_of(run, view.stage), MOST))
    st.caption(
        f"{counted(answered, 'scored sample')}, routed and predicted again under each of "
        f"{counted(len(names), 'setting')}; nothing is "
        "trained, and what was predicted under the same weights before is looked up. Some minutes at most "
        "for small backbones; it goes on when you look at other pages."
    )
    if actions.pressed(
        "Compute", "vary", of=f"{run.name} {view.stage}", icon=":material/calculate:"
    ):
        with actions.answering("vary"):
            worker().forgive(run, *more)
        source, target = workspace(view.workspace), workspace("Mine")
        if worker().ensure(source, target, run, *more) == "waiting":
            actions.refuse(
                "vary",
                "Another run's or stage's accuracies are being computed. Press again when they are there.",
            )
        st.rerun()


def _wait(view: View, run: RunFolder, more: tuple[str, ...], names: Sequence[str]) -> None:
    """How far it is; a fragment, so that nothing else is drawn meanwhile."""

    @st.fragment(run_every=POLL_SECONDS)
    def poll() -> None:
        done = _done(view, names)
        if done == len(names) or worker().state(run, *more) != "computing":
            st.rerun()
        st.progress(
            done / len(names), f"Predicting again: {done} of {counted(len(names), 'setting')}"
        )

    poll()


def _chart(
    view: View,
    accuracies: Sequence[SettingAccuracy],
    name: str,
    value: Callable[[RoutingSetting], float],
) -> None:
    """Accuracy over the values of one setting."""
    run = view.run
    if run is None:
        return
    run_setting = setting_of(run, view.stage)
    values = [value(accuracy.setting) for accuracy in accuracies]
    means = [100 * accuracy.mean for accuracy in accuracies]
    low, high = ([100 * accuracy.interval[side] for accuracy in accuracies] for side in (0, 1))
    other = f"τ = {run_setting.temperature:g}" if name == "k" else f"k = {run_setting.k}"
    answered, there = sum(accuracies[0].samples), sum(accuracies[0].of)
    taken = counted(answered, "scored sample")
    if answered < there:
        taken = f"{answered:,} of {counted(there, 'scored sample')}, as many of every task, drawn with seed 0"
    best = max(range(len(accuracies)), key=lambda index: means[index])
    table = setting_table({LINE: means}, values, name)
    bounds = pd.DataFrame({"from (%)": low, "to (%)": high}, table.index).round(2)
    widgets.chart(
        view,
        setting_lines(
            {LINE: means},
            values,
            value(run_setting),
            view.look,
            x_title="k" if name == "k" else "temperature τ",
            y_title="accuracy (%)",
            logarithmic=name != "k",
            intervals={LINE: (low, high)},
        ),
        f"accuracy-{name}",
        widgets.About(
            alt=f"accuracy from {means[0]:.1f} % at {name} = {values[0]:g} to {means[-1]:.1f} % at {values[-1]:g}; "
            f"the highest, {means[best]:.1f} %, at {values[best]:g}",
            what="Every test sample is routed and predicted again under each setting, by the same "
            "adapters; the run's own "
            "setting is its stored score where all samples are predicted. Higher is better. Bars are "
            "95 % intervals of so "
            "many samples: settings are of the same samples, so that they differ less by chance than the bars say. "
            "Choosing a setting by the samples scored flatters it.",
            formula=r"A_t = \frac{1}{t} \sum_{j \le t} R[t, j]",
            source=f"{named(run.config)}, stage {view.stage}, {taken}, one seed, {other}",
        ),
        table=table.join(bounds),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _found(
    path: str,
    stage: int,
    settings: tuple[RoutingSetting, ...],
    stamp: Stamp,
) -> list[SettingAccuracy]:
    """What is stored; asked only where all of it is."""
    run = RunFolder(Path(path))
    workspaces = (workspace("Mine"), Workspace(run.path.parents[1]))
    accuracies = [read(workspaces, run, stage, setting) for setting in settings]
    return [accuracy for accuracy in accuracies if accuracy is not None]
