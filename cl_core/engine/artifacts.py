"""What a run's artifacts depend on, and the first of them: frozen features. Each is made once (`artifact_cache.py`).

The key of an artifact is the hash of everything that it depends on, so two recipes that need the same
adapter share it, and a sixth task trains one adapter. What is trained is in `task_adapters.py`,
`i2i.py`, `shared_adapter.py` and `l2r.py`; what is kept of the data in `memory_selection.py`; what is
computed with all of them in `cached_states.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from torch import Tensor

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.vision.vision_encoder import TokenSource
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.device import Device
from cl_core.engine.artifact_cache import ArtifactCache, Contents, Reporter
from cl_core.engine.encoded_stream import EncodedStream
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.stored_weights import StoredWeights
from cl_core.recipes.settings import RunSettings
from cl_core.store import Store
from cl_core.tasks.stream import Stream, vocabulary
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.context import R, TrainingContext
from cl_core.train.divergence import DivergenceReport
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


class RunArtifacts(ArtifactCache):
    """Artifacts of one stream on one backbone under one set of settings and one seed.

    Args:
        store: where they are.
        stream: its data.
        backbone: frozen.
        settings: of the run.
        device: where to compute.
        seed: of the run.
        reporter: how the work speaks to the run.
        token_source: finds what is seen of a split (`visual_tokens.py`).
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
        token_source: Callable[[RunArtifacts, int, str], TokenSource | None],
    ) -> None:
        self.stream = stream
        generates = settings.answers.answers == "embeddings"
        backbone.answer_from(vocabulary(stream) if generates else ())
        seen_only = settings.answers.vocabulary == "seen"
        data = EncodedStream(stream, backbone, partial(token_source, self), seen_only)
        super().__init__(store, data, backbone, settings, device, reporter)
        self.seed = seed
        self._features: dict[tuple[int, str], Tensor] = {}

    @cached_property
    def passes(self) -> ForwardPasses:
        """Forward passes of the backbone; they tell how far they are, and end when somebody asked to stop."""
        return ForwardPasses(self.backbone, self.settings, self.device, self.rows_done)

    @cached_property
    def weights(self) -> StoredWeights:
        """Trained weights by key; `KeyError` where they are not in the store."""

        def read(kind: str, key: str) -> Mapping[str, Tensor]:
            artifact = self.store.read(kind, key)
            if artifact is None:
                raise KeyError(key)
            return artifact.tensors

        return StoredWeights(self.passes, read)

    def features(self, task: int, split: str) -> Tensor:
        """(N, d) router embeddings of a split: see `ForwardPasses.features`."""
        if (task, split) not in self._features:
            router = self.settings.router
            inputs = {
                "version": VERSIONS["features"],
                **self.backbone_inputs(),
                "data": self.data.fingerprint(task, split),
                "layer": router.layer,
                "pooling": router.pooling,
                # Rounding depends on who shares a batch: the same bytes need the same batches.
                "batch_size": self.settings.evaluate.eval_batch_size,
                **({"parts": router.parts} if self.sees else {}),
            }

            def compute() -> Contents:
                return {"features": self.passes.features(self.data.encoding(task, split))}, None

            artifact = self.get_or_compute("features", inputs, compute, task, task)
            self._features[task, split] = artifact.tensors["features"]
        return self._features[task, split]

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
            return {"states": self.passes.bare(self.data.encoding(task, split), pooling)}, None

        return self.get_or_compute("features", inputs, compute, task, task).tensors["states"]

    @property
    def sees(self) -> bool:
        """Whether the backbone looks at pictures beside texts."""
        return isinstance(self.backbone, VisionLanguageBackbone)

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

    def context(
        self,
        train: R,
        validation: R,
        settings: TrainSettings,
        seed: int,
        checkpoints: Checkpoints,
        name: str,
        epochs: int | None = None,
    ) -> TrainingContext[R]:
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
        callbacks = self.callbacks(name, epochs or settings.epochs)
        return TrainingContext(
            self.backbone,
            train,
            validation,
            settings,
            self.device,
            seed,
            checkpoints,
            callbacks,
            DivergenceReport(name),
        )
