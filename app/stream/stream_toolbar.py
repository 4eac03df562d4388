"""What is done with whole streams: a new one, a copy, the file, away with it, and on to training."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.base import links
from app.base.popovers import closed, popover
from app.data import stream_edits, stream_files
from app.serving.rights import check_host
from app.shell import actions, downloads
from app.shell.proposals import proposed
from app.shell.sharing import is_guest
from app.shell.stream_choice import OWN, PROTOCOLS, StreamChoice
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream_file import dump_stream


def begin(workspace: Workspace, name: str, protocol: str, copy: StreamChoice | None) -> str:
    """A new stream: empty, or a copy of another; its label.

    Raises:
        UserError: the name is none, or is taken.
    """
    path = stream_files.file_of(workspace, name)
    if path.is_file():
        raise UserError(f"there is a stream '{name}' already")
    if copy is not None and copy.spec is not None:
        beside = copy.folder == stream_files.folder(workspace)
        spec = (
            stream_edits.rebuilt(copy.spec, name=name)
            if beside
            else stream_edits.copied(copy.spec, name, copy.folder)
        )
        stream_files.save(workspace, spec, "")
    else:
        stream_files.begin_draft(workspace, name, protocol)
    return f"{OWN}{path.name}"


def draw(workspace: Workspace, chosen: StreamChoice) -> None:
    """New, copy, protocol, download, remove, and on to training."""
    row, handed = st.container(horizontal=True, vertical_alignment="center"), st.container()
    with row:
        if not is_guest():
            with popover("New stream", "new-stream", ":material/add:"):
                _new(workspace, None)
        if chosen.spec is not None:
            if not is_guest():
                with popover("Copy and change", "copy-stream", ":material/content_copy:"):
                    _new(workspace, chosen)
            downloads.offer(
                "YAML",
                "yaml-stream",
                partial(dump_stream, chosen.spec),
                f"{chosen.name}.yaml",
                "application/yaml",
                room=handed,
                help="The file that `adapter-lab run --stream FILE` reads",
            )
        if chosen.editable:
            with popover("Remove", "remove-stream", ":material/delete:"):
                st.write("The stream's file goes; uploaded data stay.")
                _remove(workspace, chosen)
        if chosen.spec is not None and actions.pressed(
            "Train on it", "train-on-it", icon=":material/arrow_forward:"
        ):
            links.turn_to("train", on=chosen.label, ws="Mine", show="New run")


def _new(workspace: Workspace, copy: StreamChoice | None) -> None:
    kind = "copy" if copy else "new"
    key = f"{kind}-create"
    taken = {path.stem for path in stream_files.stream_files(workspace)}
    with st.form(f"{kind}-form", border=False, enter_to_submit=False):
        proposal = stream_edits.free_name(f"my-{copy.name}" if copy else "my-stream", taken)
        name = proposed("Name", proposal, f"{kind}-name", "Letters, digits and . + - _")
        protocol = "cil"
        if copy is None:
            words = st.selectbox("Protocol", list(PROTOCOLS.values()), index=1, key="new-protocol")
            protocol = next(name for name, value in PROTOCOLS.items() if value == words)
        if not actions.pressed(
            "Copy" if copy else "Create",
            key,
            of=copy.label if copy else None,
            draw=st.form_submit_button,
            type="primary",
        ):
            return
    with actions.answering(key):
        label = begin(workspace, name, protocol, copy)
    actions.then(stream=label, **{f"{kind}-name": ""}, **closed(f"{kind}-stream"))


def _remove(workspace: Workspace, chosen: StreamChoice) -> None:
    if not actions.pressed("Remove this stream", "remove-now", of=chosen.label, type="primary"):
        return
    with actions.answering("remove-now"):
        check_host()
        if chosen.path is not None:
            stream_files.remove(chosen.path, chosen.seen)
        stream_files.end_draft(workspace, chosen.name)
    actions.then(stream=actions.GONE, **closed("remove-stream"))
