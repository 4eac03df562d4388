"""Programs that tests need: the system's own, else Debian's packages, installed where that is allowed.

`make test` must work on a bare machine, so that the superuser of a Debian has what is missing installed. Where it
cannot be had tests are skipped and say so; in continuous integration they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Found = TypeVar("Found")
INSTALL_SECONDS = 600


def run(command: Sequence[str], seconds: float = INSTALL_SECONDS) -> str | None:
    """Carries a command out; returns None where it succeeded, else what it said last."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
            text=True,
            errors="replace",
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stdout.strip().splitlines() or [f"status {done.returncode}"])[-1]


@dataclass(frozen=True)
class Machine:
    """What can be had on it.

    Attributes:
        which: the path of a program, or None.
        run: carries a command out; None where it succeeded, else what it said.
        superuser: whether packages may be installed.
    """

    which: Callable[[str], str | None] = shutil.which
    run: Callable[[Sequence[str]], str | None] = run
    superuser: bool = hasattr(os, "geteuid") and os.geteuid() == 0


def installed(
    machine: Machine, packages: Sequence[str], look: Callable[[], Found | None], tried: list[str]
) -> Found | None:
    """What is looked for, once Debian's packages are there.

    Args:
        machine: where.
        packages: of Debian, that bring it.
        look: looks for it.
        tried: is told why it could not be had.
    """
    if machine.which("apt-get") is None:
        tried.append("there is no apt-get")
        return None
    if not machine.superuser:
        tried.append("apt-get needs the superuser")
        return None
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    fault = machine.run(install)
    if fault is not None:  # a fresh container has no list of packages yet
        fault = machine.run(["apt-get", "update"]) or machine.run(install)
    tool = look()
    if tool is None:
        tried.append(f"apt-get install {' '.join(packages)}: {fault or 'it does not start'}")
    return tool


def must_have(environment: Mapping[str, str]) -> bool:
    """Whether tests fail without what they need, in continuous integration, instead of being skipped."""
    return environment.get("CI", "").lower() == "true"
