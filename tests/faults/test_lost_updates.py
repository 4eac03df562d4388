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
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream_loader import find_stream

pytestmark = pytest.mark.fault("lost updates: two writers of a stream or of a run")
WRITERS, ROUNDS = 3, 12


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
