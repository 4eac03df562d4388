"""Where a new task comes from: the gallery, a file, a path on the server, or the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import actions, links, stream_files, uploads
from app.proposals import proposed
from app.stream_cards import KINDS, problems
from app.stream_checks import check_task, hub_size
from app.stream_choice import Chosen, add, named
from app.text import plain
from cl_core.decode import WHITE
from cl_core.errors import UserError
from cl_core.lab.workspace import Workspace
from cl_core.tasks.load import find_stream
from cl_core.tasks.spec import TaskSpec

ADD = "add-mapped"
"""Key of the button."""
RECEIVED = "received"
"""Key of the menu of what was uploaded and not added yet."""
LOADED = "hub-loaded"
"""In the session: name and revision of the data set whose columns are shown."""
SOURCES = ("Gallery", "File", "Path on the server", "Hub")
FIELDS = {
    "text": ("text", "label"),
    "image": ("image", "label"),
    "image-qa": ("image", "question", "answer"),
    "video-qa": ("video", "question", "answer"),
}
"""Columns that a kind of task is made of."""


def adding(workspace: Workspace, chosen: Chosen) -> None:
    """The four ways in."""
    with st.container(border=True):
        links.settle("add_from", SOURCES, SOURCES[0])
        way = st.segmented_control(
            "Add tasks from",
            SOURCES,
            required=True,
            key="add_from",
            bind="query-params",
        )
        if way == "Gallery":
            _gallery(workspace, chosen)
        elif way == "File":
            _file(workspace, chosen)
        elif way == "Hub":
            _hub(workspace, chosen)
        else:
            _path(workspace, chosen)


def _gallery(workspace: Workspace, chosen: Chosen) -> None:
    available = [info for info in named() if info.available]
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    name = left.selectbox("Gallery", [info.name for info in available], key="gallery")
    info = next(info for info in available if info.name == name)
    picked = right.pills("Tasks", info.tasks, selection_mode="multi", key=f"gallery-tasks-{name}")
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
        st.rerun()


def _from_gallery(workspace: Workspace, task: TaskSpec, folder: Path) -> TaskSpec:
    """The task as another stream's file can name it."""
    if task.path is None:
        return task
    path = (folder / task.path).resolve()
    return task.model_copy(update={"path": stream_files.named_from(workspace, path)})


def _file(workspace: Workspace, chosen: Chosen) -> None:
    given = st.file_uploader(
        "A table with a text and a label in each row, or a zip with one folder of pictures for each class",
        type=[*uploads.TABLES, "zip"],
        key="upload",
        help=f"At most {uploads.MOST_BYTES // 2**20} MB; validation and test rows are cut off where there are none.",
    )
    if given is not None:
        try:
            received = uploads.receive(workspace, given.name, given.getvalue())
        except UserError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        one = uploads.Received(received, given.name)
    else:
        found = _waiting(workspace)
        if found is None:
            return
        one = found
    kind = "image" if one.path.is_dir() else "text"
    _mapping(workspace, chosen, {"path": str(one.path)}, Path(one.name).stem, kind, one.path)


def _waiting(workspace: Workspace) -> uploads.Received | None:
    """What was received before: the browser forgets a file on the way to another page and when it is reloaded."""
    waiting = uploads.waiting(workspace)
    if not waiting:
        return None
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    by_path = {each.path.relative_to(workspace.root.resolve()).as_posix(): each for each in waiting}
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
        if actions.pressed("Forget it", "forget-upload", of=path, icon=":material/close:"):
            uploads.forget(workspace, by_path[path].path)
            st.rerun()
    return by_path[path]


def _path(workspace: Workspace, chosen: Chosen) -> None:
    roots = ", ".join(str(root) for root in uploads.allowed_roots(workspace))
    text = st.text_input("A file or folder on the server", key="server-path", help=f"Under {roots}")
    if not text:
        st.caption(plain(f"Folders that may be read: {roots}"))
        return
    try:
        path = uploads.server_path(workspace, text)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    source = {"path": stream_files.named_from(workspace, path)}
    _mapping(workspace, chosen, source, path.stem, uploads.likely_kind(path))


def _hub(workspace: Workspace, chosen: Chosen) -> None:
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
        if actions.pressed("Ask for its size", "hub-ask", icon=":material/scale:", said=said):
            if not name:
                actions.refuse("hub-ask", "Type the data set's name first, as owner/name.")
            _ask_size(source)
        look = {"icon": ":material/download:", "said": said}
        if actions.pressed("Load it and show its columns", "hub-load", **look):
            if not name or not revision:
                actions.refuse(
                    "hub-load", "Type the data set's name and its revision first: ask for the size."
                )
            st.session_state[LOADED] = (name, revision)
    asked = st.session_state.get("hub-size")
    if asked is not None and asked["name"] == name:
        _show_size(asked["answer"])
    if name and st.session_state.get(LOADED) == (name, revision):
        _mapping(workspace, chosen, source, name.split("/")[-1], "text")


def _ask_size(source: dict[str, Any]) -> None:
    """Keeps the answer, pins the newest commit where no revision was given, and has the page drawn with it."""
    try:
        task = stream_files.checked_task({"name": "asked", **source})
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
    st.info(f"{size['bytes'] / 2**20:,.1f} MB in {size['files']} files", icon=":material/scale:")


def _mapping(
    workspace: Workspace,
    chosen: Chosen,
    source: dict[str, Any],
    name: str,
    kind: str,
    received: Path | None = None,
) -> None:
    """Name, kind and columns of the task; ten rows as they were found; what is wrong; *Add*.

    Args:
        workspace: whose stream.
        chosen: the stream.
        source: the fields of `TaskSpec` that say where the rows are.
        name: proposed.
        kind: proposed.
        received: an upload that is kept when the task is added.
    """
    seed = str(source.get("path") or source.get("hub"))
    first, second = st.columns(2)
    with first:
        name = proposed("Name of the task", uploads.plain_name(name), f"map-name-{seed}")
    words = {label: each for each, (_, label) in KINDS.items()}
    label = second.selectbox(
        "A row is one of", list(words), list(words.values()).index(kind), key=f"map-kind-{seed}"
    )
    fields = {"name": "asked", **source, "kind": words[label]}
    try:
        found = check_task(stream_files.checked_task(fields), chosen.folder)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    columns = found.get("found", {}).get("columns", [])
    if not columns:
        problems(found)
        return
    labelled = _columns(fields, columns, found["found"]["guess"], seed)
    if fields["kind"] != "text":
        _ground(fields, seed)
    st.caption("The first ten rows, as they were found")
    preview = pd.DataFrame(found["found"]["preview"])
    preview.index = pd.RangeIndex(1, len(preview) + 1, name="row")
    st.dataframe(preview, key=f"preview-{seed}")
    button, below = st.container(), st.container()  # what changes while one types is below
    with below:
        each = [{**fields, **named} for named in _labelled(name, labelled)]
        ready = [_ready(one, chosen) for one in each]
        tasks = [task for task in ready if task is not None]
    with button:
        look = {"type": "primary", "icon": ":material/add:"}
        if not actions.pressed("Add to the stream", ADD, of=(chosen.label, seed), **look):
            return
    if len(tasks) < len(ready):
        actions.refuse(ADD, "It was not added: what is wrong with it is said below.")
    with actions.answering(ADD):
        _add_mapped(workspace, chosen, tasks, received)
    actions.then(add_from=SOURCES[0])


def _columns(
    fields: dict[str, Any], columns: list[str], guesses: dict[str, str], seed: str
) -> list[str]:
    """Asks which column is what, and writes it into the fields; returns the columns of labels, where there are any."""
    wanted = FIELDS[fields["kind"]]
    pairs = ("text_pair",) if fields["kind"] == "text" else ()
    boxes = st.columns(len(wanted) + len(pairs))
    labelled: list[str] = []
    for place, (field, box) in enumerate(zip(wanted, boxes, strict=False)):
        likely = guesses.get(field, columns[min(place, len(columns) - 1)])
        key = f"map-{field}-{seed}"
        if field == "label":
            labelled = box.multiselect(
                "Column of the label",
                columns,
                [likely],
                key=key,
                help="Several columns of labels make a task each, of the same rows.",
            ) or [likely]
            fields[field] = labelled[0]
        else:
            fields[field] = box.selectbox(
                f"Column of the {field}", columns, columns.index(likely), key=key
            )
    for field, box in zip(pairs, boxes[len(wanted) :], strict=True):
        second = box.selectbox(
            "Column of a second text",
            columns,
            None,
            key=f"map-{field}-{seed}",
            placeholder="none",
            help="For rows of two texts: a question and a passage, a premise and a hypothesis.",
        )
        if second is not None:
            fields[field] = second
    return labelled


def _ground(fields: dict[str, Any], seed: str) -> None:
    """Asks what shows behind pictures, and writes it into the fields."""
    ground = st.text_input(
        "Ground",
        WHITE,
        key=f"map-ground-{seed}",
        help="What shows where pictures and clips are transparent: white, black or a colour, #rrggbb.",
    )
    fields["ground"] = ground.strip() or WHITE


def _labelled(name: str, labelled: list[str]) -> list[dict[str, str]]:
    """One task for each column of labels, named after it where there are several."""
    if len(labelled) < 2:
        return [{"name": name}]
    return [
        {"name": f"{name} {uploads.plain_name(column)}", "label": column} for column in labelled
    ]


def _ready(fields: dict[str, Any], chosen: Chosen) -> TaskSpec | None:
    """Draws what is in the task's rows, or what is wrong with them; the task if it can be added."""
    try:
        task = stream_files.checked_task(fields)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    checked = check_task(task, chosen.folder)
    problems(checked)
    if checked.get("faults") or "error" in checked:
        return None
    rows = checked["tasks"][0]["rows"]
    counts = ", ".join(f"{rows[split]:,} {split}" for split in rows)
    st.success(f"{counts} rows, {checked['tasks'][0]['class_count']} classes: ready.")
    return task


def _add_mapped(
    workspace: Workspace, chosen: Chosen, tasks: list[TaskSpec], received: Path | None
) -> None:
    """Uploads move beside the stream's file, named relatively, so that the workspace can be carried elsewhere."""
    if received is not None:
        kept = uploads.keep(workspace, received, tasks[0].name)
        path = stream_files.named_from(workspace, kept)
        tasks = [task.model_copy(update={"path": path}) for task in tasks]
    add(workspace, chosen, tasks)
