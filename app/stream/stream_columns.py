"""Which column of a new task's rows is what, with the first rows as they were found, and *Add to the stream*."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.base.escaped_text import plain
from app.data import stream_edits, stream_files
from app.data.stream_checks import check_task
from app.shell import actions, uploads
from app.shell.proposals import proposed
from app.shell.stream_choice import StreamChoice, add
from app.shell.stream_problems import problems
from app.stream.stream_cards import KINDS
from cl_core.errors import UserError, counted
from cl_core.picture_decoder import WHITE
from cl_core.runs.workspace import Workspace
from cl_core.tasks.spec import TaskSpec

ADD = "add-mapped"
"""Key of the button."""
FIELDS = {
    "text": ("text", "label"),
    "image": ("image", "label"),
    "image-qa": ("image", "question", "answer"),
    "video-qa": ("video", "question", "answer"),
}
"""Columns that a kind of task is made of."""


def mapping(
    workspace: Workspace,
    chosen: StreamChoice,
    source: dict[str, Any],
    name: str,
    kind: str,
    received: uploads.Upload | None = None,
) -> bool:
    """Name, kind and columns of the task; ten rows as they were found; what is wrong; *Add*.

    Args:
        workspace: whose stream.
        chosen: the stream.
        source: the fields of `TaskSpec` that say where the rows are.
        name: proposed.
        kind: proposed.
        received: an upload that is kept when the task is added.

    Returns:
        Whether it was added.
    """
    seed = str(source.get("path") or source.get("hub"))
    proposal = uploads.plain_name(name)
    first, second = st.columns(2)
    with first:
        name = proposed("Name of the task", proposal, f"map-name-{seed}")
    words = {label: name_of_kind for name_of_kind, (_, label) in KINDS.items()}
    label = second.selectbox(
        "A row is one of", list(words), list(words.values()).index(kind), key=f"map-kind-{seed}"
    )
    fields = {"name": proposal, **source, "kind": words[label]}
    try:
        checked = _checked(stream_edits.checked_task(fields), chosen, received)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return False
    columns = checked.get("found", {}).get("columns", [])
    if not columns:
        problems(checked)
        return False
    labelled = _columns(fields, columns, checked["found"]["guess"], seed)
    if fields["kind"] != "text":
        _ground(fields, seed)
    st.caption("The first ten rows, as they were found")
    preview = pd.DataFrame(checked["found"]["preview"])
    preview.index = pd.RangeIndex(1, len(preview) + 1, name="row")
    st.dataframe(preview, key=f"preview-{seed}")
    button, below = st.container(), st.container()  # what changes while one types is below
    with below:
        specs = [{**fields, **named} for named in _labelled(name, labelled)]
        ready = [_ready(spec, chosen, received) for spec in specs]
        tasks = [task for task in ready if task is not None]
    with button:
        of, icon = (chosen.label, seed), ":material/add:"
        if not actions.pressed("Add to the stream", ADD, of=of, type="primary", icon=icon):
            return False
    if len(tasks) < len(ready):
        actions.refuse(ADD, "It was not added: what is wrong with it is said below.")
    with actions.answering(ADD):
        _add_mapped(workspace, chosen, tasks, received)
    return True


def _columns(
    fields: dict[str, Any], columns: list[str], guesses: dict[str, str], seed: str
) -> list[str]:
    """Asks which column is what, and writes it into the fields; returns the columns of labels, where there are any."""
    wanted = FIELDS[fields["kind"]]
    pairs = ("text_pair",) if fields["kind"] == "text" else ()
    boxes = st.columns(len(wanted) + len(pairs))
    labelled: list[str] = []
    for position, (field, box) in enumerate(zip(wanted, boxes, strict=False)):
        likely = guesses.get(field, columns[min(position, len(columns) - 1)])
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


def _checked(
    task: TaskSpec, chosen: StreamChoice, received: uploads.Upload | None
) -> dict[str, Any]:
    """What `check_task` says, of an upload under the name that the visitor knows."""
    said = check_task(task, chosen.folder)
    if received is None:
        return said
    words = {name: said[name] for name in ("error", "faults", "warnings") if name in said}
    return {**said, **uploads.called(words, received)}


def _ready(
    fields: dict[str, Any], chosen: StreamChoice, received: uploads.Upload | None
) -> TaskSpec | None:
    """Draws what is in the task's rows, or what is wrong with them; the task if it can be added."""
    try:
        task = stream_edits.checked_task(fields)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    checked = _checked(task, chosen, received)
    problems(checked)
    if checked.get("faults") or "error" in checked:
        return None
    rows = checked["tasks"][0]["rows"]
    counts = ", ".join(f"{rows[split]:,} {split}" for split in rows)
    st.success(f"{counts} rows, {counted(checked['tasks'][0]['class_count'], 'class')}: ready.")
    return task


def _add_mapped(
    workspace: Workspace,
    chosen: StreamChoice,
    tasks: list[TaskSpec],
    received: uploads.Upload | None,
) -> None:
    """Uploads move beside the stream's file, named relatively, so that the workspace can be carried elsewhere."""
    if received is not None:
        kept = uploads.keep(workspace, received.path, tasks[0].name)
        path = stream_files.named_from(workspace, kept)
        tasks = [task.model_copy(update={"path": path}) for task in tasks]
    add(workspace, chosen, tasks)
