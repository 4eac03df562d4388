"""AdapterFusion: a fusion of finished adapters, trained once for a task; I2I's phase 1 trains one as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from cl_core.adapters.fusion import Fusion, FusionWeights, fusion_parameter_count
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.initialise.improvised import ImprovisedInitialiser, draw_share
from cl_core.store import key
from cl_core.train.checkpoint import Checkpoints
from cl_core.train.context import TrainingContext
from cl_core.train.data import Rows
from cl_core.train.fusion_objective import fit_fusion
from cl_core.train.i2i_objectives import HeadAndProjection
from cl_core.train.settings import TrainSettings


class FusionTrainer:
    """Trains fusions of finished adapters, or finds them.

    Args:
        artifacts: of the run.
        task_trainer: has the adapters.
    """

    def __init__(self, artifacts: RunArtifacts, task_trainer: TaskAdapterTrainer) -> None:
        self.artifacts = artifacts
        self.task_trainer = task_trainer

    def train(self, task: int, adapters: Sequence[str]) -> str:
        """Trains the fusion of AdapterFusion for a task over adapters 1..t, its own included; returns its key.

        The head, and the visual projection where there is one, start as copies of the task's own **(ours)**.
        """
        own_adapter = adapters[task]
        settings = self.settings()
        inputs = self.inputs(task, adapters[: task + 1], 1.0, settings) | {"head": own_adapter}

        def start() -> HeadAndProjection:
            weights = self.task_trainer.weights(own_adapter)
            ends = HeadAndProjection(
                self.task_trainer.refrozen(weights.head), weights.adapter.projection
            )
            return ends.clone().to(torch.device("cpu"))

        return self.fit("fusion", inputs, task, adapters[: task + 1], start, settings)

    def parameter_count(self) -> int:
        """Numbers in one fusion, without its head."""
        hidden_size = self.artifacts.backbone.hidden_size
        return fusion_parameter_count(hidden_size, len(self.task_trainer.site_names))

    def fit(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        task: int,
        adapters: Sequence[str],
        start: Callable[[], HeadAndProjection],
        settings: TrainSettings,
        share: float = 1.0,
    ) -> str:
        """Trains a fusion, a head and a projection together, or finds them; returns their key.

        Args:
            kind: of artifact, `fusion` or `improvised`.
            inputs: everything that they depend on.
            task: whose rows they are trained on, 0-based.
            adapters: keys of the adapters that are fused.
            start: head and projection before training, on the CPU.
            settings: to train with.
            share: of the task's rows that is used.
        """
        artifacts = self.artifacts
        artifact_key = key(kind, inputs)
        checkpoints = MidTaskCheckpoints(artifacts.store, artifact_key)
        rows = self.rows(task, share, "improvise")

        def compute() -> Contents:
            generator = torch.Generator().manual_seed(self.seed(task, "fusion"))
            hidden_size = artifacts.backbone.hidden_size
            fusion = Fusion.initialise(self.task_trainer.site_names, hidden_size, generator)
            ends = start()
            context = self.context(task, rows, settings, kind, checkpoints, "fusion")
            divergence = replace(context.divergence, rate="fusion_learning_rate")
            fitted = fit_fusion(
                replace(context, divergence=divergence),
                FusionWeights(fusion, ends.head, ends.projection),
                self.task_trainer.bank(adapters),
                artifacts.settings.fusion.fusion_regulariser,
            )
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        moves = ("fusion.", "head.", "adapter.")
        artifact = artifacts.get_or_compute(
            kind, inputs, compute, task, task, rows=len(rows), moves=moves
        )
        if kind == "fusion":
            name = f"{artifacts.data.name(task)}, fusion"
            chance = self.task_trainer.chance(task)
            artifacts.warn_if_nothing_learnt(name, artifact, chance, settings)
        checkpoints.clear()
        return artifact_key

    def settings(self, epochs: int | None = None) -> TrainSettings:
        """The training settings, with those of fusions where they have any of their own.

        Args:
            epochs: at most; None where the phase says nothing about it.
        """
        train, fusion = self.artifacts.settings.train, self.artifacts.settings.fusion
        return train.model_copy(
            update={
                "epochs": epochs or fusion.fusion_epochs or train.epochs,
                "learning_rate": fusion.fusion_learning_rate or train.learning_rate,
            }
        )

    def inputs(
        self, task: int, adapters: Sequence[str], share: float, settings: TrainSettings
    ) -> dict[str, Any]:
        """For keys: what all that is trained over finished adapters depends on.

        Args:
            task: whose rows it is trained on, 0-based.
            adapters: keys of the adapters.
            share: of the task's rows that is used.
            settings: trained with.
        """
        artifacts = self.artifacts
        return {
            "version": VERSIONS["fusion"],
            "improvising": ImprovisedInitialiser.version,
            **artifacts.backbone_inputs(),
            "train": artifacts.data.fingerprint(task, "train"),
            "validation": artifacts.data.fingerprint(task, "validation"),
            "labels": list(artifacts.data.head_labels(task)),
            "classes": artifacts.data.classes(task),
            "adapters": list(adapters),
            "share": share,
            "fusion": artifacts.settings.fusion.model_dump(),
            "training": settings.model_dump(exclude={"checkpoint_every"}),
            "seed": artifacts.seed,
        }

    def context(
        self,
        task: int,
        rows: Rows,
        settings: TrainSettings,
        purpose: str,
        checkpoints: Checkpoints,
        phase: str | None = None,
    ) -> TrainingContext[Rows]:
        """A phase on some of a task's rows; `purpose` seeds it, and `phase` is what events call it."""
        artifacts = self.artifacts
        return artifacts.context(
            rows,
            artifacts.data.rows(task, "validation"),
            settings,
            self.seed(task, purpose),
            checkpoints,
            f"{artifacts.data.name(task)}, {phase or purpose}",
        )

    def rows(self, task: int, share: float, purpose: str) -> Rows:
        """A share of a task's training samples, drawn for a purpose."""
        rows = self.artifacts.data.rows(task, "train")
        if share >= 1:
            return rows
        generator = torch.Generator().manual_seed(self.seed(task, f"{purpose} rows"))
        return rows.subset(draw_share(rows.labels.tolist(), share, generator))

    def seed(self, task: int, purpose: str) -> int:
        """A seed for a purpose, that depends on the task's training samples."""
        return self.artifacts.derived_seed(purpose, self.artifacts.data.fingerprint(task, "train"))
