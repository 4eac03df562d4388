"""A new task, and where its data set comes from: the gallery, a file, a path on the server, or the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app.base import links
from app.base.escaped_text import as_label, plain
from app.data import server_paths, stream_edits, stream_files
from app.data.stream_checks import hub_size
from app.shell import actions, uploads
from app.shell.stream_choice import StreamChoice, add, named
from app.stream.stream_columns import mapping
from cl_core.errors import UserError, counted
from cl_core.runs.workspace import Workspace
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.stream_loader import find_stream

RECEIVED = "received"
"""Key of the menu of what was uploaded and not added yet."""
LOADED = "hub-loaded"
"""In the session: name and revision of the data set whose columns are shown."""
PICKS = "gallery-tasks-"
"""Keys of the pills begin so; the stream's name follows."""
SOURCES = ("Gallery", "File", "Path on the server", "Hub")


def new_task(workspace: Workspace, chosen: StreamChoice) -> None:
    """The four ways in; where something was added, the first is shown again."""
    with st.container(border=True):
        links.settle("add_from", SOURCES, SOURCES[0])
        way = st.segmented_control(
            "Add tasks from",
            SOURCES,
            required=True,
            key="add_from",
            bind="query-params",
        )
        ways = dict(zip(SOURCES, (_gallery, _file, _path, _hub), strict=True))
        if way is not None and ways[way](workspace, chosen):
            picks = [key for key in map(str, st.session_state) if key.startswith(PICKS)]
            actions.then(add_from=SOURCES[0], **{key: [] for key in picks})


def _gallery(workspace: Workspace, chosen: StreamChoice) -> bool:
    available = [info for info in named() if info.available]
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    name = left.selectbox("Gallery", [info.name for info in available], key="gallery")
    info = next(info for info in available if info.name == name)
    picked = right.pills(
        "Tasks", info.tasks, selection_mode="multi", format_func=as_label, key=f"{PICKS}{name}"
    )
    st.caption(plain(info.title))
    spec, folder = find_stream(name)
    tasks = [_from_gallery(workspace, task, folder) for task in spec.tasks if task.name in picked]
    if actions.pressed(
        "Add", "add-gallery", of=chosen.label, type="primary", icon=":material/add:"
    ):
        if not tasks:
            actions.refuse("add-gallery", "No task is picked: pick some under Tasks first.")
        with actions.answering("add-gallery"):
            add(workspace, chosen, tasks)
        return True
    return False


def _from_gallery(workspace: Workspace, task: TaskSpec, folder: Path) -> TaskSpec:
    """The task as another stream's file can name it."""
    if task.path is None:
        return task
    path = (folder / task.path).resolve()
    return task.model_copy(update={"path": stream_files.named_from(workspace, path)})


def _file(workspace: Workspace, chosen: StreamChoice) -> bool:
    given = st.file_uploader(
        "A table with a text and a label in each row, or a zip with one folder of pictures for each class",
        type=[*server_paths.TABLES, "zip"],
        key="upload",
        help=f"At most {uploads.MOST_BYTES // 2**20} MB; validation and test samples are cut off where there are none.",
    )
    if given is not None:
        try:
            received = uploads.receive(workspace, given.name, given.getvalue())
        except UserError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return False
        one = uploads.Upload(received, given.name)
    else:
        waiting = _waiting(workspace)
        if waiting is None:
            return False
        one = waiting
    kind = "image" if one.path.is_dir() else "text"
    return mapping(workspace, chosen, {"path": str(one.path)}, Path(one.name).stem, kind, one)


def _waiting(workspace: Workspace) -> uploads.Upload | None:
    """What was received before: the browser forgets a file on the way to another page and when it is reloaded."""
    waiting = uploads.waiting(workspace)
    if not waiting:
        return None
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    by_path = {
        upload.path.relative_to(workspace.root.resolve()).as_posix(): upload for upload in waiting
    }
    if st.session_state.get(RECEIVED) not in by_path:
        st.session_state.pop(RECEIVED, None)
    path = left.selectbox(
        "Received before, and not added yet",
        list(by_path),
        format_func=lambda path: by_path[path].name,
        key=RECEIVED,
        help="Kept for a day; the newest first.",
    )
    with right:
        if actions.pressed("Discard", "forget-upload", of=path, icon=":material/close:"):
            uploads.forget(workspace, by_path[path].path)
            st.rerun()
    return by_path[path]


def _path(workspace: Workspace, chosen: StreamChoice) -> bool:
    roots = ", ".join(str(root) for root in server_paths.allowed_roots(workspace))
    text = st.text_input(
        "A file or folder on the server", key="server-path", help=plain(f"Under {roots}")
    )
    if not text:
        st.caption(plain(f"Folders that may be read: {roots}"))
        return False
    try:
        path = server_paths.server_path(workspace, text)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    source = {"path": stream_files.named_from(workspace, path)}
    return mapping(workspace, chosen, source, path.stem, server_paths.likely_kind(path))


def _hub(workspace: Workspace, chosen: StreamChoice) -> bool:
    one, two, three = st.columns([2, 1, 2])
    name = one.text_input("Data set", placeholder="owner/name", key="hub-name").strip()
    config = two.text_input("Configuration", placeholder="its default", key="hub-config").strip()
    revision = three.text_input(
        "Revision",
        placeholder="a commit's hash",
        key="hub-revision",
        help="What is loaded must not change under a run: ask for the size, and the newest commit is filled in.",
    ).strip()
    names = st.columns(3)
    split = {
        field: column.text_input(
            f"{field.capitalize()} split", placeholder=field, key=f"hub-{field}"
        )
        for field, column in zip(("train", "validation", "test"), names, strict=True)
    }
    source: dict[str, Any] = {"hub": name, "config": config or None, "revision": revision or None}
    given = {field: value for field, value in split.items() if value}
    if given:
        source["split"] = given
    st.caption("The hub needs a network; everything else here works without one.")
    row, said = st.container(horizontal=True), st.container()
    with row:
        if actions.pressed("Look up its size", "hub-ask", icon=":material/scale:", said=said):
            if not name:
                actions.refuse("hub-ask", "Type the data set's name first, as owner/name.")
            _ask_size(source)
        icon = ":material/download:"
        if actions.pressed("Load it and show its columns", "hub-load", said=said, icon=icon):
            if not name or not revision:
                actions.refuse(
                    "hub-load", "Type the data set's name and its revision first: ask for the size."
                )
            st.session_state[LOADED] = (name, revision)
    asked = st.session_state.get("hub-size")
    if asked is not None and asked["name"] == name:
        _show_size(asked["answer"])
    if name and st.session_state.get(LOADED) == (name, revision):
        return mapping(workspace, chosen, source, name.split("/")[-1], "text")
    return False


def _ask_size(source: dict[str, Any]) -> None:
    """Keeps the answer, pins the newest commit where no revision was given, and has the page drawn with it."""
    try:
        task = stream_edits.checked_task({"name": uploads.plain_name(source["hub"]), **source})
    except UserError as error:
        answer: dict[str, Any] = {"error": str(error)}
    else:
        answer = hub_size(task)
    st.session_state["hub-size"] = {"name": source["hub"], "answer": answer}
    pinned = {"hub-revision": answer["size"]["revision"]} if "size" in answer else {}
    actions.then(**pinned)


def _show_size(answer: dict[str, Any]) -> None:
    if "error" in answer:
        st.error(plain(answer["error"]), icon=":material/cloud_off:")
        return
    size = answer["size"]
    st.info(
        f"{size['bytes'] / 2**20:,.1f} MB in {counted(size['files'], 'file')}",
        icon=":material/scale:",
    )
