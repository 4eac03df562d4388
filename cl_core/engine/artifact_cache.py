"""Artifacts, each looked for in the store, else computed and kept; the run is told which it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.engine.encoded_stream import EncodedStream
from cl_core.errors import RunStopped, UserError
from cl_core.recipes.settings import RunSettings
from cl_core.runs.events import ArtifactEvent, EpochEvent
from cl_core.store import Artifact, Store, key
from cl_core.train.chance import Chance
from cl_core.train.checkpoint import EpochRecord
from cl_core.train.divergence import all_finite
from cl_core.train.loop import TrainingCallbacks
from cl_core.train.settings import TrainSettings

Contents = tuple[Mapping[str, Tensor], Any]
"""What computing an artifact gives: its tensors, and plain data."""


@dataclass(frozen=True)
class Reporter:
    """How the work below speaks to the run that asked for it."""

    record: Callable[[ArtifactEvent | EpochEvent], None]
    step: Callable[[int, int], None]
    stop: Callable[[], bool]
    warn: Callable[[str], None] = lambda message: None


class ArtifactCache:
    """Finds or computes the artifacts of a run, each once, and speaks to the run meanwhile.

    Args:
        store: where they are.
        data: the stream, as the backbone reads it.
        backbone: frozen.
        settings: of the run.
        device: where to compute.
        reporter: how the work speaks to the run.
    """

    def __init__(
        self,
        store: Store,
        data: EncodedStream,
        backbone: Backbone,
        settings: RunSettings,
        device: Device,
        reporter: Reporter,
    ) -> None:
        self.store = store
        self.data = data
        self.backbone = backbone
        self.settings = settings
        self.device = device
        self.reporter = reporter

    def get_or_compute(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        compute: Callable[[], Contents],
        task: int,
        stage: int,
        shown_as: str | None = None,
        rows: int = 0,
        moves: tuple[str, ...] = (),
    ) -> Artifact:
        """Reads the artifact, or computes and stores it; says which, and what computing it takes.

        Args:
            kind: of artifact.
            inputs: everything that it depends on.
            compute: makes it.
            task: 0-based, for the event.
            stage: 0-based, for the event.
            shown_as: what the event calls it, where the same kind serves several ends.
            rows: how many training samples it is made from, for the event.
            moves: what the names of the tensors that training moved begin with, for the event.

        Raises:
            UserError: what came out is not finite; it is not stored.
        """
        artifact_key = key(kind, inputs)
        artifact = self.store.read(kind, artifact_key)
        reused = artifact is not None
        # Apart from the artifact, whose bytes must not depend on how fast the machine was.
        timing_inputs = {"artifact": artifact_key}
        timing_key = key("timing", timing_inputs)
        if artifact is None:
            began = time.perf_counter()
            tensors, data = compute()
            self.device.synchronise()
            self._check_finite(kind, task, tensors)
            seconds = time.perf_counter() - began
            artifact = self.store.write(kind, artifact_key, inputs, tensors=tensors, data=data)
            if not self.store.has("timing", timing_key):
                self.store.write("timing", timing_key, timing_inputs, data={"seconds": seconds})
        timing = self.store.read("timing", timing_key)
        self.reporter.record(
            ArtifactEvent(
                kind=shown_as or kind,
                task=self.data.name(task),
                stage=stage + 1,
                key=artifact_key,
                reused=reused,
                seconds=float(timing.data["seconds"]) if timing else 0.0,
                rows=rows,
                parameters=sum(
                    tensor.numel()
                    for name, tensor in (artifact.tensors.items() if moves else ())
                    if name.startswith(moves)
                ),
            )
        )
        return artifact

    def callbacks(self, name: str, epochs: int) -> TrainingCallbacks:
        """What a training loop tells and asks, for the run's events.

        Args:
            name: of the task, with the phase where there are several.
            epochs: of the loop, at most.
        """

        def epoch(record: EpochRecord) -> None:
            self.reporter.record(
                EpochEvent(
                    task=name,
                    epoch=record.epoch,
                    epochs=epochs,
                    train_loss=record.train_loss,
                    validation_loss=record.validation_loss,
                    validation_accuracy=record.validation_accuracy,
                )
            )

        return TrainingCallbacks(step=self.reporter.step, epoch=epoch, stop=self.reporter.stop)

    def rows_done(self, done: int, total: int) -> None:
        """Tells how far a pass over rows is, and ends it when somebody asked to stop."""
        self.reporter.step(done, total)
        self.check_stop()

    def check_stop(self) -> None:
        """Ends the work where somebody asked to stop.

        Raises:
            RunStopped: somebody did.
        """
        if self.reporter.stop():
            raise RunStopped("stopped as asked")

    def warn_if_nothing_learnt(
        self, name: str, artifact: Artifact, chance: Chance, settings: TrainSettings
    ) -> None:
        """Warns where what was trained has learnt nothing, computed now or found.

        Args:
            name: of the task, with the phase where there are several.
            artifact: has the learning curve.
            chance: what guessing comes to on the rows that chose the epoch.
            settings: trained with.
        """
        history = (artifact.data or {}).get("history", ())
        if reason := chance.learnt_nothing(history):
            self.reporter.warn(
                f"'{name}' has learnt nothing that its validation rows show: {reason}. Where its scores are no "
                "better than guessing, try another learning rate "
                f"(now {settings.learning_rate:g}), more epochs (now at most {settings.epochs}) or more training "
                "samples, and look whether the labels fit what they stand beside (adapter-lab check)"
            )

    def _check_finite(self, kind: str, task: int, tensors: Mapping[str, Tensor]) -> None:
        """Keeps numbers that are none out of the store: whoever reads them would compute nonsense without a word."""
        if all_finite(tensors.values()):
            return
        name, dtype = self.data.name(task), self.settings.backbone.dtype
        if kind in ("features", "sights"):
            raise UserError(
                f"the frozen backbone '{self.backbone.name}' gives {kind} of task '{name}' that are not finite. Try "
                f"--set dtype=float32 (now {dtype}), or another backbone"
            )
        raise UserError(
            f"training diverged: the {kind} of task '{name}' are not finite although its losses were. Lower the "
            f"learning rate (now {self.settings.train.learning_rate:g}), for example --set "
            f"learning_rate={self.settings.train.learning_rate / 10:g}"
        )
