"""The samples behind a cell of a figure, each a way to the page Sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.base import links
from app.base.escaped_text import plain
from app.data import answer_client
from app.data.routing_records import RoutingRecords
from app.data.view import View
from app.shell import actions
from app.workers.process import WorkerFailed
from cl_core.errors import UserError, counted
from cl_core.runs.run_config import RunConfig

MOST_ROWS = 500
LAST_CLICK = "confusion-click"


def behind_a_cell(
    view: View,
    config: RunConfig,
    routed: RoutingRecords,
    clicked: Sequence[Sequence[int]],
    present: Sequence[int],
    rows: Sequence[str],
    adapters: Sequence[str],
) -> None:
    """Draws the choice of a cell and the list of its samples.

    Args:
        view: what is looked at.
        config: of the run.
        routed: the stage's records.
        clicked: row and column of the cell that was clicked, if any.
        present: indices of the tasks in the rows.
        rows: their names.
        adapters: names of the columns.
    """
    # A click is taken over once; afterwards the boxes rule, which a keyboard can reach.
    if clicked and st.session_state.get(LAST_CLICK) != clicked[0]:
        st.session_state["true"] = rows[clicked[0][0]]
        st.session_state["got"] = adapters[clicked[0][1]]
    st.session_state[LAST_CLICK] = clicked[0] if clicked else None
    for key, options in (("true", rows), ("got", adapters)):
        if st.session_state.get(key) not in (None, *options):
            del st.session_state[key]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = st.selectbox(
            "Samples of",
            rows,
            index=None,
            key="true",
            bind="query-params",
            width=240,
            placeholder="a true task",
        )
        got = st.selectbox(
            "that got",
            adapters,
            index=None,
            key="got",
            bind="query-params",
            width=240,
            placeholder="an adapter",
        )
    if true is None or got is None:
        st.caption("Click a cell above, or choose both here, to see the samples behind it.")
        return
    sample_rows = np.flatnonzero(
        (routed.true == present[rows.index(true)]) & (routed.chosen == adapters.index(got))
    )
    if not len(sample_rows):
        st.caption(plain(f"No sample of {true} got {got}."))
        return
    list_samples(
        view,
        config,
        routed,
        sample_rows,
        f"{counted(len(sample_rows), 'sample')} of {true} got {got}",
    )


def list_samples(
    view: View,
    config: RunConfig,
    routed: RoutingRecords,
    rows: Sequence[int] | NDArray[np.intp],
    title: str,
    more: Mapping[str, Sequence[str]] | None = None,
    after: str | None = None,
) -> None:
    """Draws a list of samples, MOST_ROWS at most; choosing one leads to the page Sample.

    Args:
        view: what is looked at.
        config: of the run.
        routed: the records of a stage.
        rows: of the samples among them.
        title: what they are.
        more: further columns, one value for each row.
        after: the stage as the slider names it, where it is not the one that is looked at.
    """
    rows = rows[:MOST_ROWS]
    stage = {} if after is None else {"after": after}
    try:
        with st.spinner("Loading their texts…", show_time=True):
            lines = answer_client.lines(view)
    except (UserError, WorkerFailed) as error:
        st.warning(f"Their texts cannot be shown: {plain(str(error))}")
        lines = {}
    ids = [routed.ids[row] for row in rows]
    label, said = routed.column("label").astype(int), routed.column("prediction").astype(int)
    space = config.label_space
    table = pd.DataFrame(
        {
            "sample": [lines.get(sample_id) or sample_id for sample_id in ids],
            "true label": [space[label[row]] if label[row] >= 0 else "none learnt" for row in rows],
            "prediction": [space[said[row]] for row in rows],
            "is": [routed.verdict(row) for row in rows],
            **{name: values[: len(rows)] for name, values in (more or {}).items()},
            "margin": [routed.column("margin")[row] for row in rows],
        },
        index=pd.Index(ids, name="id"),
    )
    st.markdown(f"**{plain(title)}**: choose one to see how it was answered.")
    event = st.dataframe(
        table,
        key="behind",
        on_select="rerun",
        selection_mode="single-row",
        height=min(38 * (len(ids) + 1), 300),
        column_config={
            "sample": st.column_config.TextColumn(width="large"),
            "margin": st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1),
        },
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one = st.selectbox("Sample", ids, key="one", width=240)
        # Not a link: that would lead to what was chosen in the drawing before.
        icon = ":material/frame_inspect:"
        asked = [one] if actions.pressed("See how it was answered", "ask-one", icon=icon) else []
    asked += [ids[row] for row in event["selection"]["rows"]]
    if asked:
        links.turn_to("sample", sample=asked[0], **stage)
