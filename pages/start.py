"""The page Start, of the runs there are: where do I begin?"""

from __future__ import annotations

import os
import shutil

import streamlit as st

from app.base import links
from app.base.control_words import by_control
from app.base.escaped_text import as_label, plain
from app.data.runs import ending, report, run_names, scored, workspace
from app.data.training import STATES
from app.figures.heatmap import thumbnail
from app.shell import frame, widgets
from cl_core.errors import counted
from cl_core.reports.report_formats import number
from cl_core.runs.cautions import cautions, marked

MOST_RUNS = 6

view = frame.draw("Adapter Lab")
pages = st.session_state["pages"]
st.markdown(
    "One small **adapter** per task on a frozen **backbone**; a **router** decides for each sample which adapters it "
    "gets, and they are **merged** for that sample alone. What is forgotten, and what transfers?"
)
CARDS: tuple[tuple[str, str, tuple[tuple[str, str, dict[str, str]], ...]], ...] = (
    (
        "Explore the demonstration",
        "Finished runs, nothing to train, nothing to download.",
        (
            (
                "forgetting",
                "See what was forgotten",
                {"ws": "Demonstration", "run": "sequential"},
            ),
            (
                "sample",
                "See how one sample was routed",
                {"ws": "Demonstration", "run": "dam"},
            ),
            (
                "sample",
                "See how a clip was answered",
                {"ws": "Demonstration", "run": "clips-dam"},
            ),
        ),
    ),
    (
        "Build a stream",
        "Choose tasks of your own or from the gallery, and train on them.",
        (("stream", "Choose tasks", {"ws": "Mine"}), ("train", "Train", {"ws": "Mine"})),
    ),
    (
        "Take the tour",
        "Six lessons of a few minutes each, from forgetting to learnt routers.",
        (("learn", "Begin with the first lesson", {}),),
    ),
)
for column, (title, text, ways) in zip(st.columns(3), CARDS, strict=True):
    with column.container(border=True, height="stretch"):
        st.header(title)
        st.write(text)
        for page, label, parameters in ways:
            st.page_link(
                pages[page],
                label=label,
                icon=":material/arrow_forward:",
                query_params=links.carried(
                    **{"run": None, "after": None, "task": None, **parameters}
                ),
            )

bundled = view.workspace == "Demonstration"
st.header("The demonstration's runs" if bundled else "Recent runs")
names = run_names(view.workspace)
if not bundled:
    names = names[:MOST_RUNS]
widgets.damaged(view.workspace)
if not names:
    st.caption("There are none in this workspace yet.")
for row in range(0, len(names), 3):
    for column, name in zip(st.columns(3), names[row : row + 3], strict=False):
        run = workspace(view.workspace).find(name)
        config, said = run.config, ending(run)
        with column.container(border=True):
            st.markdown(f"**{plain(name)}**")
            what = f"{marked(config)} on {config.stream_name}, {config.protocol_title}, seed {config.seed}"
            if said.status != "finished":
                state, icon, colour = STATES[said.status]
                st.badge(state, icon=icon, color=colour)
            if said.message:
                st.error(plain(by_control(said.message)), icon=":material/error:")
            if not scored(run):
                st.caption(plain(f"{what}: nothing has been scored"))
                st.page_link(
                    pages["train"],
                    label="See its job",
                    icon=":material/arrow_forward:",
                    query_params=links.carried(ws=view.workspace, run=name, show="Jobs", job=name),
                )
                continue
            numbers = report(run)
            accuracy = number("average_accuracy", numbers.transfer["average_accuracy"])
            words = " ".join(f"{caution[0].upper()}{caution[1:]}." for caution in cautions(config))
            st.caption(
                plain(f"{what}: average accuracy {accuracy}"), help=plain(by_control(words)) or None
            )
            st.plotly_chart(
                thumbnail(100 * numbers.matrix, view.look),
                key=f"small-{name}",
                config={"staticPlot": True},
                alt=f"Score matrix of {name}",
                theme=None,
            )
            st.page_link(
                pages["forgetting"],
                label="Open",
                icon=":material/arrow_forward:",
                query_params=links.carried(ws=view.workspace, run=name, after=None, task=None),
            )

root = workspace("Mine").root.resolve()
free = shutil.disk_usage(root if root.exists() else root.parent).free / 2**30
st.caption(
    f"{counted(os.cpu_count() or 1, 'core')}, {free:.0f} GB free, workspace {as_label(str(root))}"
)
