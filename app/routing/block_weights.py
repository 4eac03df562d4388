"""Which adapters each adapted block uses: L2R has a router in every one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.data import routing_tables as tables
from app.data.routing_records import RoutingRecords
from app.data.view import View
from app.figures.heatmap import heatmap
from app.shell import widgets
from app.shell.figure_table import figure_table
from cl_core.errors import counted


def draw(
    view: View,
    routed: RoutingRecords,
    present: Sequence[int],
    rows: Sequence[str],
    adapters: Sequence[str],
    source: str,
) -> None:
    """The mean weights under each block's router, of all samples or of one task's.

    Args:
        view: what is looked at.
        routed: the stage's records, with weights of every block.
        present: indices of the tasks that have samples.
        rows: their names.
        adapters: K numbered names.
        source: of the numbers.
    """
    st.header("Which adapters does each block use?")
    of = st.selectbox(
        "Samples of", ["every task", *rows], key="blocks_of", bind="query-params", width=260
    )
    means = tables.block_means(routed, None if of not in rows else present[rows.index(of)])
    if means is None:
        return
    blocks = [f"router {index + 1}" for index in range(len(means))]
    widgets.chart(
        view,
        heatmap(
            means,
            blocks,
            adapters,
            view.look,
            row_title="router",
            column_title="adapter",
            value_title="mean weight (%)",
            highlight=view.task if view.task is not None and view.task < len(adapters) else None,
        ),
        "block-means",
        widgets.About(
            alt=f"mean weights of {counted(len(adapters), 'adapter')} under {counted(len(blocks), 'router')}",
            what="Every adapted block has its own router, the first next to the input. "
            "Rows add up to 100 %; where a column stands out from the "
            "bottom to the top, the routers agree.",
            formula=r"\bar\alpha^{(b)}_t = \frac{1}{N} \sum_x \alpha^{(b)}_t(x)",
            source=source,
        ),
        table=figure_table(means, blocks, adapters, "%", "router"),
    )
