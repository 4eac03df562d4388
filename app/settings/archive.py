"""The workspace as a zip, and runs from a zip: a piece of the page Settings."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import streamlit as st

from app.base.escaped_text import plain
from app.data import server_paths
from app.data.runs import readable, unreadable, workspace
from app.serving.rights import check_host
from app.settings import storage
from app.shell import actions, downloads
from app.shell.sharing import is_guest
from cl_core.archive.pack import archive_contents, write_zip
from cl_core.archive.unpack import UnpackResult, unpack
from cl_core.errors import UserError, counted
from cl_core.system_faults import naming

MOST_LINES = 5
"""Lines about what is left out that are shown."""
MOST_BYTES = 300 * 10**6
"""Of a download: Streamlit's server holds it in memory while the browser fetches it."""


def carry() -> None:
    """Both directions, side by side."""
    if is_guest():
        st.caption("Guests have read-only access: whoever shares this lab exports and imports.")
        return
    out, back = st.columns(2, gap="large")
    with out:
        _pack()
    with back:
        _take_in()


def _pack() -> None:
    mine = workspace("Mine")
    names = list(readable("Mine"))
    if not names:
        st.caption("There is no run to export yet.")
        return
    chosen = st.multiselect(
        "Export",
        names,
        key="pack",
        placeholder="the whole workspace",
        help="A run is exported with everything that it names: adapters, features, its stream and uploaded data.",
    )
    size, left_out = _contents(str(mine.root.resolve()), tuple(chosen))
    large = size > MOST_BYTES
    if not large:  # the label says what is in it: all, or these runs
        downloads.hold(
            f"Zip of {_named(chosen)}, {storage.megabytes(size)}",
            "zip",
            lambda: zipped(chosen),
            f"{'-'.join(chosen) if 0 < len(chosen) < 4 else 'workspace'}.zip",
            "application/zip",
            icon=":material/folder_zip:",
        )
    else:
        st.caption("Too large for the browser. In a terminal:")
        words = "".join(f" --run {name}" for name in chosen)
        st.code(f"adapter-lab pack workspace.zip{words} --workspace {mine.root}", language="bash")
    if left_out:
        st.caption(f"Left out: {'; '.join(plain(line) for line in left_out[:MOST_LINES])}")
    if len(left_out) > MOST_LINES:
        st.caption(f"and {len(left_out) - MOST_LINES} more, which `adapter-lab pack` lists.")


def _named(chosen: Sequence[str]) -> str:
    return (
        plain(chosen[0]) if len(chosen) == 1 else counted(len(chosen), "run") if chosen else "all"
    )


def zipped(runs: Sequence[str]) -> io.BufferedReader:
    """The zip as a temporary file at its beginning, gone when it is closed.

    Args:
        runs: names; none for the whole workspace.
    """
    contents = archive_contents(workspace("Mine"), list(runs) or None)
    with naming(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as file:
        write_zip(contents, file)
        file.seek(0)
        # Streamlit sends what was opened for reading alone.
        return open(os.dup(file.fileno()), "rb")  # noqa: PTH123 - whoever sends it closes it


@st.cache_data(ttl=storage.MEASURED_FOR_SECONDS, show_spinner=False)
def _contents(root: str, runs: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """Bytes of a zip, and what it leaves out."""
    contents = archive_contents(workspace("Mine"), runs or None)
    return contents.bytes, contents.left_out


def _take_in() -> None:
    file = st.file_uploader(
        "Import a zip of a workspace or of run folders",
        ["zip"],
        key="take-in",
        help="What is here already stays as it is. Every name, size and hash is checked before anything is written.",
    )
    path = st.text_input(
        "or its path on this machine",
        key="take-in-path",
        placeholder="for what is too large to upload",
    )
    if actions.pressed("Import", "take-in-now", icon=":material/unarchive:"):
        if file is None and not path.strip():
            actions.refuse("take-in-now", "Upload a zip, or type its path on this machine first.")
        st.session_state["taken-in"] = _take(file, path)
        st.rerun()
    came = st.session_state.pop("taken-in", None)
    if isinstance(came, UnpackResult):
        st.success(plain(str(came)).replace("\n", "\n\n"), icon=":material/check:")
    elif came is not None:
        st.error("Nothing was imported.", icon=":material/error:")
        st.text(came)
    st.caption("Or put a run folder into `runs/` by hand: it shows at the next click.")
    for name, fault in unreadable("Mine").items():
        st.warning(f"{plain(name)} in `runs/` is no run that can be read.", icon=":material/error:")
        st.text(fault)


def _take(file: IO[bytes] | None, path: str) -> UnpackResult | str:
    """What came, or why nothing did."""
    mine = workspace("Mine")
    try:
        check_host()
        source: IO[bytes] | Path = (
            file if file is not None else server_paths.server_path(mine, path)
        )
        return unpack(mine, source)
    except UserError as error:
        return str(error)
    finally:
        storage.measured.clear()
