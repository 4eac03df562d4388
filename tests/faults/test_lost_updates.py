"""Two that write one thing: the second, who has not seen what the first wrote, is told so and writes nothing."""

from __future__ import annotations

import multiprocessing
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from app.data import stream_edits, stream_files
from cl_core.engine.launch import prepare
from cl_core.errors import UserError
from cl_core.runs.slices import Slice, save_slice, slices
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream_loader import find_stream

pytestmark = pytest.mark.fault("lost updates: two writers of a stream or of a run")
WRITERS, ROUNDS, NAMES = 3, 12, 60


def saved(root: Path) -> tuple[Workspace, Path]:
    """A workspace with one stream file, of one task."""
    spec, folder = find_stream("domains-dil")
    workspace = Workspace(root)
    only = stream_edits.copied(spec, "mine", folder)
    only = stream_edits.removed(stream_edits.removed(only, 2), 1)
    return workspace, stream_files.save(workspace, only, "")


def add_tasks(root: Path, writer: int) -> None:
    """Adds `ROUNDS` tasks, reading the file anew whenever somebody else was first."""
    workspace = Workspace(root)
    path = stream_files.file_of(workspace, "mine")
    written = 0
    while written < ROUNDS:
        was = stream_files.stamp(path)
        spec = stream_files.read(path)
        task = spec.tasks[0].model_copy(update={"name": f"task-{writer}-{written}"})
        try:
            stream_files.save(workspace, stream_edits.added(spec, [task]), was)
        except UserError:
            continue
        written += 1


def test_the_second_writer_of_a_stream_is_told_and_writes_nothing(tmp_path: Path) -> None:
    workspace, path = saved(tmp_path)
    was, spec = stream_files.stamp(path), stream_files.read(path)
    stream_files.save(workspace, stream_edits.renamed(spec, 0, "first"), was)
    left = path.read_bytes()
    with pytest.raises(UserError, match="was changed meanwhile") as refusal:
        stream_files.save(workspace, stream_edits.renamed(spec, 0, "second"), was)
    assert "make your change again" in str(refusal.value)
    assert path.read_bytes() == left
    with pytest.raises(UserError, match="was changed meanwhile"):
        stream_files.save(workspace, spec, "")  # a new one of the same name


def test_of_writers_at_once_none_loses_what_another_wrote(tmp_path: Path) -> None:
    _, path = saved(tmp_path)
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=add_tasks, args=(tmp_path, number)) for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    names = {task.name for task in stream_files.read(path).tasks}
    wanted = {f"task-{writer}-{at}" for writer in range(WRITERS) for at in range(ROUNDS)}
    assert names >= wanted


def test_of_two_that_begin_a_run_at_once_the_second_meets_what_the_first_wrote(
    tmp_path: Path,
) -> None:
    workspace, context = Workspace(tmp_path), multiprocessing.get_context("fork")
    barrier, said = context.Barrier(2), context.SimpleQueue()
    both = [context.Process(target=begin, args=(tmp_path, n, barrier, said)) for n in (0, 1)]
    for process in both:
        process.start()
    answers = [said.get() for _ in range(2 * ROUNDS)]
    for process in both:
        process.join()
    for name in map(str, range(ROUNDS)):
        began = [seed for run, seed, began in answers if run == name and began]
        assert began == [workspace.find(name).config.seed]


def begin(
    root: Path, seed: int, barrier: Barrier, said: SimpleQueue[tuple[str, int, bool]]
) -> None:
    """Prepares runs with a seed, each at the moment at which another process does."""
    for name in map(str, range(ROUNDS)):
        barrier.wait()
        try:
            prepare(Workspace(root), "domains-dil", name=name, seed=seed)
            said.put((name, seed, True))
        except UserError:
            said.put((name, seed, False))


def test_the_second_who_begins_a_stream_is_told_and_the_first_ones_protocol_stays(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    stream_files.begin_draft(workspace, "mine", "cil")
    with pytest.raises(UserError, match="'mine' was begun already") as refusal:
        stream_files.begin_draft(workspace, "mine", "til")
    assert "choose another name" in str(refusal.value)
    assert stream_files.drafts(workspace)["mine"].protocol == "cil"
    stream_files.end_draft(workspace, "mine")
    stream_files.begin_draft(workspace, "mine", "til")
    assert stream_files.drafts(workspace)["mine"].protocol == "til"


@pytest.mark.parametrize("what", ["draft", "slice"])
def test_of_two_that_take_a_name_at_once_one_has_it_and_the_other_is_told(
    what: str, tmp_path: Path
) -> None:
    workspace, context = Workspace(tmp_path), multiprocessing.get_context("fork")
    barrier, said = context.Barrier(2), context.SimpleQueue()
    both = [
        context.Process(target=take_name, args=(what, tmp_path, writer, barrier, said))
        for writer in (0, 1)
    ]
    for process in both:
        process.start()
    answers = [said.get() for _ in range(2 * NAMES)]
    for process in both:
        process.join()
    kept = {stored.name: int(stored.run) for stored in slices(workspace)}
    kept |= {
        name: ("til", "cil").index(draft.protocol)
        for name, draft in stream_files.drafts(workspace).items()
    }
    for name in map(str, range(NAMES)):
        assert [who for taken, who, took in answers if taken == name and took] == [kept[name]]


def take_name(
    what: str, root: Path, writer: int, barrier: Barrier, said: SimpleQueue[tuple[str, int, bool]]
) -> None:
    """Takes names, each at the moment at which another process does."""
    workspace = Workspace(root)
    for name in map(str, range(NAMES)):
        barrier.wait()
        try:
            if what == "draft":
                stream_files.begin_draft(workspace, name, ("til", "cil")[writer])
            else:
                samples = (f"{writer}",)
                new = Slice(name=name, run=f"{writer}", split="test", after=1, samples=samples)
                save_slice(workspace, new)
            said.put((name, writer, True))
        except UserError:
            said.put((name, writer, False))


def test_a_slice_that_was_not_seen_is_not_replaced(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = Slice(name="hard", run="one", split="test", after=1, samples=("a",))
    second = first.model_copy(update={"samples": ("b",)})
    seen = slices(workspace)
    save_slice(workspace, first, seen)
    with pytest.raises(UserError, match="was saved meanwhile") as refusal:
        save_slice(workspace, second, seen)
    assert "choose another name, or save again to replace it" in str(refusal.value)
    assert slices(workspace) == [first]
    save_slice(workspace, second, slices(workspace))
    assert slices(workspace) == [second]
