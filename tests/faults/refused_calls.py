"""A process whose system refuses one of its calls, as a file system does that lacks what the call asks for.

The refusal is the kernel's own (seccomp), which needs no rights: nothing in the process is replaced.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FLOCK = {"x86_64": 73, "aarch64": 32}
"""Number of flock(2), by machine."""
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
"""Of prctl(2)."""
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
REFUSE, ALLOW = 0x00050000, 0x7FFF0000
"""SECCOMP_RET_ERRNO, to which the error's number is added, and SECCOMP_RET_ALLOW."""
ROOT = Path(__file__).resolve().parents[2]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


@dataclass(frozen=True)
class LocksRefused:
    """The file systems keep no locks: flock(2) is answered by this error, as by some network mounts."""

    number: int

    def __call__(self, workspace: Path) -> None:
        steps = (
            (LOAD, 0, 0, 0),
            (JUMP_IF_EQUAL, 0, 1, FLOCK[platform.machine()]),
            (RETURN, 0, 0, REFUSE | self.number),
            (RETURN, 0, 0, ALLOW),
        )
        written = b"".join(struct.pack("HBBI", *step) for step in steps)
        kept = ctypes.create_string_buffer(written, len(written))
        program = _Program(len(steps), ctypes.cast(kept, ctypes.c_void_p))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(
            SECCOMP, FILTER, ctypes.byref(program), 0, 0
        ):
            raise OSError(ctypes.get_errno(), "prctl")


def can_refuse_locks() -> bool:
    """Whether that can be done here."""
    line = "from tests.faults.refused_calls import LocksRefused; LocksRefused(37)(None)"
    tried = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, check=False)
    return tried.returncode == 0
