"""The selection on the map, by hand or by rule: which samples it has, and keeping them as a slice."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd
import streamlit as st

from app.base import links
from app.base.escaped_text import plain
from app.base.outcomes import NOT_LEARNT, RIGHT
from app.data.runs import WorkspaceName, workspace
from app.data.view import View
from app.serving.rights import check_host
from app.shell import actions, own_copy, widgets
from app.shell.sharing import is_guest
from cl_core.errors import UserError, counted
from cl_core.runs.slices import Slice, save_slice, slices

ANY = "any"
SAVE = "save-now"
"""Key of the button."""
SEEN = "slices-seen"
"""In the session: the slices that there were as the page was drawn last."""
RULES = {"from_task": "task", "from_class": "class", "by_adapter": "adapter", "answer": "answer"}
"""Key of a select box, and the column that it filters by."""
LABELS = {
    "from_task": "Task",
    "from_class": "Class",
    "by_adapter": "Top-1 adapter",
    "answer": "Prediction",
}


def rules(view: View, samples: pd.DataFrame) -> pd.DataFrame | None:
    """Select boxes that pick by column: the way without a mouse. Returns None where nothing is asked for."""
    chosen = samples
    asked = False
    columns = st.columns(len(RULES) + 1)
    for box, (key, column) in zip(columns, RULES.items(), strict=False):
        options = [ANY, *sorted(samples[column].unique())]
        with box:
            value = st.selectbox(LABELS[key], options, key=key, bind="query-params")
        if value != ANY:
            chosen, asked = chosen[chosen[column] == value], True
    saved = slices(workspace("Mine"), view.run.name if view.run else None)
    with columns[-1]:
        name = st.selectbox(
            "Saved slice",
            [ANY, *(saved_slice.name for saved_slice in saved)],
            key="slice",
            bind="query-params",
        )
    for saved_slice in saved:
        if saved_slice.name == name:
            chosen, asked = chosen[chosen["sample"].isin(saved_slice.samples)], True
    return chosen if asked else None


def card(view: View, chosen: pd.DataFrame, split: str) -> None:
    """What the selected samples are: how many of each task, class and adapter, and how they were answered."""
    learnt = chosen[chosen["learnt"]]
    own_adapter = (
        (learnt["adapter_index"] == learnt["task_index"]).mean() if len(learnt) else float("nan")
    )
    predictions = learnt.loc[learnt["answer"] != NOT_LEARNT, "answer"]
    right = (predictions == RIGHT).mean() if len(predictions) else float("nan")
    widgets.metrics(
        [
            ("Samples", f"{len(chosen):,}", "how many are selected"),
            (
                "Accuracy",
                _percent(right),
                f"share of right predictions of the {counted(len(predictions), 'selected sample')} that can be "
                "answered at this stage; higher is better",
            ),
            (
                "Routing accuracy",
                _percent(own_adapter),
                "share whose top-1 adapter is their true task's; higher is better",
            ),
            (
                "Entropy",
                "-" if learnt.empty else f"{learnt['entropy'].mean():.2f} nats",
                "mean of -sum_t p_t ln p_t: 0 is one adapter, ln K uniform",
            ),
        ]
    )
    for column_box, (title, column) in zip(
        st.columns(3),
        {"Task": "task", "Class": "class", "Top-1 adapter": "adapter"}.items(),
        strict=True,
    ):
        counts = chosen[column].value_counts().rename_axis(title).reset_index(name="samples")
        column_box.dataframe(
            counts,
            hide_index=True,
            key=f"counts-{column}",
            column_config={
                "samples": st.column_config.ProgressColumn(
                    "samples", format="%d", min_value=0, max_value=len(chosen)
                )
            },
        )
    _samples(chosen)
    _save(view, chosen["sample"].tolist(), split)


def _samples(chosen: pd.DataFrame) -> None:
    """The samples themselves; one opens on its own page."""
    columns = ["sample", "task", "class", "adapter", "answer", "entropy"]
    event = st.dataframe(
        chosen[columns].round(2),
        hide_index=True,
        height=240,
        key="selected-samples",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(chosen):
        sample = str(chosen.iloc[rows[0]]["sample"])
        words = f"How was {links_safe(sample)} answered?"
        # For this sample alone: by the time of the click another row may be ticked, or another choice made above.
        icon = ":material/frame_inspect:"
        if actions.pressed(words, "ask-selected", of=sample, icon=icon):
            links.turn_to("sample", sample=sample)
    else:
        st.caption("Tick a row to see how that sample was answered.")


def links_safe(text: str) -> str:
    """A sample's id inside a label, which Streamlit reads as Markdown: its marks are shown as they are."""
    return "".join(f"\\{mark}" if mark in r"\`*_{}[]()<>#+-.!|~:$" else mark for mark in text)


def _save(view: View, samples: Sequence[str], split: str) -> None:
    if view.run is None or is_guest():
        return
    form, below = st.container(), st.container()
    with (
        form,
        st.form("save-slice", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input(
            "Save as slice", placeholder="films that went to restaurants", key="slice-name"
        ).strip()
        # For these samples alone: others may have been selected by the time of the click.
        of = (view.workspace, view.run.name, split, view.stage, tuple(samples))
        save = actions.pressed(
            "Save",
            SAVE,
            of=of,
            said=below,
            draw=st.form_submit_button,
            icon=":material/bookmark_add:",
        )
    seen = st.session_state.get(SEEN, ())  # in the drawing that was clicked in
    if save:
        _keep(view.workspace, view.run.name, split, view.stage, tuple(samples), name, seen)
    st.session_state[SEEN] = tuple(slices(workspace("Mine")))
    said = st.session_state.pop("slice-said", None)
    if said is not None:
        st.success(plain(said), icon=":material/check:")


def _keep(
    workspace_name: WorkspaceName,
    run: str,
    split: str,
    after: int,
    samples: tuple[str, ...],
    name: str,
    seen: Collection[Slice],
) -> None:
    """Writes it, and has the page drawn with the new one in its menu of slices."""
    copied = ""
    with actions.answering(SAVE):
        check_host()
        if workspace_name == "Demonstration":
            if not own_copy.ensure_run(run):
                raise UserError(
                    f"your workspace has another run called '{run}', to which the slice would seem to belong; look at "
                    "that one to make slices of it"
                )
            copied = ". The demonstration is read-only: its runs are in your own workspace now, too"
        new_slice = Slice(name=name, run=run, split=split, after=after, samples=samples)
        file = save_slice(workspace("Mine"), new_slice, seen)
    st.session_state["slice-said"] = f"{counted(len(samples), 'sample')} saved as {file}{copied}"
    actions.then(**{"slice-name": ""})


def _percent(share: float) -> str:
    return "-" if share != share else f"{100 * share:.1f} %"
