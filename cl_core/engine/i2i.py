"""I2I's phases, made once each: the improvised teacher, the adapter distilled from it, where phase 3 starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.task_weights import TaskWeights
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.cached_states import fused_states
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.engine.task_adapters import Start, TaskAdapterTrainer
from cl_core.engine.task_fusion import FusionTrainer
from cl_core.store import key
from cl_core.train.i2i_objectives import HeadAndProjection, distil, fit_head
from cl_core.train.settings import TrainSettings


class I2ITrainer:
    """Trains the starts that I2I makes from finished adapters, or finds them.

    Args:
        artifacts: of the run.
        task_trainer: has the adapters.
        fusion_trainer: trains the fusion of phase 1.
    """

    def __init__(
        self,
        artifacts: RunArtifacts,
        task_trainer: TaskAdapterTrainer,
        fusion_trainer: FusionTrainer,
    ) -> None:
        self.artifacts = artifacts
        self.task_trainer = task_trainer
        self.fusion_trainer = fusion_trainer

    def improvise(self, task: int, adapters: Sequence[str]) -> str:
        """Phase 1: a head over adapter 1 (k = 2), or a fusion of adapters 1..k-1 with a head; returns its key.

        Where there is something to see, a visual projection is trained with either.
        """
        phase = self.artifacts.settings.improvise
        epochs, share = phase.improvise_epochs, phase.improvise_share
        earlier = list(adapters[:task])
        trainer = self.fusion_trainer

        def start() -> HeadAndProjection:
            return HeadAndProjection(
                self.task_trainer.fresh_head(task), self.task_trainer.fresh_projection(task)
            )

        if task > 1:
            settings = trainer.settings(epochs)
            inputs = trainer.inputs(task, earlier, share, settings)
            return trainer.fit("improvised", inputs, task, earlier, start, settings, share)
        settings = self._settings(epochs)
        inputs = trainer.inputs(task, earlier, share, settings)
        artifact_key = key("improvised", inputs)
        rows = trainer.rows(task, share, "improvise")
        checkpoints = MidTaskCheckpoints(self.artifacts.store, artifact_key)

        def compute() -> Contents:
            context = trainer.context(task, rows, settings, "improvise", checkpoints)
            fitted = fit_head(context, start(), self.task_trainer.weights(earlier[0]).adapter)
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        self.artifacts.get_or_compute(
            "improvised", inputs, compute, task, task, rows=len(rows), moves=("head.", "adapter.")
        )
        checkpoints.clear()
        return artifact_key

    def distil(self, task: int, adapters: Sequence[str], improvised: str) -> str:
        """Phase 2: adapter k from the teacher of phase 1, with the teacher's head; returns its key.

        At k = 2 it is a byte copy of adapter 1.
        """
        artifacts, trainer = self.artifacts, self.fusion_trainer
        phase = artifacts.settings.improvise
        settings = self._settings(phase.distil_epochs)
        inputs = {
            **trainer.inputs(task, adapters[:task], phase.distil_share, settings),
            "teacher": improvised,
            "adapter": artifacts.settings.adapter.model_dump(),
        }
        artifact_key = key("distilled", inputs)
        checkpoints = MidTaskCheckpoints(artifacts.store, artifact_key)
        rows = trainer.rows(task, phase.distil_share, "distil")

        def compute() -> Contents:
            ends = self._ends(improvised)
            if task == 1:
                adapter = self.task_trainer.weights(adapters[0]).adapter
                return {**adapter.tensors(), **ends.tensors()}, None
            bank = self.task_trainer.bank(adapters[:task])
            fusion = artifacts.weights.fusion(improvised, "improvised")
            fitted = distil(
                trainer.context(task, rows, settings, "distil", checkpoints, "initialise"),
                replace(self.task_trainer.fresh(task, "distil").adapter, projection=None),
                lambda: fusion.transforms(bank),
                fusion.head,
                artifacts.settings.adapter.dropout,
                fusion.projection,
            )
            history = [vars(record) for record in fitted.history]
            return {**fitted.weights.tensors(), **ends.tensors()}, {"history": history}

        moves = ("adapter.down", "adapter.up") if task > 1 else ()
        trained_on = len(rows) if task > 1 else 0
        artifacts.get_or_compute(
            "distilled", inputs, compute, task, task, rows=trained_on, moves=moves
        )
        checkpoints.clear()
        return artifact_key

    def start(self, distilled: str) -> Start:
        """Where phase 3 begins: the distilled adapter with the teacher's head."""
        return Start("distilled", distilled, copies_head=True)

    def improvised_states(
        self, task: int, adapters: Sequence[str], improvised: str, split: str
    ) -> tuple[Tensor, Head]:
        """States of a split under the phase-1 model, and its head: what its score is computed from."""
        if task == 1:
            first, ends = self.task_trainer.weights(adapters[0]).adapter, self._ends(improvised)
            weights = TaskWeights(replace(first, projection=ends.projection), ends.head)
            return self.adapter_states(task, weights, split), weights.head
        fusion = self.artifacts.weights.fusion(improvised, "improvised")
        earlier = adapters[:task]
        bank = self.task_trainer.bank(earlier)
        states = fused_states(self.artifacts, improvised, fusion, earlier, bank, task, split)
        return states, fusion.head

    def distilled_states(self, task: int, distilled: str, split: str) -> tuple[Tensor, Head]:
        """States of a split under the adapter of phase 2, and its head."""
        weights = self.task_trainer.weights(distilled, "distilled")
        return self.adapter_states(task, weights, split), weights.head

    def adapter_states(self, task: int, weights: TaskWeights, split: str) -> Tensor:
        """(N, d) states of a split under one adapter; not kept, as they serve one score."""
        encoding = self.artifacts.data.encoding(task, split)
        return self.artifacts.passes.adapter(encoding, weights.adapter)

    def _settings(self, epochs: int | None) -> TrainSettings:
        """The training settings, with a phase's own number of epochs where it has one."""
        train = self.artifacts.settings.train
        return train.model_copy(update={"epochs": epochs or train.epochs})

    def _ends(self, improvised: str) -> HeadAndProjection:
        """What phase 1 trained beside a fusion: the head, and the projection where there is one."""
        artifact = self.artifacts.store.read("improvised", improvised)
        if artifact is None:
            raise KeyError(improvised)
        tensors = artifact.tensors
        ends = HeadAndProjection(Head.from_tensors(tensors), Projection.from_tensors(tensors))
        return ends.to(self.artifacts.device.torch_device)
