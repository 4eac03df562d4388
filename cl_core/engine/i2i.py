"""AdapterFusion and I2I's phases, made once each: fusions, improvised and distilled starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.fusion import Fusion, FusionWeights, fusion_parameter_count
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.task_weights import TaskWeights
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, Assets
from cl_core.engine.cached_states import fused_states
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.engine.task_adapters import Learning, Start
from cl_core.initialise.improvised import ImprovisedInitialiser, draw_share
from cl_core.store import key
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.data import Rows
from cl_core.train.fusing import fit_fusion
from cl_core.train.improvise import Ends, distil, fit_head
from cl_core.train.lesson import Lesson
from cl_core.train.settings import TrainSettings


class Improvising:
    """Trains fusions of finished adapters, and starts made from them."""

    def __init__(self, assets: Assets, learning: Learning) -> None:
        self.assets = assets
        self.learning = learning

    def fused(self, task: int, adapters: Sequence[str]) -> str:
        """Trains the fusion of AdapterFusion for a task over adapters 1..t, its own included; returns its key.

        The head, and the visual projection where there is one, start as copies of the task's own **(ours)**.
        """
        key = adapters[task]
        training = self._settings(fusion=True)
        inputs = self._inputs(task, adapters[: task + 1], 1.0, training) | {"head": key}

        def start() -> Ends:
            weights = self.learning.weights(key)
            both = Ends(self.learning.refrozen(weights.head), weights.adapter.projection)
            return both.clone().to(torch.device("cpu"))

        return self._fusion("fusion", inputs, task, adapters[: task + 1], start, training)

    def improvised(self, task: int, adapters: Sequence[str]) -> str:
        """Phase 1: a head over adapter 1 (k = 2), or a fusion of adapters 1..k-1 with a head; returns its key.

        Where there is something to see, a visual projection is trained with either.
        """
        settings = self.assets.settings.improvise
        earlier = list(adapters[:task])
        training = self._settings(settings.improvise_epochs, fusion=task > 1)
        inputs = self._inputs(task, earlier, settings.improvise_share, training)

        def start() -> Ends:
            return Ends(self.learning.fresh_head(task), self.learning.fresh_projection(task))

        if task > 1:
            return self._fusion("improvised", inputs, task, earlier, start, training)
        own_key = key("improvised", inputs)
        rows = self._rows(task, settings.improvise_share, "improvise")
        checkpoints = MidTaskCheckpoints(self.assets.store, own_key)

        def compute() -> Contents:
            lesson = self._lesson(task, rows, training, "improvise", checkpoints)
            fitted = fit_head(lesson, start(), self.learning.weights(earlier[0]).adapter)
            return fitted.weights.tensors(), _history(fitted.history)

        self.assets.make(
            "improvised", inputs, compute, task, task, rows=len(rows), moves=("head.", "adapter.")
        )
        checkpoints.clear()
        return own_key

    def distilled(self, task: int, adapters: Sequence[str], improvised: str) -> str:
        """Phase 2: adapter k from the teacher of phase 1, with the teacher's head; returns its key.

        At k = 2 it is a byte copy of adapter 1.
        """
        assets, settings = self.assets, self.assets.settings.improvise
        training = self._settings(settings.distil_epochs)
        inputs = {
            **self._inputs(task, adapters[:task], settings.distil_share, training),
            "teacher": improvised,
            "adapter": assets.settings.adapter.model_dump(),
        }
        own_key = key("distilled", inputs)
        checkpoints = MidTaskCheckpoints(assets.store, own_key)
        rows = self._rows(task, settings.distil_share, "distil")

        def compute() -> Contents:
            ends = self._head(improvised)
            if task == 1:
                return {
                    **self.learning.weights(adapters[0]).adapter.tensors(),
                    **ends.tensors(),
                }, None
            bank, fusion = (
                self._bank(adapters[:task]),
                self.assets.weights.fusion(improvised, "improvised"),
            )
            fitted = distil(
                self._lesson(task, rows, training, "distil", checkpoints, "initialise"),
                replace(self.learning.fresh(task, "distil").adapter, projection=None),
                lambda: fusion.transforms(bank),
                fusion.head,
                assets.settings.adapter.dropout,
                fusion.projection,
            )
            return {**fitted.weights.tensors(), **ends.tensors()}, _history(fitted.history)

        moves = ("adapter.down", "adapter.up") if task > 1 else ()
        used = len(rows) if task > 1 else 0
        assets.make("distilled", inputs, compute, task, task, rows=used, moves=moves)
        checkpoints.clear()
        return own_key

    def start(self, distilled: str) -> Start:
        """Where phase 3 begins: the distilled adapter with the teacher's head."""
        return Start("distilled", distilled, copies_head=True)

    def improvised_states(
        self, task: int, adapters: Sequence[str], improvised: str, split: str
    ) -> tuple[Tensor, Head]:
        """States of a split under the phase-1 model, and its head: what its score is computed from."""
        if task == 1:
            first, ends = self.learning.weights(adapters[0]).adapter, self._head(improvised)
            weights = TaskWeights(replace(first, projection=ends.projection), ends.head)
            return self.adapter_states(task, weights, split), weights.head
        fusion, earlier = self.assets.weights.fusion(improvised, "improvised"), adapters[:task]
        bank = self._bank(earlier)
        states = fused_states(self.assets, improvised, fusion, earlier, bank, task, split)
        return states, fusion.head

    def distilled_states(self, task: int, distilled: str, split: str) -> tuple[Tensor, Head]:
        """States of a split under the adapter of phase 2, and its head."""
        weights = self.learning.weights(distilled, "distilled")
        return self.adapter_states(task, weights, split), weights.head

    def adapter_states(self, task: int, weights: TaskWeights, split: str) -> Tensor:
        """(N, d) states of a split under one adapter; not kept, as they serve one score."""
        return self.assets.passes.adapter(self.assets.data.encoding(task, split), weights.adapter)

    def fusion_parameters(self) -> int:
        """Numbers in one fusion, without its head."""
        return fusion_parameter_count(
            self.assets.backbone.hidden_size, len(self.learning.site_names)
        )

    def _fusion(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        task: int,
        adapters: Sequence[str],
        start: Callable[[], Ends],
        training: TrainSettings,
    ) -> str:
        assets = self.assets
        own_key = key(kind, inputs)
        checkpoints = MidTaskCheckpoints(assets.store, own_key)
        share = assets.settings.improvise.improvise_share if kind == "improvised" else 1.0
        rows = self._rows(task, share, "improvise")

        def compute() -> Contents:
            generator = torch.Generator().manual_seed(self._seed(task, "fusion"))
            size = assets.backbone.hidden_size
            fusion = Fusion.initialise(self.learning.site_names, size, generator)
            begin = start()
            lesson = self._lesson(task, rows, training, kind, checkpoints, "fusion")
            knobs = replace(lesson.knobs, rate="fusion_learning_rate")
            fitted = fit_fusion(
                replace(lesson, knobs=knobs),
                FusionWeights(fusion, begin.head, begin.projection),
                self._bank(adapters),
                assets.settings.fusion.fusion_regulariser,
            )
            return fitted.weights.tensors(), _history(fitted.history)

        moves = ("fusion.", "head.", "adapter.")
        artifact = assets.make(kind, inputs, compute, task, task, rows=len(rows), moves=moves)
        if kind == "fusion":
            name = f"{assets.data.name(task)}, fusion"
            assets.judge(name, artifact, self.learning.chance(task), training)
        checkpoints.clear()
        return own_key

    def _lesson(
        self,
        task: int,
        rows: Rows,
        training: TrainSettings,
        purpose: str,
        checkpoints: Checkpoints,
        phase: str | None = None,
    ) -> Lesson[Rows]:
        """A phase on some of a task's rows; `purpose` seeds it, and `phase` is what events call it."""
        assets = self.assets
        return assets.lesson(
            rows,
            assets.data.rows(task, "validation"),
            training,
            self._seed(task, purpose),
            checkpoints,
            f"{assets.data.name(task)}, {phase or purpose}",
        )

    def _inputs(
        self, task: int, adapters: Sequence[str], share: float, training: TrainSettings
    ) -> dict[str, Any]:
        assets = self.assets
        return {
            "version": VERSIONS["fusion"],
            "improvising": ImprovisedInitialiser.version,
            **assets.backbone_inputs(),
            "train": assets.data.fingerprint(task, "train"),
            "validation": assets.data.fingerprint(task, "validation"),
            "labels": list(assets.data.head_labels(task)),
            "classes": assets.data.classes(task),
            "adapters": list(adapters),
            "share": share,
            "fusion": assets.settings.fusion.model_dump(),
            "training": training.model_dump(exclude={"checkpoint_every"}),
            "seed": assets.seed,
        }

    def _settings(self, epochs: int | None = None, fusion: bool = False) -> TrainSettings:
        """The training settings, with a phase's own where it has any."""
        settings = self.assets.settings
        fusion_settings = settings.fusion
        changes: dict[str, Any] = {"epochs": epochs}
        if fusion:
            changes["epochs"] = epochs or fusion_settings.fusion_epochs
            changes["learning_rate"] = fusion_settings.fusion_learning_rate
        return settings.train.model_copy(update={k: v for k, v in changes.items() if v is not None})

    def _rows(self, task: int, share: float, purpose: str) -> Rows:
        rows = self.assets.data.rows(task, "train")
        if share >= 1:
            return rows
        generator = torch.Generator().manual_seed(self._seed(task, f"{purpose} rows"))
        return rows.subset(draw_share(rows.labels.tolist(), share, generator))

    def _seed(self, task: int, purpose: str) -> int:
        return self.assets.derived_seed(purpose, self.assets.data.fingerprint(task, "train"))

    def _bank(self, adapters: Sequence[str]) -> Bank:
        return self.learning.bank(adapters)

    def _head(self, improvised: str) -> Ends:
        """What phase 1 trained beside a fusion: the head, and the projection where there is one."""
        artifact = self.assets.store.read("improvised", improvised)
        if artifact is None:
            raise KeyError(improvised)
        tensors = artifact.tensors
        ends = Ends(Head.from_tensors(tensors), Projection.from_tensors(tensors))
        return ends.to(self.assets.device.torch_device)


def _history(records: Sequence[Any]) -> dict[str, Any]:
    return {"history": [vars(record) for record in records]}
