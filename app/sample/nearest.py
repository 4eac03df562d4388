"""Nearest training samples of a sample, as the router sees it: a piece of the page Sample."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from app.base import theme
from app.base.escaped_text import plain
from app.data import answer_client
from app.data.view import View
from app.sample import cards
from app.sample.sample_choice import SampleChoice
from app.shell import widgets
from app.workers.process import WorkerFailed
from cl_core.errors import UserError

COUNTS = (5, 10, 20)
ROW, STRIP = 64, 296
"""Pixels: the height of a row with a picture, and a width in which a clip's four frames have room."""
WHAT = (
    "The samples that the adapters were trained on, sorted by the cosine of their frozen features to this sample's. "
    "Where the nearest samples are of one task, its adapter is an easy choice; where they are mixed, so are the tasks. "
    "Higher is more similar."
)
FORMULA = r"\cos(e(x), e(x_i)) = \frac{e(x) \cdot e(x_i)}{|e(x)||e(x_i)|}"


def draw(view: View, chosen: SampleChoice, clip: bool) -> None:
    """The list with its cosines; why there is none where there is none.

    Args:
        view: what is looked at.
        chosen: the sample.
        clip: whether it is one; its like are then read only when they are asked for, as what-ifs would wait for them.
    """
    st.header("Which training samples are nearest?")
    if clip and not st.toggle(
        "Find them (reads every training clip: some seconds the first time)",
        key="look_up",
        bind="query-params",
    ):
        return
    count = st.segmented_control(
        "How many",
        COUNTS,
        default=COUNTS[0],
        required=True,
        key="near",
        bind="query-params",
        label_visibility="collapsed",
    )
    try:
        with st.spinner("Searching the training samples…", show_time=True):
            rows = answer_client.near(view, chosen.sample, int(count or COUNTS[0]))
    except (UserError, WorkerFailed) as error:
        st.warning(f"The training samples cannot be shown: {plain(str(error))}")
        return
    if not rows:
        st.caption(
            "No features of this run's training samples are stored. A run of the recipe dam on the same stream makes "
            "them, and they are then shown here too."
        )
        return
    names = {name: theme.numbered(index, name) for index, name in enumerate(view.tasks)}
    table = pd.DataFrame(
        {
            "cosine": [row["cosine"] for row in rows],
            "task": [names.get(row["task"], row["task"]) for row in rows],
            "label": [row["label"] for row in rows],
            "sample": [row["text"] for row in rows],
        },
        index=pd.Index([row["id"] for row in rows], name="id"),
    )
    cards.line(summary(table["task"].tolist()), view.look)
    seen = table
    if any(row["picture"] for row in rows):
        pictures = [f"data:image/png;base64,{row['picture']}" for row in rows]
        seen = table.assign(picture=pictures)[["cosine", "task", "label", "picture", "sample"]]
    low = float(table["cosine"].min())
    st.dataframe(
        seen,
        key="nearest",
        row_height=ROW if "picture" in seen else None,
        column_config={
            "cosine": st.column_config.ProgressColumn(
                format="%.3f", min_value=min(0.0, low), max_value=1.0, width="small"
            ),
            "picture": st.column_config.ImageColumn(width=STRIP if clip else "medium"),
            "sample": st.column_config.TextColumn(width="large"),
        },
    )
    widgets.beneath(
        view,
        "nearest",
        widgets.About(
            what=WHAT,
            formula=FORMULA,
            source=f"run {view.run.name if view.run else ''}, stage {view.stage}, training samples of "
            "the tasks learnt, "
            "features as the router reads them, exact",
        ),
        table=table,
    )


def summary(tasks: list[str]) -> str:
    """In words, which tasks the nearest rows are of: "4 of the 5 nearest are of 2 films, 1 of 3 products."

    Args:
        tasks: numbered names, nearest first.
    """
    counts = Counter(tasks).most_common()
    (first, most), others = counts[0], counts[1:]
    rest = "".join(f", {many} of {name}" for name, many in others)
    if len(tasks) == 1:
        return f"The nearest is of {first}."
    return f"{most} of the {len(tasks)} nearest are of {first}{rest}."
