"""Two servers on one workspace, whose hosts press at once: nothing is lost, and nothing is begun twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier, Thread

import pytest

from app.data import stream_edits, stream_files
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from cl_core.tasks.stream_loader import find_stream
from tests.app.protocol import Drawn, ProtocolVisitor
from tests.browser.serving import Server

pytestmark = [
    pytest.mark.whole,
    pytest.mark.fault("the queue: its worker or a job killed, two labs on one workspace"),
]
ROUNDS = 4


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a stream of its own, of as many tasks as will be removed, and two more."""
    workspace = Workspace(tmp_path / "workspace")
    spec, folder = find_stream("domains-dil")
    mine = stream_edits.copied(spec, "mine", folder)
    further = [
        mine.tasks[0].model_copy(update={"name": f"task-{visitor}-{number}"})
        for visitor in range(2)
        for number in range(ROUNDS)
    ]
    stream_files.save(workspace, stream_edits.added(mine, further), "")
    return workspace


@pytest.fixture
def servers(workspace: Workspace, tmp_path: Path) -> Iterator[list[Server]]:
    """Two of them."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(Server(workspace.root, tmp_path / f"{number}.log"))
            for number in range(2)
        ]


@contextmanager
def hosts(servers: list[Server]) -> Iterator[list[ProtocolVisitor]]:
    """A new tab of each one's host."""
    with ExitStack() as stack:
        yield [stack.enter_context(ProtocolVisitor(server.url)) for server in servers]


def both(press: Callable[[int], Drawn]) -> list[Drawn]:
    """What each of two sees who do something at one moment."""
    drawn: dict[int, Drawn] = {}
    barrier = Barrier(2)

    def act(number: int) -> None:
        barrier.wait()
        drawn[number] = press(number)

    threads = [Thread(target=act, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [drawn[0], drawn[1]]


def test_what_two_hosts_change_of_a_stream_at_once_is_written_or_refused(
    workspace: Workspace, servers: list[Server]
) -> None:
    path = stream_files.file_of(workspace, "mine")
    for number in range(ROUNDS):
        with hosts(servers) as visitors:
            buttons = [
                visitor.open("stream", ws="Mine", stream="streams/mine.yaml").id_of(
                    f"remove-task-{at}-{number}"
                )
                for at, visitor in enumerate(visitors)
            ]
            pages = both(lambda at, of=buttons, by=visitors: by[at].press(of[at]))
        names = {task.name for task in stream_files.read(path).tasks}
        for at, page in enumerate(pages):
            assert not page.exceptions
            refused = "was changed meanwhile" in page.text
            assert refused == (f"task-{at}-{number}" in names), page.text[-500:]


def test_of_two_hosts_who_start_a_run_of_one_name_at_once_one_is_told(
    workspace: Workspace, servers: list[Server]
) -> None:
    jobs = Jobs(workspace)
    jobs.root.mkdir(parents=True)
    with RunLock(jobs.lock_path):  # nobody works yet
        for _ in range(ROUNDS):
            with hosts(servers) as visitors:
                buttons = [
                    visitor.open("train", ws="Mine", show="New run", on="domains-dil").id_of(
                        "start"
                    )
                    for visitor in visitors
                ]
                pages = both(lambda at, of=buttons, by=visitors: by[at].press(of[at]))
            listed = jobs.all()
            names = [job.request.run for job in listed]
            assert listed
            assert len(set(names)) == len(names), names
            refused = [page for page in pages if "is queued already" in page.text]
            assert len(refused) + len(listed) == 2, [page.text[-500:] for page in pages]
            for job in listed:
                job.stop()
                jobs.remove(job)
