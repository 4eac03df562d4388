"""The choice of a stream: one of the workspace's files, a named one, or a new one that has no tasks yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import streamlit as st

from app.base import links
from app.base.escaped_text import plain
from app.data import stream_edits, stream_files
from app.data.runs import workspace as workspace_of
from app.data.stream_checks import check_named, check_spec
from app.shell import not_found
from app.shell.sharing import is_guest
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace
from cl_core.tasks.builtin import BUILTIN_STREAMS, is_builtin_stream
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream_loader import StreamInfo, find_stream, list_streams

OWN = "streams/"
SEEN = "stream-seen"
"""In the session: the label of the stream on the page, and the stamp of its file."""
PROTOCOLS = {
    "til": "task-incremental: told the task at test",
    "cil": "class-incremental: all labels, not told the task",
    "dil": "domain-incremental: one label space, not told",
}


@dataclass(frozen=True)
class StreamChoice:
    """The stream on the page.

    Attributes:
        label: what the address calls it: "domains", or "streams/mine.yaml".
        spec: None while a new one has no tasks.
        name: of the stream.
        protocol: of the stream.
        folder: its paths are relative to it.
        path: its file; None for a named one.
        users: runs that hold it as it is.
        how: what to do to have its data; "" where they are here.
        stamp: of its file, as it was read; "" where there is none.
        seen: the same, as the visitor saw it last: before a click that is carried out in this drawing.
    """

    label: str
    spec: StreamSpec | None
    name: str
    protocol: str
    folder: Path
    path: Path | None
    users: tuple[str, ...] = ()
    how: str = ""
    stamp: str = ""
    seen: str = ""

    @property
    def editable(self) -> bool:
        """Whether tasks may be added, moved, renamed and removed."""
        return self.path is not None and not self.users and not is_guest()

    def checked(self) -> dict[str, Any]:
        """What is in its data, and what is wrong with them; see `app.workers.check_worker`."""
        if self.spec is None:
            return {"tasks": [], "faults": [], "warnings": [], "words": []}
        return check_named(self.label) if self.path is None else check_spec(self.spec, self.folder)


def labels(workspace: Workspace, key: str, wanted: str | None = None) -> list[str]:
    """All streams as addresses and menus name them: the first built-in one, the workspace's own, the others.

    The first is left out of addresses, so it is one that is first for everybody, always. A built-in stream with
    knobs ("domains:n=5") or in another order is among them where it is asked for, or the run
    that is looked at was made of it.

    Args:
        workspace: whose files are offered.
        key: of the menu, and its name in addresses.
        wanted: another that is asked for.
    """
    own_labels = [f"{OWN}{path.name}" for path in stream_files.stream_files(workspace)]
    begun = [f"{OWN}{name}.yaml" for name in stream_files.drafts(workspace)]
    own_labels += [label for label in begun if label not in own_labels]
    first, *others = [info.name for info in named()]
    asked = [wanted, st.query_params.get(key), st.session_state.get(key), *_looked_at()]
    varied = [label for label in dict.fromkeys(asked) if label and _is_varied(label)]
    return [first, *own_labels, *varied, *others]


def _is_varied(label: str) -> bool:
    """Whether it is a built-in stream with knobs that can be, or one of its further orders."""
    if label in BUILTIN_STREAMS or not is_builtin_stream(label):
        return False
    try:
        find_stream(label)
    except (UserError, ValueError):
        return False
    return True


@st.cache_data(show_spinner=False)
def named() -> list[StreamInfo]:
    """Built-in streams and those of the papers."""
    return list_streams()


def source(workspace: Workspace, label: str) -> str:
    """What a run is given: the name, or the file's whole path."""
    if label.startswith(OWN):
        return str(stream_files.folder(workspace) / label.removeprefix(OWN))
    return label


def choose(workspace: Workspace) -> StreamChoice | None:
    """The menu of streams, and what was chosen; None where the address asks for one that is not here.

    Raises:
        UserError: its file has faults.
    """
    options = labels(workspace, "stream")
    asked = st.query_params.get("stream")
    if not_found.unknown("stream", asked in options):
        not_found.of_page("stream", "stream", "There is no stream {} here.", str(asked), options)
        return None
    settle("stream", options)
    label = st.selectbox("Stream", options, key="stream", bind="query-params")
    say_absent(options)
    opened = open_stream(workspace, label)
    of, seen = st.session_state.get(SEEN, ("", ""))
    st.session_state[SEEN] = (label, opened.stamp)
    return replace(opened, seen=seen if of == label else opened.stamp)


def write(workspace: Workspace, chosen: StreamChoice, spec: StreamSpec) -> None:
    """Writes what the stream on the page has become.

    Raises:
        UserError: its file is another than the visitor saw.
        Faults: it does not fit together.
    """
    path = stream_files.save(workspace, spec, chosen.seen)
    st.session_state[SEEN] = (chosen.label, stream_files.stamp(path))


def settle(key: str, options: list[str]) -> None:
    """Gives a menu of streams what a link says or the visitor chose, else the stream of the run that is looked at.

    Args:
        key: of the menu, and its name in addresses.
        options: labels.
    """
    of = f"{key}-of"  # the run that the menu was last opened beside
    shown = st.session_state.get(links.SHOWN, {})
    run = (shown.get("ws"), shown.get("run"))
    if st.session_state.get(of) not in (None, run) and key not in st.query_params:
        st.session_state.pop(key, None)
    st.session_state[of] = run
    links.settle(
        key, options, next((label for label in _looked_at() if label in options), options[0])
    )


def say_absent(options: list[str]) -> None:
    """That the stream of the run that is looked at is not in the menu, where it is not: a file of another place."""
    called = _looked_at()
    if called and not any(label in options for label in called):
        name = st.session_state[links.SHOWN]["run"]
        st.caption(
            plain(
                f"Run {name} was made of the stream '{called[2]}', whose file is not in this workspace: the one shown "
                "here is another."
            )
        )


def _looked_at() -> list[str]:
    """What the stream of the run that is looked at may be called here; the third is its name."""
    shown = st.session_state.get(links.SHOWN, {})
    if "run" not in shown:
        return []
    try:
        config = workspace_of(shown["ws"]).find(shown["run"]).config
    except UserError:
        return []
    file = PurePath(config.stream).name
    return [config.stream, f"{OWN}{file}", config.stream_name, f"{OWN}{config.stream_name}.yaml"]


def open_stream(workspace: Workspace, label: str) -> StreamChoice:
    """The stream that a label names.

    Raises:
        UserError: its file has faults.
    """
    folder = stream_files.folder(workspace)
    if not label.startswith(OWN):
        spec, data_folder = find_stream(label)
        how = next((info.how for info in named() if info.name == label and not info.available), "")
        return StreamChoice(label, spec, spec.name, spec.protocol, data_folder, None, how=how)
    path = folder / label.removeprefix(OWN)
    draft = stream_files.drafts(workspace).get(path.stem)
    if not path.is_file() and draft is not None:
        return StreamChoice(label, None, draft.name, draft.protocol, folder, path)
    stamp = stream_files.stamp(path)  # before the file is read: a change in between is one
    spec = stream_files.read(path)
    held = tuple(stream_files.users(workspace, path))
    return StreamChoice(
        label, spec, spec.name, spec.protocol, folder, path, held, stamp=stamp, seen=stamp
    )


def add(workspace: Workspace, chosen: StreamChoice, tasks: list[TaskSpec]) -> None:
    """Puts tasks at the stream's end; the first ones make its file.

    Raises:
        UserError: its file is another than the visitor saw.
        Faults: the stream does not fit together with them.
    """
    if chosen.spec is not None:
        write(workspace, chosen, stream_edits.added(chosen.spec, tasks))
        return
    first = stream_edits.checked_stream(
        {
            "name": chosen.name,
            "protocol": chosen.protocol,
            "tasks": [task.model_dump(mode="json", exclude_defaults=True) for task in tasks[:1]],
        }
    )
    write(workspace, chosen, stream_edits.added(first, tasks[1:]))
    stream_files.end_draft(workspace, chosen.name)
