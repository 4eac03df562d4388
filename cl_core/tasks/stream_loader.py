"""`load_stream`: from a name or a stream file to a checked `Stream`. `list_streams`: the names there are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cl_core.errors import Faults, UserError, did_you_mean
from cl_core.tasks.builtin import BUILTIN_STREAMS, builtin_stream, is_builtin_stream
from cl_core.tasks.presets import presets
from cl_core.tasks.spec import SplitNames, StreamSpec, TaskSpec
from cl_core.tasks.stream import PROTOCOLS, Protocol, Stream
from cl_core.tasks.stream_file import read_stream_file
from cl_core.tasks.task import SPLITS

if TYPE_CHECKING:
    from cl_core.tasks.prepared_task import PreparedTask
    from cl_core.tasks.raw_rows import RawTask

DATA_VARIABLE = "CL_DATA"
Limits = Mapping[str, int | None] | int | None


@dataclass(frozen=True)
class StreamInfo:
    """A stream that can be named, without its data.

    Attributes:
        name: what `load_stream` takes.
        protocol: "til", "cil" or "dil".
        title: one line for people.
        tasks: their names, in order.
        available: whether all of its rows are on this machine.
        how: where they come from, or what to do to have them.
    """

    name: str
    protocol: Protocol
    title: str
    tasks: tuple[str, ...]
    available: bool
    how: str


def load_stream(
    source: str | Path | StreamSpec,
    *,
    data: str | Path | None = None,
    protocol: str | None = None,
    order: str | None = None,
    limits: Limits = None,
    limit_seed: int = 0,
    hold_out: Sequence[str] = (),
    ground: str | None = None,
) -> Stream:
    """Loads and checks a stream.

    Args:
        source: a preset ("mtl5", "mtl5-order2"), a built-in ("domains", "domains:n=20,overlap=0.5"), the path of a
            stream file, or a `StreamSpec`, whose paths are relative to the working folder.
        data: the folder of real data that presets look into; by default the environment's CL_DATA.
        protocol: overrides the stream's.
        order: one of the stream's further orders.
        limits: at most so many rows of each split, stratified; a number for all splits, or one by split. Applied
            after the limits of the stream itself, and after the checks.
        limit_seed: draws the subset.
        hold_out: tasks that are not learnt, only routed and scored, beside those that the stream itself holds out.
        ground: what shows where pictures and clips are transparent, whatever the stream says; None for what it says.

    Raises:
        UserError: there is no such stream, protocol, order or task.
        Faults: everything that is wrong with any file of the stream, at once.
    """
    from cl_core.tasks.checks import check_stream
    from cl_core.tasks.stream_tasks import finish

    spec, folder = choose_stream(source, order, protocol, hold_out)
    if ground is not None:
        spec = spec.laid_on(ground)
    prepared = read_prepared(spec, folder, data_folder(data))
    learnt = len(spec.tasks)
    report = check_stream(spec.protocol, prepared[:learnt], spec.shared, prepared[learnt:])
    if report.faults:
        raise Faults(f"stream '{spec.name}'", [str(fault) for fault in report.faults])
    asked = limits if isinstance(limits, Mapping) else dict.fromkeys(SPLITS, limits)
    finished = finish(spec, prepared, asked, limit_seed)
    if finished.faults:
        raise Faults(f"stream '{spec.name}'", [str(fault) for fault in finished.faults])
    return Stream(
        spec.name,
        spec.protocol,
        finished.tasks[:learnt],
        spec.shared,
        spec.title,
        spec.description,
        report.warnings + finished.warnings,
        finished.tasks[learnt:],
    )


def choose_stream(
    source: str | Path | StreamSpec,
    order: str | None = None,
    protocol: str | None = None,
    hold_out: Sequence[str] = (),
) -> tuple[StreamSpec, Path]:
    """`find_stream` in another order, under another protocol, with some tasks held out.

    Raises:
        UserError: there is no such stream, protocol, order or task, or its file has faults.
    """
    spec, folder = find_stream(source)
    if order is not None:
        spec = _reorder(spec, order)
    if protocol is not None:
        spec = _with_protocol(spec, protocol)
    return spec.holding_out(hold_out), folder


def read_prepared(spec: StreamSpec, folder: Path, root: Path | None) -> list[PreparedTask]:
    """Reads all tasks of a stream, those that are held out last; faults are collected, not raised.

    Args:
        spec: the stream.
        folder: its paths are relative to it.
        root: the folder of real data, or None.
    """
    from cl_core.tasks.prepared_task import prepare

    prepared = []
    for number, task in enumerate((*spec.tasks, *spec.held_out)):
        raw, used = read_task(task, folder, root)
        if number >= len(spec.tasks):
            raw = replace(raw, faults=tuple(f for f in raw.faults if not f.lacks_train))
        prepared.append(prepare(raw, used))
    return prepared


def find_stream(source: str | Path | StreamSpec) -> tuple[StreamSpec, Path]:
    """What a source says, and the folder that its paths are relative to. No data are read.

    Raises:
        UserError: there is no such stream, or its file has faults.
    """
    if isinstance(source, StreamSpec):
        return source, Path.cwd()
    name = str(source)
    if isinstance(source, str) and is_builtin_stream(name):
        return builtin_stream(name), Path.cwd()
    ready_made = presets()
    if isinstance(source, str) and name.removesuffix("-order1") in ready_made:
        return ready_made[name.removesuffix("-order1")], Path.cwd()
    path = Path(source).expanduser()
    if path.suffix.lower() in (".yaml", ".yml") or path.is_file():
        return read_stream_file(path), path.resolve().parent
    names = [*BUILTIN_STREAMS, *ready_made]
    raise UserError(
        f"there is no stream '{name}'; choose one of {', '.join(names)}, or give the path of a .yaml file."
        f"{did_you_mean(name, names)}"
    )


def data_folder(data: str | Path | None = None) -> Path | None:
    """The folder of real data: as given, else the environment's CL_DATA, else None."""
    chosen = data or os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else None


def read_task(spec: TaskSpec, folder: Path, root: Path | None) -> tuple[RawTask, TaskSpec]:
    """Reads a task's rows from wherever they are; faults are collected, not raised.

    Args:
        spec: the task.
        folder: its paths are relative to it.
        root: the folder of real data, or None.

    Returns:
        The rows, and the spec whose mapping they follow: a folder of real data has plain columns.
    """
    from cl_core.tasks.raw_rows import Fault, RawTask
    from cl_core.tasks.sources.files import read_files

    if spec.builtin is not None:
        from cl_core.tasks.builtin import read_builtin

        return read_builtin(spec), spec
    if spec.path is not None:
        return read_files(folder / Path(spec.path).expanduser(), spec, spec.path), spec
    if spec.data is not None and root is not None and (root / spec.data).exists():
        plain = spec.model_copy(
            update={
                "split": SplitNames(),
                "text": "text",
                "text_pair": None,
                "image": "image",
                "video": "video",
                "question": "question",
                "answer": "answer",
                "label": "label",
                "label_names": None,
            }
        )
        return read_files(root / spec.data, plain, spec.data), plain
    if spec.hub is not None:
        from cl_core.tasks.sources.hub import read_hub

        raw = read_hub(spec)
        if raw.faults and spec.data is not None:
            hint = Fault(spec.name, None, f"or {_how_to_have(spec.data, root)}")
            raw = replace(raw, faults=(*raw.faults, hint))
        return raw, spec
    message = _how_to_have(spec.data or "", root)
    return RawTask(spec.name, spec.data or "", {}, faults=(Fault(spec.name, None, message),)), spec


def list_streams(data: str | Path | None = None) -> list[StreamInfo]:
    """The streams that have a name: built-in ones first, then the papers'. Needs neither torch nor datasets.

    Args:
        data: the folder of real data; by default the environment's CL_DATA.
    """
    root = data_folder(data)
    infos = []
    for name, title in BUILTIN_STREAMS.items():
        spec = builtin_stream(name)
        names = tuple(task.name for task in spec.tasks)
        infos.append(StreamInfo(name, spec.protocol, title, names, True, "built in"))
    for name, spec in presets().items():
        names = tuple(task.name for task in spec.tasks)
        available, how = _availability(spec, root)
        infos.append(StreamInfo(name, spec.protocol, spec.title, names, available, how))
    return infos


def _availability(spec: StreamSpec, root: Path | None) -> tuple[bool, str]:
    every = (*spec.tasks, *spec.held_out)
    folders = [task.data for task in every if task.data is not None]
    missing = [data for data in folders if root is None or not (root / data).exists()]
    if not missing:
        return True, f"in {root}"
    how = _how_to_have(", ".join(missing), root)
    if all(task.hub is not None for task in every):
        loose = any(task.revision is None for task in every)
        how += ", or from the hub" + (
            " once its revisions are pinned in a stream file" if loose else ""
        )
    return False, how


def _how_to_have(data: str, root: Path | None) -> str:
    if root is None:
        return f"set {DATA_VARIABLE} to the folder of real data that has {data}"
    return f"put {data} into {root}, the folder that {DATA_VARIABLE} names"


def _reorder(spec: StreamSpec, order: str) -> StreamSpec:
    if order == "order1" and order not in spec.orders:
        return spec
    if order not in spec.orders:
        raise UserError(
            f"stream '{spec.name}' has no order '{order}'; it has order1"
            f"{''.join(f', {name}' for name in spec.orders)}.{did_you_mean(order, spec.orders)}"
        )
    return spec.ordered(order)


def _with_protocol(spec: StreamSpec, protocol: str) -> StreamSpec:
    if protocol not in PROTOCOLS:
        raise UserError(
            f"there is no protocol '{protocol}'; choose one of {', '.join(PROTOCOLS)}."
            f"{did_you_mean(protocol, PROTOCOLS)}"
        )
    shared = spec.shared_labels if protocol == "cil" else None
    return spec.model_copy(update={"protocol": protocol, "shared_labels": shared})
