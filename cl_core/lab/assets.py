"""What a run computes, each thing once: encodings, features, adapters, hidden states.

Every method here answers from the store when the artifact is there, and computes and stores it
otherwise. The key of an artifact is the hash of everything it depends on, so two recipes that need
the same adapter share it, and a sixth task trains one adapter.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, select_sites
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.features import extract_features
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.evaluate.states import changed_rows, pooled_states
from cl_core.lab.events import Epoch, Made
from cl_core.lab.mid_task import MidTaskCheckpoints
from cl_core.lab.run_settings import RunSettings
from cl_core.lab.tokenised import TokenisedStream
from cl_core.store import Artifact, Store, key
from cl_core.tasks.stream import Stream
from cl_core.train.classification import fit
from cl_core.train.loop import Stopped, Watch
from cl_core.train.seeds import derive_seed

# Part of every key of its kind: raise one when the code that computes the artifact changes what comes out.
VERSIONS = {"features": 1, "adapter": 1, "states": 1}


@dataclass(frozen=True)
class States:
    """Pooled last hidden states of one split under one model.

    Attributes:
        key: of the artifact.
        values: (N, d) float32.
        adapters: K artifact keys, the columns of `weights`.
        weights: (N, K) routing weights that they were computed with.
        recomputed: rows whose forward pass was run for this artifact; the others were looked up.
    """

    key: str
    values: Tensor
    adapters: tuple[str, ...]
    weights: Tensor
    recomputed: int


@dataclass(frozen=True)
class Reporter:
    """How the work below speaks to the run that asked for it."""

    record: Callable[[Made | Epoch], None]
    step: Callable[[int, int], None]
    stop: Callable[[], bool]


class Assets:
    """Artifacts of one stream on one backbone under one set of settings and one seed."""

    def __init__(
        self,
        store: Store,
        stream: Stream,
        backbone: TextBackbone,
        settings: RunSettings,
        device: Device,
        seed: int,
        reporter: Reporter,
    ) -> None:
        self.store = store
        self.stream = stream
        self.data = TokenisedStream(stream, backbone)
        self.backbone = backbone
        self.settings = settings
        self.device = device
        self.seed = seed
        self.reporter = reporter
        self._features: dict[tuple[int, str, int, str], Tensor] = {}
        self._weights: dict[str, TaskWeights] = {}

    def features(self, task: int, split: str) -> Tensor:
        """(N, d) router embeddings of a split: the frozen backbone without adapters (DAM)."""
        router = self.settings.router
        return self._embeddings(task, split, router.layer, router.pooling)

    def bare_states(self, task: int, split: str) -> Tensor:
        """(N, d) pooled last hidden states of the backbone without adapters: what an untrained head reads."""
        return self._embeddings(task, split, -1, self.settings.train.head_pooling)

    def _embeddings(self, task: int, split: str, layer: int, pooling: str) -> Tensor:
        if (task, split, layer, pooling) not in self._features:
            inputs = {
                "version": VERSIONS["features"],
                **self.backbone_inputs(),
                "data": self.stream.tasks[task].split_fingerprint(split),
                "layer": layer,
                "pooling": pooling,
                # Rounding depends on who shares a batch: the same bytes need the same batches.
                "batch_size": self.settings.evaluate.eval_batch_size,
            }

            def compute() -> tuple[dict[str, Tensor], Any]:
                features = extract_features(
                    self.backbone,
                    self.data.encoding(task, split),
                    layer=layer,
                    pooling=pooling,
                    batch_size=self.settings.evaluate.eval_batch_size,
                    autocast=self.device.autocast,
                    progress=self._rows_done,
                )
                return {"features": features}, None

            artifact = self._make("features", inputs, compute, task, task)
            self._features[task, split, layer, pooling] = artifact.tensors["features"]
        return self._features[task, split, layer, pooling]

    def trained(self, task: int, parent: str | None) -> str:
        """Trains a task's adapter and head, or finds them; returns their key.

        Args:
            task: 0-based.
            parent: key of the weights to start from as a byte copy; None starts at random. The head
            is copied along in DIL, where it answers over the same labels, and starts afresh elsewhere **(ours)**.
        """
        inputs = self._adapter_inputs(task, parent)
        name = self.stream.tasks[task].name
        adapter_key = key("adapter", inputs)
        checkpoints = MidTaskCheckpoints(self.store, adapter_key)

        def compute() -> tuple[dict[str, Tensor], Any]:
            epochs = self.settings.train.epochs
            watch = Watch(
                step=self.reporter.step,
                epoch=lambda record: self.reporter.record(
                    Epoch(
                        task=name,
                        epoch=record.epoch,
                        epochs=epochs,
                        train_loss=record.train_loss,
                        validation_loss=record.validation_loss,
                        validation_accuracy=record.validation_accuracy,
                    )
                ),
                stop=self.reporter.stop,
            )
            fitted = fit(
                self.backbone,
                self._start(task, parent),
                self.data.rows(task, "train"),
                self.data.rows(task, "validation"),
                self.settings.train,
                self.settings.adapter.dropout,
                self.device,
                derive_seed(self.seed, self.stream.tasks[task].split_fingerprint("train")),
                checkpoints,
                watch,
            )
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        self._make("adapter", inputs, compute, task, task)
        checkpoints.clear()
        return adapter_key

    def weights(self, adapter_key: str) -> TaskWeights:
        """The trained weights under a key, on the run's device.

        Raises:
            KeyError: they are not in the store.
        """
        if adapter_key not in self._weights:
            artifact = self.store.read("adapter", adapter_key)
            if artifact is None:
                raise KeyError(adapter_key)
            settings = self.settings.adapter
            sites = [site.name for site in select_sites(self.backbone.sites, settings)]
            weights = TaskWeights.from_tensors(artifact.tensors, sites, settings.activation)
            self._weights[adapter_key] = weights.to(self.device.torch_device)
        return self._weights[adapter_key]

    def states(
        self,
        task: int,
        split: str,
        stage: int,
        adapters: Sequence[str],
        weights: Tensor,
        compose: str,
        previous: States | None,
    ) -> States:
        """Pooled last hidden states of a split under the merged adapters.

        Rows whose adapters and weights are those of `previous` are looked up, not computed.

        Args:
            task: 0-based task whose rows they are.
            split: of that task.
            stage: 0-based, for the event only.
            adapters: K artifact keys.
            weights: (N, K).
            compose: name of the composition.
            previous: the same rows at the stage before; None computes all.
        """
        changed = torch.ones(len(weights), dtype=torch.bool)
        if previous is not None:
            changed = changed_rows(previous.adapters, previous.weights, adapters, weights)
            if not changed.any():
                return States(previous.key, previous.values, tuple(adapters), weights, 0)
        lookup = previous is not None and not bool(changed.all())
        inputs = {
            "version": VERSIONS["states"],
            **self.backbone_inputs(),
            "data": self.stream.tasks[task].split_fingerprint(split),
            "adapters": list(adapters),
            "weights": hashlib.sha256(weights.contiguous().numpy().tobytes()).hexdigest(),
            "compose": compose,
            "pooling": self.settings.train.head_pooling,
            "batch_size": self.settings.evaluate.eval_batch_size,
            # A looked-up row may differ in its last bit from one computed in another batch, so
            # what it came from is part of the key.
            "previous": previous.key if lookup and previous else None,
        }

        def compute() -> tuple[dict[str, Tensor], Any]:
            values = previous.values.clone() if lookup and previous else torch.empty(0)
            rows = changed.nonzero().flatten().tolist()
            fresh = pooled_states(
                self.backbone,
                self.data.encoding(task, split),
                rows,
                self.bank(adapters),
                weights[changed].to(self.device.torch_device),
                compose,
                self.settings.train.head_pooling,
                self.settings.evaluate.eval_batch_size,
                self.device,
                self._rows_done,
            )
            if lookup:
                values[changed] = fresh
            else:
                values = fresh
            return {"states": values}, None

        artifact = self._make("states", inputs, compute, task, stage)
        values = artifact.tensors["states"]
        return States(artifact.key, values, tuple(adapters), weights, int(changed.sum()))

    def bank(self, adapters: Sequence[str]) -> Bank:
        """The bank of the adapters under these keys, stacked once and kept until another one is asked for."""
        wanted = tuple(adapters)
        if getattr(self, "_bank_keys", None) != wanted:
            self._bank_keys = wanted
            self._bank = Bank.stack([self.weights(adapter).adapter for adapter in wanted])
        return self._bank

    def untrained_head(self, classes: int, name: str) -> Head:
        """A head as it is before any training, for the score b_j of the untrained model."""
        generator = torch.Generator().manual_seed(derive_seed(self.seed, "untrained", name))
        head = Head.initialise(classes, self.backbone.hidden_size, generator)
        return head.to(self.device.torch_device)

    def _rows_done(self, done: int, total: int) -> None:
        """Tells how far a pass over rows is, and ends it when somebody asked to stop."""
        self.reporter.step(done, total)
        if self.reporter.stop():
            raise Stopped("stopped as asked")

    def _start(self, task: int, parent: str | None) -> TaskWeights:
        fingerprint = self.stream.tasks[task].split_fingerprint("train")
        generator = torch.Generator().manual_seed(derive_seed(self.seed, "start", fingerprint))
        settings, backbone = self.settings.adapter, self.backbone
        if parent is None:
            adapter = Adapter.initialise(settings, backbone.sites, backbone.hidden_size, generator)
        else:
            adapter = self.weights(parent).adapter.clone().to(torch.device("cpu"))
        if parent is not None and self.stream.protocol == "dil":
            head = self.weights(parent).head.clone().to(torch.device("cpu"))
        else:
            head = Head.initialise(self.data.classes(task), backbone.hidden_size, generator)
        return TaskWeights(adapter, head)

    def backbone_inputs(self) -> dict[str, Any]:
        """What every artifact that the backbone had a part in depends on."""
        return {
            "backbone": self.backbone.fingerprint,
            "dtype": self.settings.backbone.dtype,
            "max_length": self.backbone.max_length,
            "device": self.device.name,
        }

    def _adapter_inputs(self, task: int, parent: str | None) -> dict[str, Any]:
        own = self.stream.tasks[task]
        return {
            "version": VERSIONS["adapter"],
            **self.backbone_inputs(),
            "train": own.split_fingerprint("train"),
            "validation": own.split_fingerprint("validation"),
            "head": list(self.data.head_labels(task)),
            "classes": self.data.classes(task),
            "copies_head": parent is not None and self.stream.protocol == "dil",
            "adapter": self.settings.adapter.model_dump(),
            "training": self.settings.train.model_dump(exclude={"checkpoint_every"}),
            "seed": self.seed,
            "parent": parent,
        }

    def _make(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        compute: Callable[[], tuple[dict[str, Tensor], Any]],
        task: int,
        stage: int,
    ) -> Artifact:
        """Reads the artifact, or computes and stores it; says which, and what computing it takes."""
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
            seconds = time.perf_counter() - began
            artifact = self.store.write(kind, own_key, inputs, tensors=tensors, data=data)
            if not self.store.has("timing", timing_key):
                self.store.write("timing", timing_key, timing_inputs, data={"seconds": seconds})
        timing = self.store.read("timing", timing_key)
        self.reporter.record(
            Made(
                kind=kind,
                task=self.stream.tasks[task].name,
                stage=stage + 1,
                key=own_key,
                reused=reused,
                seconds=float(timing.data["seconds"]) if timing else 0.0,
            )
        )
        return artifact
