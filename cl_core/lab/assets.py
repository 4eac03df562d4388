"""What a run computes, each thing once: the store asked first, and frozen features.

The key of an artifact is the hash of everything that it depends on, so two recipes that need the same
adapter share it, and a sixth task trains one adapter. What is trained is in `learning.py`,
`improvising.py`, `sharing.py` and `networks.py`; what is kept of the data in `remembering.py`; what is
computed with all of them in `states.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.features import Parts, extract_features
from cl_core.backbones.seeing import SeeingBackbone
from cl_core.backbones.visual import Viewer
from cl_core.device import Device
from cl_core.errors import UserError
from cl_core.evaluate.states import states_under
from cl_core.lab.events import Epoch, Made
from cl_core.lab.run_settings import RunSettings
from cl_core.lab.tokenised import TokenisedStream
from cl_core.store import Artifact, Store, key
from cl_core.tasks.stream import Stream, vocabulary
from cl_core.train.chance import Chance
from cl_core.train.checkpoint import Checkpoints, EpochRecord
from cl_core.train.divergence import Knobs, all_finite
from cl_core.train.lesson import Lesson, R
from cl_core.train.loop import Stopped, Watch
from cl_core.train.seeds import derive_seed
from cl_core.train.settings import TrainSettings

# Part of every key of its kind: raise one when the code that computes the artifact changes what comes out.
VERSIONS = {
    "features": 1,
    "sights": 1,
    "adapter": 1,
    "states": 1,
    "memory": 1,
    "fusion": 1,
    "network": 2,  # 2: the best epoch by loss
    "shared": 1,
    "fisher": 1,
}

Contents = tuple[Mapping[str, Tensor], Any]
"""What computing an artifact gives: its tensors, and plain data."""


@dataclass(frozen=True)
class Reporter:
    """How the work below speaks to the run that asked for it."""

    record: Callable[[Made | Epoch], None]
    step: Callable[[int, int], None]
    stop: Callable[[], bool]
    warn: Callable[[str], None] = lambda message: None


class Assets:
    """Artifacts of one stream on one backbone under one set of settings and one seed.

    Args:
        store: where they are.
        stream: its data.
        backbone: frozen.
        settings: of the run.
        device: where to compute.
        seed: of the run.
        reporter: how the work speaks to the run.
        viewer: finds what is seen of a split (`sights.py`).
    """

    def __init__(
        self,
        store: Store,
        stream: Stream,
        backbone: Backbone,
        settings: RunSettings,
        device: Device,
        seed: int,
        reporter: Reporter,
        viewer: Callable[[Assets, int, str], Viewer | None],
    ) -> None:
        self.store = store
        self.stream = stream
        generates = settings.answers.answers == "embeddings"
        backbone.answer_from(vocabulary(stream) if generates else ())
        seen_only = settings.answers.vocabulary == "seen"
        self.data = TokenisedStream(stream, backbone, partial(viewer, self), seen_only)
        self.backbone = backbone
        self.settings = settings
        self.device = device
        self.seed = seed
        self.reporter = reporter
        self._features: dict[tuple[int, str, int, str, Parts], Tensor] = {}

    def features(self, task: int, split: str) -> Tensor:
        """(N, d) router embeddings of a split: the frozen backbone without adapters (DAM).

        (N, v + d) where the backbone sees; `parts` may leave out one of the two.
        """
        router = self.settings.router
        return self._embeddings(task, split, router.layer, router.pooling, router.parts)

    def bare_states(self, task: int, split: str, pooling: str) -> Tensor:
        """(N, d) what heads read of the backbone without adapters."""
        inputs = {
            "version": VERSIONS["features"],
            **self.backbone_inputs(),
            "data": self.data.fingerprint(task, split),
            "read": pooling,
            "batch_size": self.settings.evaluate.eval_batch_size,
        }

        def compute() -> Contents:
            encoding = self.data.encoding(task, split)
            states = states_under(
                self.backbone,
                encoding,
                range(len(encoding)),
                lambda positions: {},
                pooling,
                self.settings.evaluate.eval_batch_size,
                self.device,
                self.rows_done,
            )
            return {"states": states}, None

        return self.make("features", inputs, compute, task, task).tensors["states"]

    def _embeddings(self, task: int, split: str, layer: int, pooling: str, parts: Parts) -> Tensor:
        if (task, split, layer, pooling, parts) not in self._features:
            inputs = {
                "version": VERSIONS["features"],
                **self.backbone_inputs(),
                "data": self.data.fingerprint(task, split),
                "layer": layer,
                "pooling": pooling,
                # Rounding depends on who shares a batch: the same bytes need the same batches.
                "batch_size": self.settings.evaluate.eval_batch_size,
                **({"parts": parts} if self.sees else {}),
            }

            def compute() -> Contents:
                features = extract_features(
                    self.backbone,
                    self.data.encoding(task, split),
                    layer=layer,
                    pooling=pooling,
                    batch_size=self.settings.evaluate.eval_batch_size,
                    autocast=self.device.autocast,
                    progress=self.rows_done,
                    parts=parts,
                )
                return {"features": features}, None

            artifact = self.make("features", inputs, compute, task, task)
            self._features[task, split, layer, pooling, parts] = artifact.tensors["features"]
        return self._features[task, split, layer, pooling, parts]

    @property
    def sees(self) -> bool:
        """Whether the backbone looks at pictures beside texts."""
        return isinstance(self.backbone, SeeingBackbone)

    def backbone_inputs(self) -> dict[str, Any]:
        """What every artifact that the backbone had a part in depends on."""
        return {
            "backbone": self.backbone.fingerprint,
            "dtype": self.settings.backbone.dtype,
            "max_length": self.backbone.max_length,
            "device": self.device.name,
            **self.settings.answers.model_dump(exclude_defaults=True),
            **({"generates": list(generates)} if (generates := self.backbone.vocabulary) else {}),
        }

    def derived_seed(self, *parts: object) -> int:
        """A seed of its own for each purpose, from the run's."""
        return derive_seed(self.seed, *parts)

    def watch(self, name: str, epochs: int) -> Watch:
        """What a training loop tells and asks, for the run's events.

        Args:
            name: of the task, with the phase where there are several.
            epochs: of the loop, at most.
        """

        def epoch(record: EpochRecord) -> None:
            self.reporter.record(
                Epoch(
                    task=name,
                    epoch=record.epoch,
                    epochs=epochs,
                    train_loss=record.train_loss,
                    validation_loss=record.validation_loss,
                    validation_accuracy=record.validation_accuracy,
                )
            )

        return Watch(step=self.reporter.step, epoch=epoch, stop=self.reporter.stop)

    def lesson(
        self,
        train: R,
        validation: R,
        settings: TrainSettings,
        seed: int,
        checkpoints: Checkpoints,
        name: str,
        epochs: int | None = None,
    ) -> Lesson[R]:
        """What an objective of this run is given.

        Args:
            train: rows to learn from.
            validation: rows that judge.
            settings: of the loop.
            seed: of this training.
            checkpoints: where mid-task ones go.
            name: for the run's events: of the task, with the phase where there are several.
            epochs: of the loop, at most, where the settings do not say so.
        """
        watch = self.watch(name, epochs or settings.epochs)
        return Lesson(
            self.backbone,
            train,
            validation,
            settings,
            self.device,
            seed,
            checkpoints,
            watch,
            Knobs(name),
        )

    def rows_done(self, done: int, total: int) -> None:
        """Tells how far a pass over rows is, and ends it when somebody asked to stop."""
        self.reporter.step(done, total)
        self.check_stop()

    def check_stop(self) -> None:
        """Ends the work where somebody asked to stop.

        Raises:
            Stopped: somebody did.
        """
        if self.reporter.stop():
            raise Stopped("stopped as asked")

    def make(
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
            rows: how many training rows it is made from, for the event.
            moves: what the names of the tensors that training moved begin with, for the event.

        Raises:
            UserError: what came out is not finite; it is not stored.
        """
        own_key = key(kind, inputs)
        artifact = self.store.read(kind, own_key)
        reused = artifact is not None
        # Apart from the artifact, whose bytes must not depend on how fast the machine was.
        timing_inputs = {"artifact": own_key}
        timing_key = key("timing", timing_inputs)
        if artifact is None:
            began = time.perf_counter()
            tensors, data = compute()
            self.device.synchronise()
            self._check_finite(kind, task, tensors)
            seconds = time.perf_counter() - began
            artifact = self.store.write(kind, own_key, inputs, tensors=tensors, data=data)
            if not self.store.has("timing", timing_key):
                self.store.write("timing", timing_key, timing_inputs, data={"seconds": seconds})
        timing = self.store.read("timing", timing_key)
        self.reporter.record(
            Made(
                kind=shown_as or kind,
                task=self.data.name(task),
                stage=stage + 1,
                key=own_key,
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

    def judge(self, name: str, artifact: Artifact, chance: Chance, settings: TrainSettings) -> None:
        """Warns where what was trained has learnt nothing, computed now or found.

        Args:
            name: of the task, with the phase where there are several.
            artifact: has the learning curve.
            chance: what guessing comes to on the rows that chose the epoch.
            settings: trained with.
        """
        history = (artifact.data or {}).get("history", ())
        if found := chance.learnt_nothing(history):
            self.reporter.warn(
                f"'{name}' has learnt nothing: {found}. Its scores are those of guessing. Try another learning rate "
                f"(now {settings.learning_rate:g}), more epochs (now at most {settings.epochs}) or more training rows, "
                "and look whether the labels fit what they stand beside (adapter-lab check)"
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
