"""The browser of these tests: the system's Chromium, else Debian's package, else Playwright's own.

`make test` must work on a bare machine, so that what is missing is installed where that is allowed: the package by the
superuser of a Debian, Playwright's download by anybody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",  # WebGL without a graphics card: the feature map is drawn with it
    "--enable-unsafe-swiftshader",
)
INSTALL_SECONDS = 600


class NoBrowser(Exception):
    """There is none, and none can be had; the message says what was tried."""


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


def downloaded() -> Path:
    """Where Playwright keeps a browser of its own; the file need not be there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


@dataclass(frozen=True)
class Machine:
    """What the choice depends on.

    Attributes:
        which: the path of a program, or None.
        run: carries a command out; None where it succeeded, else what it said.
        superuser: whether packages may be installed.
        downloaded: where Playwright's own browser is or would be.
    """

    which: Callable[[str], str | None] = shutil.which
    run: Callable[[Sequence[str]], str | None] = run
    superuser: bool = hasattr(os, "geteuid") and os.geteuid() == 0
    downloaded: Callable[[], Path] = downloaded


def provide(machine: Machine | None = None) -> Path:
    """A Chromium that starts, installed if need be.

    Args:
        machine: this one, unless a test makes one up.

    Raises:
        NoBrowser: none can be had.
    """
    machine = machine or Machine()
    found = _on_path(machine)
    if found is not None:
        return found
    own = machine.downloaded()
    if own.is_file():
        return own
    tried = ["no Chromium is on the path"]
    if machine.which("apt-get") is None:
        tried.append("there is no apt-get")
    elif not machine.superuser:
        tried.append("apt-get needs the superuser")
    else:
        install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        fault = machine.run(install)
        if fault is not None:  # a fresh container has no list of packages yet
            fault = machine.run(["apt-get", "update"]) or machine.run(install)
        found = _on_path(machine)
        if found is not None:
            return found
        tried.append(f"apt-get install chromium: {fault or 'it does not start'}")
    fault = machine.run([sys.executable, "-m", "playwright", "install", "chromium"])
    if fault is None and own.is_file():
        fault = machine.run([str(own), "--version"])
        if fault is None:
            return own
    tried.append(f"playwright install chromium: {fault or 'nothing came of it'}")
    raise NoBrowser("; ".join(tried))


def must_have(environment: Mapping[str, str]) -> bool:
    """Whether tests without a browser fail, in continuous integration, instead of being skipped."""
    return environment.get("CI", "").lower() == "true"


def _on_path(machine: Machine) -> Path | None:
    """The first that says its version: Ubuntu's `chromium-browser` may be a stub that only names a snap."""
    for name in NAMES:
        path = machine.which(name)
        if path is not None and machine.run([path, "--version"]) is None:
            return Path(path)
    return None
