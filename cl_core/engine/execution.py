"""Carrying a prepared run out, from its beginning or from where it was left, to a finished run folder."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from cl_core.errors import RunStopped, UserError
from cl_core.runs.environment import describe_environment, peak_memory_bytes
from cl_core.runs.events import (
    Event,
    FailureEvent,
    FinishEvent,
    StartEvent,
    StopEvent,
    WarningEvent,
)
from cl_core.runs.reading.damaged_file import DamagedFile
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from cl_core.system_faults import explained

if TYPE_CHECKING:
    from cl_core.backbones.encoder import Backbone
    from cl_core.tasks.stream import Stream


class Watcher(Protocol):
    """Who looks on while a run is carried out."""

    def notice(self, message: str) -> None:
        """A sentence worth a line: the device, a warning."""
        ...

    def event(self, event: Event) -> None:
        """Something happened; the same event is in the run's folder."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Inside a phase: steps or rows done."""
        ...


class SilentWatcher:
    """A watcher that says nothing."""

    def notice(self, message: str) -> None:
        """Nothing."""

    def event(self, event: Event) -> None:
        """Nothing."""

    def progress(self, done: int, total: int) -> None:
        """Nothing."""


def carry_out(
    workspace: Workspace, run: RunFolder, stream: Stream, watcher: Watcher | None = None
) -> None:
    """Carries the run out, from its beginning or from where it was left.

    Raises:
        RunStopped: somebody asked it to stop (`RunFolder.request_stop`, or Ctrl-C).
        LockHeld: another process is at it.
        ReadOnlyError: the workspace is to stay as it is.
        DamagedFile: what happened in it so far cannot be read, to which more would be added.
    """
    workspace.check_writable()
    run.events  # noqa: B018 - reading them checks them
    from cl_core.backbones.backbone_loader import load_backbone
    from cl_core.device import choose_device
    from cl_core.engine.experiment import Experiment

    watcher = watcher or SilentWatcher()
    config = run.config
    with RunLock(run.lock_path):
        run.clear_stop()
        run.take_up()
        run.on_event = watcher.event
        began = time.perf_counter()
        try:
            device = choose_device(config.device, config.precision)
            watcher.notice(f"device: {device.reason}")
            run.write_environment(describe_environment(device.reason))
            backbone = load_backbone(config.settings.backbone, device.torch_device)
            _check_kinds(stream, backbone)
            workspace.store.on_damage = lambda message: run.record(WarningEvent(message=message))
            _set_replaced_parts_aside(workspace, run)
            experiment = Experiment(
                run, config, stream, backbone, device, workspace.store, watcher.progress
            )
            run.record(
                StartEvent(process=os.getpid(), device=device.reason, steps=len(experiment.plan))
            )
            for warning in stream.warnings:
                run.warn(warning)
            with _interrupt_asks_to_stop(run):
                experiment.carry_out()
        except (RunStopped, KeyboardInterrupt) as stopped:
            run.record(StopEvent())
            run.seal()
            raise RunStopped("stopped as asked") from stopped
        except Exception as error:
            said = explained(error) or f"{type(error).__name__}: {error}"
            with suppress(OSError, MemoryError):  # a full disk takes no record of it either
                run.record(FailureEvent(message=said))
                run.seal()
            raise
        run.record(
            FinishEvent(
                seconds=time.perf_counter() - began,
                peak_memory_bytes=peak_memory_bytes(),
                peak_gpu_memory_bytes=device.peak_memory_bytes(),
            )
        )
        run.seal()


def _set_replaced_parts_aside(workspace: Workspace, run: RunFolder) -> None:
    """Takes parts of the run's model out of the store that are not those which its numbers came from."""
    try:
        names, others = run.artifacts(), run.other_parts()
    except DamagedFile:  # which of them the run had cannot be told
        return
    for name in others:
        kind, key = name.partition("/")[0], names[name]
        workspace.store.set_aside(kind, key, "it is another than the run's scores came from")


def _check_kinds(stream: Stream, backbone: Backbone) -> None:
    """Refuses tasks that the backbone cannot read."""
    unread = [task for task in stream.all_tasks if task.kind not in backbone.kinds]
    if unread:
        names = ", ".join(f"{task.name} ({task.kind})" for task in unread)
        raise UserError(
            f"backbone '{backbone.name}' reads {' and '.join(backbone.kinds)} tasks; stream '{stream.name}' has "
            f"{names}. Choose another with --set backbone=..."
        )


@contextmanager
def _interrupt_asks_to_stop(run: RunFolder) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) asks the run to stop at its next step; the second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if run.stop_requested():
            raise KeyboardInterrupt
        run.request_stop()

    before = {
        signal_number: signal.signal(signal_number, ask)
        for signal_number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)
