"""The page Map, of the embeddings' projection: do the tasks look different to the backbone?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.base import links
from app.base.escaped_text import plain
from app.data import answer_client
from app.figures.colour_modes import COLOURS
from app.figures.scatter import HEIGHT
from app.figures.similarity import similarity
from app.map import maps, selection
from app.shell import actions, frame, own_sample, widgets
from app.shell.figure_table import figure_table
from app.shell.own_sample import Keys
from app.workers.map_key import METHODS, MOST, NEIGHBOURS
from cl_core.errors import AdapterLabError, counted
from cl_core.runs.published_text import backbone_title

# `own` and its like belong to the page *Sample*.
OWN = Keys(kind="mine_kind", text="mine", question="mine_question", file="mine_file")

view = frame.draw("Do the tasks look different to the backbone?")
run = widgets.must_be_scored(view)
if not (run.path / "routing.parquet").is_file():
    widgets.nothing(
        "No sample of this run has been routed yet, and a map needs predictions. Records are written "
        "when a run ends or is stopped.",
        "train",
        "See what is being trained",
        show="Jobs",
        job=run.name,
    )
    st.stop()

left, middle, right, own_column = st.columns([2, 2, 3, 2], vertical_alignment="bottom")
method = left.segmented_control(
    "Projection",
    METHODS,
    default=METHODS[0],
    required=True,
    key="projection",
    bind="query-params",
    help="UMAP keeps neighbours together and says little about distances; PCA is linear: the two directions of "
    "largest variance.",
)
colour = middle.selectbox(
    "Colour by",
    COLOURS,
    key="color",
    bind="query-params",
    help="The buttons above the map do the same without losing zoom; this choice goes into the link.",
)
shown = maps.look_up(view, method)
if shown is None:
    widgets.nothing(
        "This run's router reads no frozen features, and no other run here has made them on the same data. "
        "A run of the recipe **dam** on the same stream makes them, and this map then shows this run too.",
        "train",
        "Train one",
        recipe="dam",
    )
    st.stop()

if shown.state == "nothing":
    reason = maps.worker().why(run)
    st.info(
        f"{plain(reason.capitalize())}. What the frozen backbone reads of these samples does not differ: look at them "
        "on the page Stream, or train with another layer, pooling or backbone.",
        icon=":material/blur_off:",
    )
    st.stop()
if shown.state == "failed":
    st.error("The map could not be computed. What its worker said last:", icon=":material/error:")
    st.text(maps.worker().why(run))
    if actions.pressed("Try again", "map-again", of=run.name):
        with actions.answering("map-again"):
            maps.worker().forgive(run)
        st.rerun()
elif shown.state == "missing":
    st.info(
        f"{method} was not computed for this run yet: it is when whoever shares this lab looks here.",
        icon=":material/hourglass_empty:",
    )
elif shown.state is not None:
    words = "is being computed" if shown.state == "computing" else "waits for another map"
    meanwhile = " PCA meanwhile." if shown.projection else ""
    st.info(
        f"{method} {words}, some seconds the first time.{meanwhile}",
        icon=":material/hourglass_top:",
    )
    have = None if shown.projection is None else shown.projection.method
    maps.wait(view, shown.embeddings, method, have)
if shown.projection is None:
    st.container(height=HEIGHT, border=True)  # so that nothing jumps when the map is there
    st.stop()

projection, embeddings = shown.projection, shown.embeddings
samples = maps.table(view, projection)
ringed = right.selectbox(
    "Find a sample",
    samples["sample"].sort_values(),
    index=None,
    placeholder="its id",
    key="find",  # not `sample`, which links from here set on the page of that name: see app/shell/frame.py
    bind="query-params",
    help="Puts a ring around it.",
)
own_position = sample = None
try:
    with own_column.popover(
        "Add my own sample", icon=":material/add_location_alt:", key="placing", on_change="rerun"
    ) as giving:
        # Only then is the worker asked what the run's samples are: the map itself needs no model.
        if giving.open or own_sample.begun(OWN):
            sample = own_sample.draw(answer_client.kinds(view), OWN)
            own_position = None if sample is None else maps.own_position(view, shown, sample)
except AdapterLabError as error:
    st.warning(plain(str(error)))
count = counted(len(samples), "sample")
if len(samples) < projection.total:
    count = f"{len(samples):,} of {counted(projection.total, 'sample')}, drawn from each task in proportion, seed 0"
trust = (
    "not defined for so few"
    if np.isnan(projection.trustworthiness)
    else f"{projection.trustworthiness:.2f}"
)
source = (
    f"run {run.name}, stage {view.stage}, {backbone_title(run.config.settings.backbone.name)}, layer "
    f"{embeddings.layer}, {embeddings.pooling} "
    f"pooling, {embeddings.split} split, {count}, {projection.method}, trustworthiness {trust}"
)

wide, narrow = st.columns([5, 3], gap="medium")
with wide:
    st.header(f"{projection.method} of the router features")
    lassoed = widgets.chart(
        view,
        maps.figure(
            view,
            shown,
            colour,
            ringed,
            samples,
            None if own_position is None else own_position.position,
        ),
        "map",
        widgets.About(
            alt=f"{projection.method} map of {count} ({embeddings.split}) of "
            f"{counted(len(view.tasks), 'task')}, coloured by "
            f"{colour.lower()}; trustworthiness {trust}",
            what="Each point is a sample as the frozen backbone sees it, before any adapter: near points have similar "
            "features. Where two tasks overlap, routing is hard and merging has to forgive. Numbered "
            "rings are the tasks' "
            "centroids, placed among their nearest samples, side by side where they would cover each other; distances "
            "across the map mean little under UMAP. "
            f"**Trustworthiness** ({trust}) is the share of neighbours on the map that are neighbours in feature "
            "space: 1 is all, 0.5 is chance; higher is better.",
            formula=rf"T = 1 - \frac{{2}}{{Nk(2N-3k-1)}} \sum_i \sum_{{j \in U_k(i)}} (r(i,j) - k), "
            rf"\quad k = {NEIGHBOURS}",
            source=source,
        ),
        table=samples.drop(columns=["task_index", "adapter_index", "learnt"]).set_index("sample"),
        select=("points", "box", "lasso"),
    )
with narrow:
    st.header("Cosine similarity of the tasks")
    cosines = maps.centroid_cosines(view, embeddings)
    names = maps.task_names(view)[: len(cosines)]
    measured = (
        "router's centroids, of training samples"
        if embeddings.router
        else f"mean of {embeddings.split} samples"
    )
    widgets.chart(
        view,
        similarity(cosines, names, view.look, view.task),
        "centroids",
        widgets.About(
            alt=f"Cosine of each pair of {len(names)} task centroids",
            what="The exact cosine of each pair of task centroids in all dimensions, which no map can show. Near 1 the "
            "router can hardly tell the two tasks apart; neither direction is good in itself. The colours begin at "
            "the least, or at 0.9 where none is less.",
            formula=r"\cos(c_s, c_t) = \frac{c_s \cdot c_t}{|c_s||c_t|}",
            source=f"run {run.name}, stage {view.stage}, {measured}",
        ),
        table=figure_table(cosines, names, names, "cosine", "task", 4),
    )

    if own_position is not None:
        st.header("Cosine similarity of your sample")
        nearness = pd.DataFrame({"task": names, "cosine": own_position.cosines})
        st.dataframe(
            nearness.sort_values("cosine", ascending=False),
            hide_index=True,
            key="nearness",
            column_config={
                "cosine": st.column_config.ProgressColumn(
                    format="%.3f", min_value=min(0.0, *own_position.cosines), max_value=1.0
                )
            },
        )
        if (
            sample is not None
            and "text"
            in sample  # no link carries a picture; and any would carry the text of the drawing before
            and actions.pressed(
                "Which adapters does it get?", "ask-own", icon=":material/frame_inspect:"
            )
        ):
            links.turn_to("sample", **{"from": "my own", "own": sample["text"]})

st.header("Selection")
ruled = selection.rules(view, samples)
chosen = samples if ruled is None else ruled
if lassoed:
    chosen = chosen.loc[chosen.index.intersection([values[0] for values in lassoed])]
if ruled is None and not lassoed:
    st.caption(
        f"Draw around points on the map (lasso or box), or choose above. At most {MOST:,} samples are on a map."
    )
elif chosen.empty:
    st.info("No sample fits. Choose something else, or double-click the map to clear the lasso.")
else:
    selection.card(view, chosen, embeddings.split)
