"""However `adapter-lab app` ends, its server and workers end with it, and jobs go on: real processes and signals."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cl_core.jobs.job import Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from tests.app.protocol import ProtocolVisitor
from tests.browser.serving import free_port
from tests.long_runs import ENDLESS, learns
from tests.patience import wait_for
from tests.small_runs import SMALL

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are read from /proc")


def descendants(process: int) -> set[int]:
    """Numbers of all processes that came of one, however deep."""
    children: dict[int, set[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            if after_name[0] != "Z":
                children.setdefault(int(after_name[1]), set()).add(int(folder.name))
    family, new = set[int](), {process}
    while new:
        new = set().union(*(children.get(number, set()) for number in new)) - family
        family |= new
    return family


def alive(process: int) -> bool:
    """Whether there is such a process, a dead one that nobody has waited for being none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Lab:
    """`adapter-lab app` in a terminal of its own, with a visitor who has set everything going.

    Attributes:
        process: what was started, the terminal's first process.
        terminal: our end of the terminal.
        port: where it listens.
        workers: processes that came of it.
    """

    process: subprocess.Popen[bytes]
    terminal: int
    port: int
    workers: set[int]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    ours, theirs = pty.openpty()
    port = free_port()
    words = ["app", "--no-browser", "--port", str(port), "--workspace", str(tmp_path / "workspace")]
    process = subprocess.Popen(
        [sys.executable, "-m", "cl_core.cli", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=_of_a_terminal,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    os.close(theirs)
    wait_for(lambda: listens(port), "the server does not listen")
    with visitor_of(port) as visitor:
        visitor.open("stream", ws="Demonstration", run="dam")
    workers = descendants(process.pid)
    assert workers, "a visit to Stream starts a process that reads"
    yield Lab(process, ours, port, workers)
    for number in (process.pid, *workers):
        if alive(number):
            os.kill(number, signal.SIGKILL)
    process.wait()


def visitor_of(port: int) -> ProtocolVisitor:
    return ProtocolVisitor(f"http://127.0.0.1:{port}")


def _of_a_terminal() -> None:
    """As a terminal's first process, which it tells of its death."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGHUP):  # whoever runs the tests may ignore them
        signal.signal(number, signal.SIG_DFL)


def by_signal(number: signal.Signals) -> Callable[[Lab], None]:
    return lambda lab: os.kill(lab.process.pid, number)


ENDINGS: dict[str, Callable[[Lab], object]] = {
    "Ctrl-C": lambda lab: os.write(lab.terminal, b"\x03"),
    "SIGTERM": by_signal(signal.SIGTERM),
    "SIGKILL": by_signal(signal.SIGKILL),
    "the terminal is closed": lambda lab: os.close(lab.terminal),  # which is SIGHUP
}


def ended(lab: Lab) -> None:
    wait_for(lambda: lab.process.poll() is not None, "the server goes on")
    assert not listens(lab.port)
    wait_for(lambda: not any(map(alive, lab.workers)), "workers go on")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_server_and_its_workers_end(ending: str, lab: Lab) -> None:
    if ending == "SIGKILL":  # which nobody can catch; and a model is being loaded
        with visitor_of(lab.port) as visitor:
            visitor.open("sample", ws="Demonstration", run="dam")
        reading = set(lab.workers)
        lab.workers.update(descendants(lab.process.pid))
        assert lab.workers > reading, "a visit to Sample starts a process that answers"
    ENDINGS[ending](lab)
    ended(lab)


def test_a_job_goes_on_when_the_server_and_its_workers_are_gone(
    lab: Lab, tiny: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    settings = {**SMALL, "backbone": str(tiny), "epochs": ENDLESS, "patience": None}
    asked = Request(run="long", stream="domains-dil", recipe="dam", settings=settings, device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Jobs, "wake", lambda self: None)
        job = Jobs(workspace).submit(asked)
    with visitor_of(lab.port) as visitor:
        visitor.open("train", ws="Mine", show="Jobs")  # sees to it that somebody works
        wait_for(lambda: learns(workspace.run("long")), "the job is not carried out")
    try:
        os.kill(lab.process.pid, signal.SIGKILL)
        ended(lab)
        epochs = len(workspace.run("long").events)
        wait_for(lambda: len(workspace.run("long").events) > epochs, "the job does not go on")
        assert job.state == "running"
    finally:
        job.stop()
        wait_for(lambda: job.state != "running", "the job does not stop")
