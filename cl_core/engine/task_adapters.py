"""One adapter per task: where it starts, its training, its Fisher information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.errors import UserError, counted
from cl_core.store import key
from cl_core.train.chance import Chance
from cl_core.train.classification import fit
from cl_core.train.penalties.ewc import Sampling, adapter_fisher


@dataclass(frozen=True)
class Start:
    """Where an adapter starts: a byte copy of stored weights.

    Attributes:
        kind: of the artifact.
        key: of the artifact.
        copies_head: whether the head is copied along; else it starts afresh.
    """

    kind: Literal["adapter", "distilled"]
    key: str
    copies_head: bool


class TaskAdapterTrainer:
    """Trains adapters in isolation, or finds them."""

    def __init__(self, artifacts: RunArtifacts) -> None:
        self.artifacts = artifacts
        self._bank: tuple[tuple[str, tuple[str, ...]], Bank] | None = None

    @property
    def site_names(self) -> list[str]:
        """Of the sites that carry a bottleneck, in order."""
        return self.artifacts.weights.site_names

    def copy_of(self, parent: str | None) -> Start | None:
        """The start at a parent's weights; None starts at random.

        The head is copied along in DIL, where it answers over the same labels, and starts afresh elsewhere **(ours)**.
        """
        if parent is None:
            return None
        return Start("adapter", parent, copies_head=self.artifacts.stream.protocol == "dil")

    def train(self, task: int, start: Start | None, shown_as: str | None = None) -> str:
        """Trains a task's adapter and head, or finds them; returns their key.

        Args:
            task: 0-based.
            start: None starts at random.
            shown_as: what the event calls it.
        """
        artifacts = self.artifacts
        inputs = self._inputs(task, start)
        name = artifacts.data.name(task)
        adapter_key = key("adapter", inputs)
        checkpoints = MidTaskCheckpoints(artifacts.store, adapter_key)
        train = artifacts.data.rows(task, "train")

        def compute() -> Contents:
            context = artifacts.context(
                train,
                artifacts.data.rows(task, "validation"),
                artifacts.settings.train,
                artifacts.derived_seed(artifacts.data.fingerprint(task, "train")),
                checkpoints,
                name,
            )
            fitted = fit(context, self._begin(task, start), artifacts.settings.adapter.dropout)
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        artifact = artifacts.get_or_compute(
            "adapter", inputs, compute, task, task, shown_as, len(train), ("adapter.", "head.")
        )
        if shown_as is None:
            artifacts.warn_if_nothing_learnt(
                name, artifact, self.chance(task), artifacts.settings.train
            )
        checkpoints.clear()
        return adapter_key

    def chance(self, task: int) -> Chance:
        """What guessing comes to on a task's validation samples, under a head of its own."""
        rows = self.artifacts.data.rows(task, "validation")
        candidates = rows.candidates
        classes = self.artifacts.data.classes(task) if candidates is None else int(candidates.sum())
        return Chance.of([(rows.labels, classes)])

    def weights(self, adapter_key: str, kind: str = "adapter") -> TaskWeights:
        """The trained weights under a key, on the run's device.

        Raises:
            KeyError: they are not in the store.
        """
        return self.artifacts.weights.task(adapter_key, kind)

    def bank(self, adapters: Sequence[str], kind: str = "adapter") -> Bank:
        """The bank of the adapters under these keys, stacked once and kept until another one is asked for."""
        wanted = kind, tuple(adapters)
        if self._bank is None or self._bank[0] != wanted:
            self._bank = wanted, Bank.stack([self.adapter(key, kind) for key in adapters])
        return self._bank[1]

    def adapter(self, artifact_key: str, kind: str = "adapter") -> Adapter:
        """The adapter alone, of weights that may have other heads than one task's.

        Raises:
            KeyError: it is not in the store.
        """
        if kind in ("adapter", "distilled"):
            return self.weights(artifact_key, kind).adapter
        return self.artifacts.weights.adapter(artifact_key, kind)

    def fresh(self, task: int, purpose: str = "start") -> TaskWeights:
        """An untrained adapter and head for a task; the same seed and purpose give the same bytes."""
        artifacts = self.artifacts
        backbone = artifacts.backbone
        fingerprint = artifacts.data.fingerprint(task, "train")
        generator = torch.Generator().manual_seed(artifacts.derived_seed(purpose, fingerprint))
        adapter = self._fresh_adapter(generator)
        head = self.frozen_head(task) or Head.initialise(
            artifacts.data.classes(task), backbone.read_size, generator
        )
        return TaskWeights(replace(adapter, projection=self.fresh_projection(task)), head)

    def _fresh_adapter(self, generator: torch.Generator) -> Adapter:
        """Random bottlenecks, or a copy of those that the backbone was trained with."""
        settings, backbone = self.artifacts.settings.adapter, self.artifacts.backbone
        if settings.init != "backbone":
            return Adapter.initialise(settings, backbone.sites, backbone.hidden_size, generator)
        start = backbone.start if isinstance(backbone, VisionLanguageBackbone) else {}
        wanted = len(self.site_names), settings.width(backbone.hidden_size), backbone.hidden_size
        shape = tuple(start["adapter.down"].shape) if "adapter.down" in start else None
        if shape != wanted:
            has = (
                "none"
                if shape is None
                else f"{counted(shape[0], 'bottleneck')} of width {shape[1]}"
            )
            raise UserError(
                f"init=backbone: the adapters that backbone '{backbone.name}' was trained with are {has}; these "
                f"settings ask for {wanted[0]} of width {wanted[1]}. Choose init=dam or init=i2i, or their shape"
            )
        return Adapter.from_tensors(start, self.site_names, settings.activation).clone()

    def fresh_projection(self, task: int) -> Projection | None:
        """Where a task's visual projection starts: a copy of the backbone's own, else a random one.

        None where the backbone does not see.
        """
        backbone = self.artifacts.backbone
        if not isinstance(backbone, VisionLanguageBackbone):
            return None
        if backbone.projection is not None:
            weight, bias = (tensor.detach().float().cpu().clone() for tensor in backbone.projection)
            return Projection(weight, bias)
        fingerprint = self.artifacts.data.fingerprint(task, "train")
        seed = self.artifacts.derived_seed("projection", fingerprint)
        generator = torch.Generator().manual_seed(seed)
        return Projection.initialise(backbone.embedding_size, backbone.visual_size, generator)

    def fresh_head(self, task: int) -> Head:
        """An untrained head for a task whose adapter is copied."""
        if frozen := self.frozen_head(task):
            return frozen
        artifacts = self.artifacts
        fingerprint = artifacts.data.fingerprint(task, "train")
        generator = torch.Generator().manual_seed(artifacts.derived_seed("start", fingerprint))
        return Head.initialise(
            artifacts.data.classes(task), artifacts.backbone.read_size, generator
        )

    def frozen_head(self, task: int) -> Head | None:
        """A head made of what the task's labels are called, where answers are scored so; None otherwise.

        Raises:
            UserError: the backbone cannot make one.
        """
        artifacts = self.artifacts
        if artifacts.settings.answers.answers == "heads":
            return None
        label_head = artifacts.backbone.label_head(artifacts.data.label_names(task))
        if label_head is None:
            raise UserError(
                f"backbone '{artifacts.backbone.name}' has no embeddings of what labels are called; use answers=heads"
            )
        return Head(label_head.weight.cpu(), label_head.bias.cpu(), frozen=True)

    def refrozen(self, head: Head) -> Head:
        """A stored head, frozen where heads are made of names."""
        return replace(head, frozen=self.artifacts.settings.answers.answers == "embeddings")

    def fisher(self, task: int, adapter_key: str) -> Adapter:
        """The diagonal Fisher information of a task's adapter, in the adapter's shape."""
        return self.adapter(self.fisher_key(task, adapter_key), "fisher")

    def fisher_key(self, task: int, adapter_key: str) -> str:
        """Estimates the diagonal Fisher information of a task's adapter, or finds it; returns its key."""
        artifacts, settings = self.artifacts, self.artifacts.settings
        inputs = {
            "version": VERSIONS["fisher"],
            **artifacts.backbone_inputs(),
            "adapter": adapter_key,
            "data": artifacts.data.fingerprint(task, "train"),
            "rows": settings.baselines.fisher_rows,
            "pooling": settings.train.head_pooling,
            "seed": artifacts.seed,
        }

        def compute() -> Contents:
            generator = torch.Generator().manual_seed(artifacts.derived_seed("fisher", adapter_key))
            tensors = adapter_fisher(
                artifacts.backbone,
                self.weights(adapter_key),
                artifacts.data.rows(task, "train"),
                Sampling(settings.baselines.fisher_rows, generator),
                settings.train.head_pooling,
                artifacts.device,
                artifacts.rows_done,
            )
            return tensors, None

        return artifacts.get_or_compute("fisher", inputs, compute, task, task).key

    def _begin(self, task: int, start: Start | None) -> TaskWeights:
        if start is None:
            return self.fresh(task)
        cpu = torch.device("cpu")
        weights = self.weights(start.key, start.kind)
        adapter = weights.adapter.clone().to(cpu)
        head = weights.head.clone().to(cpu) if start.copies_head else self.fresh_head(task)
        return TaskWeights(adapter, self.refrozen(head))

    def _inputs(self, task: int, start: Start | None) -> dict[str, Any]:
        artifacts = self.artifacts
        return {
            "version": VERSIONS["adapter"],
            **artifacts.backbone_inputs(),
            "train": artifacts.data.fingerprint(task, "train"),
            "validation": artifacts.data.fingerprint(task, "validation"),
            "head": list(artifacts.data.head_labels(task)),
            "classes": artifacts.data.classes(task),
            **_candidates(artifacts.data.candidates(task)),
            "copies_head": start is not None and start.copies_head,
            "adapter": artifacts.settings.adapter.model_dump(),
            "training": artifacts.settings.train.model_dump(exclude={"checkpoint_every"}),
            "seed": artifacts.seed,
            "parent": None if start is None else start.key,
        }


def _candidates(candidates: Tensor | None) -> dict[str, list[int]]:
    """For keys: the answers known so far, where that is not all of them."""
    return {} if candidates is None else {"candidates": candidates.nonzero().flatten().tolist()}
