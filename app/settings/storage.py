"""Disk use of the workspace by its parts, and clearing the store: pieces of the page Settings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from app.base.escaped_text import plain
from app.data.runs import workspace
from app.serving.rights import check_host
from app.shell import actions
from app.shell.sharing import is_guest
from cl_core.archive.needs import UnknownNeeds
from cl_core.archive.prune import Sizes, StoredArtifact, clean, folder_bytes, sizes, unused
from cl_core.backbones.fetch.backbone_cache import cache_folder
from cl_core.errors import counted

MEASURED_FOR_SECONDS = 30
KINDS = {
    "adapter": "adapters and heads, one per task",
    "features": "router features of each split",
    "states": "pooled last hidden states at each stage",
    "router": "centroids and other states of routers",
    "network": "L2R's routers",
    "shared": "the one adapter of a baseline",
    "checkpoint": "checkpoints within a task",
    "projection": "maps of features",
    "varied": "accuracies under other settings of k and temperature",
    "timing": "time that each of these took",
}


@st.cache_data(ttl=MEASURED_FOR_SECONDS, show_spinner=False)
def measured(root: str) -> Sizes:
    """Of the workspace under this folder; measured again now and then."""
    return sizes(workspace("Mine"))


@st.cache_resource(ttl=MEASURED_FOR_SECONDS, show_spinner=False)
def _unused(root: str) -> list[StoredArtifact]:
    return unused(workspace("Mine"), [workspace("Demonstration")])


@st.cache_data(ttl=600, show_spinner=False)
def downloads() -> dict[str, tuple[Path, int]]:
    """What was fetched for all workspaces, from the hub by all programs of this user: folder and bytes."""
    from huggingface_hub.constants import HF_HOME, HF_HUB_CACHE

    folders = {
        "Models and files of the hub": Path(HF_HUB_CACHE),
        "Data sets": Path(HF_HOME) / "datasets",
        "Fetched backbones": cache_folder(),
    }
    return {name: (folder, folder_bytes(folder)) for name, folder in folders.items()}


def table(sizes: Sizes) -> pd.DataFrame:
    """Rows: part, what it is, bytes as MB; the largest first."""
    rows = [("runs", f"run {name}", size) for name, size in sizes.runs.items()]
    rows += [(f"store/{kind}", KINDS.get(kind, ""), size) for kind, size in sizes.store.items()]
    rows += [(name, "", size) for name, size in sizes.rest.items()]
    if sizes.damaged:
        rows.append(("store/.damaged", "artifacts that failed their check", sizes.damaged))
    frame = pd.DataFrame(
        [(part, size / 1e6, what) for part, what, size in rows],
        columns=["part", "MB", "what it is"],
    )
    return frame.sort_values("MB", ascending=False, ignore_index=True)


def clean_up() -> None:
    """What no run needs: sizes first, then a confirmation, then it goes."""
    removed = st.session_state.pop("removed", None)
    if removed is not None:
        st.success(
            f"Removed {counted(removed[0], 'artifact')}, {megabytes(removed[1])}.",
            icon=":material/check:",
        )
    try:
        unused = _unused(str(workspace("Mine").root.resolve()))
    except UnknownNeeds as error:
        st.warning(plain(str(error)), icon=":material/warning:")
        return
    if not unused:
        st.caption("Every artifact in the store is needed by a run. There is nothing to clean up.")
        return
    st.write(
        f"No run needs **{counted(len(unused), 'artifact')}, {megabytes(_bytes(unused))}**, left by runs that were "
        "deleted or carried out anew. Results stay; what is asked for again is computed again."
    )
    kinds = pd.DataFrame(
        [(artifact.kind, artifact.bytes) for artifact in unused], columns=["kind", "MB"]
    )
    by_kind = kinds.groupby("kind")["MB"].agg(["count", "sum"]).reset_index()
    by_kind.columns = ["kind", "artifacts", "MB"]
    by_kind["MB"] /= 1e6
    st.dataframe(by_kind.round(2), hide_index=True, key="unused")
    if is_guest():
        st.caption("Guests cannot clean up.")
        return
    sure = st.checkbox("Remove them for good", key="sure")
    words = f"Remove {megabytes(_bytes(unused))}"
    if not actions.pressed(words, "remove-unused", icon=":material/delete:", type="primary"):
        return
    if not sure:
        actions.refuse("remove-unused", "Nothing was removed: tick the box above if you are sure.")
    with actions.answering("remove-unused"):
        check_host()
        gone = clean(workspace("Mine"), [workspace("Demonstration")])
    st.session_state["removed"] = len(gone), _bytes(gone)
    measured.clear()
    _unused.clear()
    actions.then(sure=False)


def megabytes(count: int) -> str:
    """ "12.3 MB", or GB from a thousand on."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _bytes(artifacts: list[StoredArtifact]) -> int:
    return sum(artifact.bytes for artifact in artifacts)
