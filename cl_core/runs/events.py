"""What happens in a run, one JSON line each, append-only.

Whoever watches a run (the terminal, the app, a notebook) reads these lines; nobody asks the
process. Each kind of event is a frozen model.
"""

from __future__ import annotations

import errno
import os
import stat
from codecs import getincrementaldecoder
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from cl_core.recipes.plan import PhaseName
from cl_core.settings import Settings


class Event(Settings):
    """Base: when it happened (ISO 8601, UTC). A number may be none: an event is a record, not a request."""

    model_config = ConfigDict(allow_inf_nan=True)

    time: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


class StartEvent(Event):
    """A process took the run up, from its beginning or where it was left."""

    type: Literal["started"] = "started"
    process: int
    device: str
    steps: int
    """Steps of the plan."""


class PhaseEvent(Event):
    """A step of the plan begins."""

    type: Literal["phase"] = "phase"
    step: int
    """1-based position in the plan."""
    phase: PhaseName
    stage: int
    """1-based stage."""
    task: str


class EpochEvent(Event):
    """An epoch of a task ended."""

    type: Literal["epoch"] = "epoch"
    task: str
    epoch: int
    epochs: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float


class ArtifactEvent(Event):
    """An artifact is there: computed now, or found in the store."""

    type: Literal["made"] = "made"
    kind: str
    task: str
    stage: int
    key: str
    reused: bool
    seconds: float
    """What computing it took, whether now or when it was first made."""
    rows: int = 0
    """Training samples that it was made from; 0 where nothing was trained or chosen."""
    parameters: int = 0
    """Numbers that moved in making it."""


class ParametersEvent(Event):
    """How many numbers the model has after a stage."""

    type: Literal["parameters"] = "parameters"
    stage: int
    trainable_parameters: int
    """Adapter and head of the task just learnt."""
    stored_parameters: int
    """All adapters and heads kept, and what the router keeps."""
    active_parameters: int
    """Backbone, and the most adapters with their heads that one sample uses."""
    backbone_parameters: int
    memory_rows: int = 0
    """Training samples of all tasks so far that are kept for replay or for L2R's routers."""


class EvaluationEvent(Event):
    """One cell of the score matrix is known."""

    type: Literal["evaluated"] = "evaluated"
    stage: int
    task: str
    accuracy: float
    rows: int
    recomputed: int
    """Rows whose forward pass was run; the others were looked up."""


class WarningEvent(Event):
    """Something that a person should know; the run goes on."""

    type: Literal["warning"] = "warning"
    message: str


class FinishEvent(Event):
    """The run is complete."""

    type: Literal["finished"] = "finished"
    seconds: float
    """Wall time of this process."""
    peak_memory_bytes: int
    """Largest resident memory of this process."""
    peak_gpu_memory_bytes: int = 0


class StopEvent(Event):
    """Somebody asked it to stop; it can be resumed."""

    type: Literal["stopped"] = "stopped"


class FailureEvent(Event):
    """It ended with an error; it can be resumed once the cause is mended."""

    type: Literal["failed"] = "failed"
    message: str


class KillEvent(Event):
    """Its process was ended from outside, or crashed, before it could say so: said by whoever waited for it."""

    type: Literal["killed"] = "killed"
    signal: str
    """Such as "SIGKILL"."""


AnyEvent = Annotated[
    StartEvent
    | PhaseEvent
    | EpochEvent
    | ArtifactEvent
    | ParametersEvent
    | EvaluationEvent
    | WarningEvent
    | FinishEvent
    | StopEvent
    | FailureEvent
    | KillEvent,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def append_event(path: Path, event: Event) -> None:
    """Adds one line in one write; a line that a killed process left unfinished is closed first.

    Raises:
        OSError: the disk's answer, or it is a pipe or a device.
    """
    line = event.model_dump_json() + "\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))
        if status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
            line = "\n" + line
        left = line.encode()
        while left:  # a disk that is almost full takes a part
            left = left[os.write(descriptor, left) :]
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(descriptor)


def read_events(content: bytes) -> Iterator[AnyEvent]:
    """Yields the events of a file's content in order; a line that a kill cut short is left out, even within a letter.

    Events of later versions are left out, too.

    Raises:
        ValueError: a line is none, and is not the beginning of one either, or has another thing where its kind has a
            number; UnicodeDecodeError where it is no UTF-8.
    """
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            yield _ADAPTER.validate_json(line)
        except ValidationError as error:
            _check_begins_event(line, number)
            for odd in error.errors():  # other kinds and fields may be those of another version
                if odd["type"].startswith(("int_", "float_", "finite_")):
                    name, value = odd["loc"][-1], str(odd["input"])[:40]
                    raise ValueError(f"the {name} of an event is '{value}'") from None


def _check_begins_event(line: bytes, number: int) -> None:
    """Whether a line is the beginning of one that holds names with values, or nothing.

    Raises:
        ValueError: it is none.
    """
    text = getincrementaldecoder("utf-8")().decode(line)  # without half a letter at its end
    if not text.strip():
        return
    try:
        content = from_json(text, allow_partial="trailing-strings")
    except ValueError as error:
        raise ValueError(f"line {number} is no event ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"line {number} is no event")
