"""What may fail around the command line, and the command line in it: a process of its own for each command.

A process is forked from one that has imported everything, and then put into its environment: a disk without room, a
file system that may only be read, no memory, an output that nobody reads. Mounts are made in a namespace of the process
alone, and are gone with it.
"""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

from tests.patience import PATIENCE

IMPORTS = (
    "torch",
    "pandas",
    "pyarrow.parquet",
    "datasets",
    "transformers.models.bert.modeling_bert",
    "cl_core.cli.commands",
    "cl_core.engine.launch",
    "cl_core.engine.execution",
    "cl_core.engine.experiment",
    "cl_core.evaluate.statistics",
    "cl_core.tasks.stream_loader",
    "cl_core.backbones.backbone_loader",
    "cl_core.archive.unpack",
    "cl_core.reports.report_formats",
    "cl_core.tasks.prepared_task",
    "cl_core.synthetic.domains.domain_stream",
)
ROOT = Path(__file__).resolve().parents[2]
READ_ONLY, BIND, REMOUNT, RECURSIVE, PRIVATE = 1, 4096, 32, 16384, 1 << 18
"""Flags of mount(2)."""
NEW_MOUNTS = 0x00020000
"""CLONE_NEWNS."""


@dataclass(frozen=True)
class Ending:
    """How a command ended.

    Attributes:
        status: its exit status; None where it had not ended in time.
        out: its standard output, as far as it went to a file.
        err: its standard error.
    """

    status: int | None
    out: str
    err: str

    @property
    def fault(self) -> str:
        """Why it was no polite ending; "" where it was one."""
        if self.status is None:
            return "it hangs"
        if "Traceback" in self.err or "Exception ignored" in self.err:
            return f"a traceback: {self.err.strip().splitlines()[-1]}"
        if self.status < 0:
            return f"killed by {signal.Signals(-self.status).name}"
        if self.status not in (0, 130, 141) and not self.err.strip():
            return f"nothing is said, status {self.status}"
        return ""


Condition = Callable[[], object]
Surround = Callable[[Path], None]
"""Puts this process into an environment, given the workspace."""


def nothing(workspace: Path) -> None:
    """As it is."""


def no_larger_files(workspace: Path) -> None:
    """No file can be written: the system's answer to a limit of their size (EFBIG), which needs no rights."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def full_disk(workspace: Path) -> None:
    """The workspace on a disk of its own that is full."""
    own_mounts()
    copy = {
        file.relative_to(workspace): file.read_bytes()
        for file in workspace.rglob("*")
        if file.is_file()
    }
    _mount("tmpfs", workspace, "tmpfs", 0, "size=64m")
    for name, content in copy.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_bytes(content)
    with (workspace / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 20, 4096):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError:
                continue


def read_only_disk(workspace: Path) -> None:
    """The workspace on a file system that may only be read."""
    own_mounts()
    _mount(str(workspace), workspace, "", BIND, "")
    _mount("", workspace, "", BIND | REMOUNT | READ_ONLY, "")


@dataclass(frozen=True)
class MemoryLeft:
    """So many KiB may still be had."""

    kib: int

    def __call__(self, workspace: Path) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + self.kib * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def no_memory(workspace: Path) -> None:
    """Hardly any memory is left."""
    MemoryLeft(2 * 1024)(workspace)


def nobody_reads(workspace: Path) -> None:
    """What it says goes into a pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 1)


def full_output(workspace: Path) -> None:
    """What it says goes into a file on a full disk."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def closed_output(workspace: Path) -> None:
    """It has no standard output."""
    os.close(1)


def can_mount() -> bool:
    """Whether a process may have mounts of its own here."""

    line = [sys.executable, "-c", "from tests.faults.environments import own_mounts; own_mounts()"]
    return subprocess.run(line, cwd=ROOT, capture_output=True, check=False).returncode == 0


def own_mounts() -> None:
    """This process does not share its mounts any more."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("", Path("/"), "", RECURSIVE | PRIVATE, "")


def _mount(source: str, target: Path, kind: str, flags: int, data: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = (source or None, str(target), kind or None)
    if libc.mount(*(w and os.fsencode(w) for w in words), flags, data.encode() or None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


class Terminal:
    """Carries `adapter-lab` commands out, each in a process and an environment of its own."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*IMPORTS, __name__])

    def start(
        self,
        words: Sequence[str],
        workspace: Path | None,
        surround: Surround = nothing,
        beside: Path | None = None,
    ) -> CommandProcess:
        """Begins a command.

        Args:
            words: its command line, without the workspace.
            workspace: where; None for a command that takes none.
            surround: the environment.
            beside: a workspace that has the environment, where the command takes none.
        """
        sides = [self._context.Pipe(duplex=False) for _ in range(2)]
        line = [*words, *(["--workspace", str(workspace)] if workspace is not None else [])]
        around = workspace or beside or Path()
        process = self._context.Process(
            target=_carry_out, args=(line, surround, around, *(side[1] for side in sides))
        )
        process.start()
        for _, writing in sides:
            writing.close()
        return CommandProcess(process, [reading for reading, _ in sides])

    def carry_out(
        self,
        words: Sequence[str],
        workspace: Path | None,
        surround: Surround = nothing,
        beside: Path | None = None,
    ) -> Ending:
        """A command from its beginning to its end; see `start`."""
        return self.start(words, workspace, surround, beside).end()


class CommandProcess:
    """A command under way.

    Args:
        process: of it.
        sides: where what it says can be read.
    """

    def __init__(self, process: BaseProcess, sides: Sequence[Connection]) -> None:
        self.process = process
        self._said: list[bytes] = [b"", b""]
        self._readers = [
            threading.Thread(target=self._read, args=(number, side), daemon=True)
            for number, side in enumerate(sides)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, number: int, side: Connection) -> None:
        with side:
            while piece := os.read(side.fileno(), 65536):
                self._said[number] += piece

    def end(self, patience: float = PATIENCE) -> Ending:
        """Waits for its end; ends it after so many seconds."""
        self.process.join(patience)
        status = self.process.exitcode
        if status is None:
            self.process.kill()
            self.process.join()
        for reader in self._readers:
            reader.join(5)
        out, err = (text.decode(errors="replace") for text in self._said)
        return Ending(status, out, err)


def _carry_out(
    line: list[str], surround: Surround, workspace: Path, out: Connection, err: Connection
) -> None:
    for number, side in ((1, out), (2, err)):
        os.dup2(side.fileno(), number)
        side.close()
    surround(workspace)
    sys.stdout = None if surround is closed_output else _stream(1)  # type: ignore[assignment]
    sys.stderr = _stream(2)
    sys.argv = ["adapter-lab", *line]
    main = importlib.import_module("cl_core.cli").main
    main()


def _stream(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", closefd=False)
