"""The page Settings, of the workspace and this machine: where is my data?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.base import theme
from app.base.escaped_text import plain
from app.data import server_paths
from app.data.runs import workspace
from app.settings import archive, diagnostics, storage
from app.settings.citations import PAPERS
from app.shell import frame, preferences, widgets
from app.shell.sharing import is_guest
from cl_core import __version__
from cl_core.errors import counted
from cl_core.runs.variables import DATA_ROOTS
from cl_core.tasks.stream_loader import DATA_VARIABLE

view = frame.draw("Where is my data?")
mine = workspace("Mine")
sizes = storage.measured(str(mine.root.resolve()))
st.write("Everything that you make lies in one folder. Copy it, and you have everything.")
st.code(str(mine.root.resolve()), language=None)
store = sum(sizes.store.values())
widgets.metrics(
    [
        ("Total", storage.megabytes(sizes.total), "runs, store and the rest of the folder"),
        (
            "Runs",
            storage.megabytes(sum(sizes.runs.values())),
            f"{counted(len(sizes.runs), 'run folder')}: settings, events, scores, routing records",
        ),
        (
            "Store",
            storage.megabytes(store),
            "adapters, features, states: shared by all runs, each kept once",
        ),
        (
            "Downloads",
            storage.megabytes(sum(size for _, size in storage.downloads().values())),
            "the hub's own cache, shared with other programs of yours, and fetched backbones",
        ),
    ]
)

left, right = st.columns([3, 2], gap="large")
with left:
    st.header("Disk usage")
    parts = storage.table(sizes)
    if parts.empty:
        st.caption("Nothing yet: this folder is made with your first run.")
    else:
        st.dataframe(
            parts,
            hide_index=True,
            height=min(36 * (len(parts) + 1), 400),
            key="parts",
            column_config={
                "MB": st.column_config.ProgressColumn(
                    width="medium",
                    format="%.2f",
                    min_value=0,
                    max_value=float(parts["MB"].max()) or 1.0,
                )
            },
        )
    for name, (folder, bytes_there) in storage.downloads().items():
        st.text(f"{name}: {storage.megabytes(bytes_there)} in {folder}")
with right:
    st.header("Clean up")
    storage.clean_up()

    st.header("Display")
    size = st.segmented_control(
        "Text size",
        list(theme.TEXT_SIZES),
        default=theme.chosen_size(),
        required=True,
        key="text",
        bind="query-params",
        help="Of pages and figures, in this tab; links keep it.",
    )
    st.session_state["text_size"] = size  # the widget's own value ends with this page
    st.caption("Light or dark follows your system.")

    st.header("Data on this machine")
    st.write("Tasks may name files and folders under:")
    for root in server_paths.allowed_roots(mine):
        st.code(str(root), language=None)
    st.caption(
        f"To allow more, set the environment variable {DATA_ROOTS} to folders, separated as in PATH, and "
        f"start the app again; {DATA_VARIABLE} names the folder of the papers' data."
    )

    st.header("Network")
    st.session_state["offline"] = preferences.offline()  # as it is for all; set by a click alone
    st.toggle(
        "Stay offline",
        key="offline",
        on_change=preferences.take_offline,
        disabled=is_guest(),
        help="Sets HF_HUB_OFFLINE for jobs started from now on: what is not downloaded yet cannot be used.",
    )
    refusal = preferences.refusal()
    if refusal:
        st.error(plain(refusal), icon=":material/error:")
    st.caption("Apart from the hub, when you ask for something there, nothing leaves this machine.")

st.header("Export and import")
archive.carry()

st.header("This machine")
environment = diagnostics.environment()
machine, packages = st.columns(2, gap="large")
machine.dataframe(
    pd.DataFrame(
        [
            ("Adapter Lab", __version__),
            ("Device", environment["device"]),
            ("Cores", str(environment["cores"])),
            ("Processor", environment["processor"]),
            ("System", environment["platform"]),
            ("Python", environment["python"]),
        ],
        columns=["what", "here"],
    ),
    hide_index=True,
    key="machine",
)
packages.dataframe(
    pd.DataFrame(
        [
            (name, package_version or "not installed")
            for name, package_version in environment["packages"].items()
        ],
        columns=["package", "version"],
    ),
    hide_index=True,
    height=247,
    key="packages",
)
with st.expander("Diagnostics to copy into a question", icon=":material/content_copy:"):
    st.caption(
        "Versions, machine, sizes and the last words of failed jobs. Read it before you send it."
    )
    st.code(diagnostics.as_text(sizes), language="json")

st.header("Cite")
st.write("The methods are those of three papers. Cite the ones that you use.")
for name, tab in zip(PAPERS, st.tabs(list(PAPERS)), strict=True):
    tab.code(PAPERS[name], language="latex")
