"""One adapter for all tasks, as replay, EWC, LwF and joint training leave it after each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.label_space import LabelSpace
from cl_core.choices import Choice
from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifact_keys import ArtifactKeys
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.engine.checkpoints import MidTaskCheckpoints
from cl_core.engine.memory_selection import MemorySelector
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.store import key
from cl_core.train.chance import Chance
from cl_core.train.data import MixedRows
from cl_core.train.penalties.ewc import FisherSum, Sampling, diagonal_fisher
from cl_core.train.shared_objective import Penalty, SharedWeights, fit_shared
from cl_core.train.trainers import PenaltyContext, Trainer
from cl_core.train.traits import TrainerTraits


class SharedAdapterTrainer:
    """Trains the shared adapter from stage to stage, or finds it."""

    def __init__(
        self,
        artifacts: RunArtifacts,
        task_trainer: TaskAdapterTrainer,
        memory_selector: MemorySelector,
        trainer: Choice[type[Trainer], TrainerTraits],
    ) -> None:
        self.artifacts = artifacts
        self.task_trainer = task_trainer
        self.memory_selector = memory_selector
        self.trainer = trainer
        self._replays, self._keeps_fisher = (
            need in trainer.needs for need in ("memory", "fishers")
        )

    def train(self, stage: int, previous: str | None, artifact_keys: ArtifactKeys) -> str:
        """The shared adapter after a stage, 0-based; returns its key.

        Args:
            stage: 0-based.
            previous: key of the stage before; None at the first, and where all tasks are learnt at once.
            artifact_keys: has the Fisher sums of the stages before, and gets this one's.
        """
        artifacts, settings = self.artifacts, self.artifacts.settings
        learned_now = range(stage + 1) if self.trainer.traits.all_at_once else [stage]
        memory = self._memory(stage) if self._replays else None
        inputs: dict[str, Any] = {
            "version": VERSIONS["shared"],
            **artifacts.backbone_inputs(),
            "trainer": self.trainer.name,
            "train": [artifacts.data.fingerprint(task, "train") for task in learned_now],
            "validation": [
                artifacts.data.fingerprint(task, "validation") for task in self._judges(stage)
            ],
            "labels": [list(artifacts.data.positions(task)) for task in range(stage + 1)],
            "protocol": artifacts.stream.protocol,
            "adapter": settings.adapter.model_dump(),
            "training": settings.train.model_dump(exclude={"checkpoint_every"}),
            "baselines": settings.baselines.model_dump(include=set(self.trainer.traits.settings)),
            "memory": settings.memory.model_dump() if self._replays else None,
            "seed": artifacts.seed,
            "previous": previous,
        }
        artifact_key = key("shared", inputs)
        checkpoints = MidTaskCheckpoints(artifacts.store, artifact_key)
        new = MixedRows.concat([artifacts.data.mixed(task, "train") for task in learned_now])
        judges = [artifacts.data.mixed(task, "validation") for task in self._judges(stage)]

        def compute() -> Contents:
            start, label_space = self._start(stage, previous), self._label_space(stage)
            context = artifacts.context(
                new,
                MixedRows.concat(judges),
                settings.train,
                artifacts.derived_seed("shared", artifacts.data.fingerprint(stage, "train")),
                checkpoints,
                artifacts.data.name(stage),
            )
            penalty = self._penalty(start, new, label_space, stage, artifact_keys)
            if penalty is not None:
                context = replace(
                    context, divergence=replace(context.divergence, strengths=self._strengths())
                )
            fitted = fit_shared(
                context, start, label_space, settings.adapter.dropout, memory, penalty
            )
            history = [vars(record) for record in fitted.history]
            return fitted.weights.tensors(), {"history": history}

        rows = len(new) + (len(memory) if memory else 0)
        moves = ("adapter.", "heads.")
        artifact = artifacts.get_or_compute(
            "shared", inputs, compute, stage, stage, rows=rows, moves=moves
        )
        artifacts.warn_if_nothing_learnt(
            artifacts.data.name(stage), artifact, self._chance(stage), settings.train
        )
        checkpoints.clear()
        if self._keeps_fisher:
            artifact_keys.fishers[stage] = self._fisher(
                stage, artifact_key, artifact_keys.fishers.get(stage - 1)
            )
        return artifact_key

    def weights(self, artifact_key: str) -> SharedWeights:
        """The shared adapter and its heads, on the run's device.

        Raises:
            KeyError: they are not in the store.
        """
        return self.artifacts.weights.shared(artifact_key)

    def parameter_counts(self, artifact_key: str, artifact_keys: ArtifactKeys) -> tuple[int, int]:
        """(numbers of adapter and heads, numbers stored: EWC keeps two more for each that it holds)."""
        size = sum(tensor.numel() for tensor in self.weights(artifact_key).parameters())
        if not artifact_keys.fishers:
            return size, size
        artifact = self.artifacts.store.read(
            "fisher", artifact_keys.fishers[max(artifact_keys.fishers)]
        )
        extra = sum(tensor.numel() for tensor in artifact.tensors.values()) if artifact else 0
        return size, size + extra

    def _chance(self, stage: int) -> Chance:
        """What guessing comes to on the rows that choose the epoch."""
        data, judges = self.artifacts.data, self._judges(stage)
        labels = [data.mixed(task, "validation").labels for task in judges]
        positions = [set(data.positions(task)) for task in judges]
        if self.artifacts.stream.protocol == "dil":
            candidates = data.candidates(stage)
            classes = len(self.artifacts.stream.label_space.names)
            return Chance.of(
                [(torch.cat(labels), classes if candidates is None else int(candidates.sum()))]
            )
        if self.artifacts.stream.protocol == "cil":  # those of one task alone, or all together
            return Chance.of([(torch.cat(labels), len(set().union(*positions)))])
        return Chance.of(
            [
                (task_labels, len(places))
                for task_labels, places in zip(labels, positions, strict=True)
            ]
        )

    def _judges(self, stage: int) -> Sequence[int]:
        """The tasks whose validation samples choose the best epoch **(ours)**.

        The newest alone; where rows of all tasks are learnt from (replay, joint), all so far, their validation splits
        whole. Replay thereby keeps earlier tasks' validation samples beside its memory: they train nothing.
        """
        rehearses = self._replays or self.trainer.traits.all_at_once
        return range(stage + 1) if rehearses else [stage]

    def _label_space(self, stage: int) -> LabelSpace:
        data, stream = self.artifacts.data, self.artifacts.stream
        positions = [tuple(data.positions(task)) for task in range(stage + 1)]
        return LabelSpace(stream.protocol, tuple(positions), len(stream.label_space.names))

    def _start(self, stage: int, previous: str | None) -> SharedWeights:
        cpu = torch.device("cpu")
        if previous is None:
            fresh = self.task_trainer.fresh(stage)
            if not self.trainer.traits.all_at_once or self.artifacts.stream.protocol == "dil":
                return SharedWeights(fresh.adapter, (fresh.head,))
            heads = tuple(self.task_trainer.fresh_head(task) for task in range(stage + 1))
            return SharedWeights(fresh.adapter, heads)
        weights = self.weights(previous).clone().to(cpu)
        weights = replace(weights, heads=tuple(map(self.task_trainer.refrozen, weights.heads)))
        if self.artifacts.stream.protocol == "dil":
            return weights
        return weights.with_head(self.task_trainer.fresh_head(stage))

    def _memory(self, stage: int) -> MixedRows | None:
        """Rows of the tasks before this one."""
        if stage == 0:
            return None
        return MixedRows.concat([self.memory_selector.rows(task, None) for task in range(stage)])

    def _penalty(
        self,
        start: SharedWeights,
        new: MixedRows,
        label_space: LabelSpace,
        stage: int,
        artifact_keys: ArtifactKeys,
    ) -> Penalty | None:
        if stage == 0:
            return None
        artifacts, settings = self.artifacts, self.artifacts.settings
        sums: FisherSum | None = None
        if self._keeps_fisher:
            artifact = artifacts.store.read("fisher", artifact_keys.fishers[stage - 1])
            if artifact is None:
                raise KeyError(artifact_keys.fishers[stage - 1])
            sums = FisherSum.from_tensors(artifact.tensors).to(artifacts.device.torch_device)
        context = PenaltyContext(
            artifacts.backbone,
            start,
            new,
            label_space,
            settings.train,
            settings.baselines,
            artifacts.device,
            sums,
        )
        return self.trainer.load()().penalty(context)

    def _strengths(self) -> tuple[tuple[str, float], ...]:
        """The settings that weigh the penalty, with what they are."""
        baselines = self.artifacts.settings.baselines.model_dump(
            include=set(self.trainer.traits.settings)
        )
        return tuple((name, value) for name, value in baselines.items() if name.endswith("lambda"))

    def _fisher(self, stage: int, artifact_key: str, earlier: str | None) -> str:
        """EWC: the sum over tasks up to this one of F and of F theta*; returns its key."""
        artifacts, settings = self.artifacts, self.artifacts.settings
        inputs: dict[str, Any] = {
            "version": VERSIONS["fisher"],
            "sum": True,
            "weights": artifact_key,
            "earlier": earlier,
            "rows": settings.baselines.fisher_rows,
        }

        def compute() -> Contents:
            weights = self.weights(artifact_key)
            rows = artifacts.data.mixed(stage, "train")
            generator = torch.Generator().manual_seed(
                artifacts.derived_seed("fisher", artifact_key)
            )
            fisher: dict[str, Tensor] = diagonal_fisher(
                artifacts.backbone,
                weights,
                rows,
                self._label_space(stage),
                Sampling(settings.baselines.fisher_rows, generator),
                settings.train.head_pooling,
                artifacts.device,
            )
            total = FisherSum.of(fisher, weights)
            if earlier is not None:
                before = artifacts.store.read("fisher", earlier)
                if before is None:
                    raise KeyError(earlier)
                total = total + FisherSum.from_tensors(before.tensors)
            return total.tensors(), None

        return artifacts.get_or_compute("fisher", inputs, compute, stage, stage).key
