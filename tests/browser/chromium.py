"""The browser of these tests: the system's Chromium, else Debian's package, else Playwright's own download."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests import debian

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


class NoBrowser(Exception):
    """There is none, and none can be had; the message says what was tried."""


def downloaded() -> Path:
    """Where Playwright keeps a browser of its own; the file need not be there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


@dataclass(frozen=True)
class Machine(debian.Machine):
    """One on which Playwright may keep a browser of its own.

    Attributes:
        downloaded: where that is or would be.
    """

    downloaded: Callable[[], Path] = downloaded


def provide(machine: Machine | None = None) -> Path:
    """A Chromium that starts, installed if need be.

    Args:
        machine: this one, unless a test makes one up.

    Raises:
        NoBrowser: none can be had.
    """
    machine = machine or Machine()
    executable = _on_path(machine)
    if executable is not None:
        return executable
    downloaded = machine.downloaded()
    if downloaded.is_file():
        return downloaded
    tried = ["no Chromium is on the path"]
    executable = debian.installed(machine, ["chromium"], lambda: _on_path(machine), tried)
    if executable is not None:
        return executable
    fault = machine.run([sys.executable, "-m", "playwright", "install", "chromium"])
    if fault is None and downloaded.is_file():
        fault = machine.run([str(downloaded), "--version"])
        if fault is None:
            return downloaded
    tried.append(f"playwright install chromium: {fault or 'nothing came of it'}")
    raise NoBrowser("; ".join(tried))


def _on_path(machine: Machine) -> Path | None:
    """The first that says its version: Ubuntu's `chromium-browser` may be a stub that only names a snap."""
    for name in NAMES:
        path = machine.which(name)
        if path is not None and machine.run([path, "--version"]) is None:
            return Path(path)
    return None
