"""Runs that learn in another process, until a test has done with them what it wants: no clock decides who is first."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from cl_core.runs.events import EpochEvent, StartEvent
from cl_core.runs.run_folder import RunFolder
from tests.patience import wait_for

ENDLESS = 20_000
"""Epochs that no machine comes to the end of before it is asked to stop."""


def learns(run: RunFolder) -> bool:
    """Whether an epoch of it has ended."""
    return run.exists and any(isinstance(event, EpochEvent) for event in run.events)


def process_of(run: RunFolder) -> int:
    """Number of the process that works on it, or did so last."""
    return [event.process for event in run.events if isinstance(event, StartEvent)][-1]


@contextmanager
def held(run: RunFolder) -> Iterator[None]:
    """As soon as it learns its process stands still, however quick the machine is; it goes on afterwards."""
    wait_for(lambda: learns(run), "it does not learn")
    with standing_still(process_of(run)):
        yield


@contextmanager
def standing_still(process: int) -> Iterator[None]:
    """It is stopped by a signal, and goes on afterwards."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)
