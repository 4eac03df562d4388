"""What is kept of each task's training samples: the memory that L2R's routers and replay learn from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, RunArtifacts
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.route.memory import memory_size, select_memory
from cl_core.route.selections import MEMORIES
from cl_core.train.data import MixedRows


class MemorySelector:
    """Selects the rows that are kept, or finds which they were."""

    def __init__(self, artifacts: RunArtifacts, task_trainer: TaskAdapterTrainer) -> None:
        self.artifacts = artifacts
        self.task_trainer = task_trainer
        self._selected: dict[tuple[int, str | None], list[int]] = {}

    def select(self, task: int, adapter_key: str | None) -> list[int]:
        """The training samples of a task that are kept: the memory of L2R and of replay.

        Args:
            task: 0-based.
            adapter_key: of its trained adapter, for selections that ask a model; None where there is none.

        Raises:
            ValueError: the selection asks a model and there is none.
        """
        if (task, adapter_key) in self._selected:
            return self._selected[task, adapter_key]
        artifacts, settings = self.artifacts, self.artifacts.settings.memory
        needs = MEMORIES[settings.memory_selection].needs
        by_model = "training" in needs
        inputs = {
            "version": VERSIONS["memory"],
            "data": artifacts.data.fingerprint(task, "train"),
            "settings": settings.model_dump(),
            "seed": artifacts.seed,
            "features": self._feature_inputs() if "features" in needs else None,
            "adapter": adapter_key if by_model else None,
        }

        def compute() -> Contents:
            generator = torch.Generator().manual_seed(
                artifacts.derived_seed("memory", artifacts.data.fingerprint(task, "train"))
            )
            labels = artifacts.data.rows(task, "train").labels
            rows = select_memory(
                settings.memory_selection,
                labels,
                settings.memory,
                artifacts.features(task, "train") if "features" in needs else None,
                self._uncertainty(task, adapter_key) if by_model else None,
                generator,
            )
            return {}, {"rows": rows}

        artifact = artifacts.get_or_compute(
            "memory", inputs, compute, task, task, rows=self.size(task)
        )
        self._selected[task, adapter_key] = [int(row) for row in artifact.data["rows"]]
        return self._selected[task, adapter_key]

    def size(self, task: int) -> int:
        """How many rows of a task are kept."""
        labels = self.artifacts.data.rows(task, "train").labels
        return memory_size(labels, self.artifacts.settings.memory.memory)

    def rows(self, task: int, adapter_key: str | None) -> MixedRows:
        """The memory of a task, as training samples."""
        return self.artifacts.data.mixed(task, "train").subset(self.select(task, adapter_key))

    def _uncertainty(self, task: int, adapter_key: str | None) -> Tensor:
        """(N,) entropy (nats) of what the task's own model predicts for its training samples."""
        if adapter_key is None:
            raise ValueError("uncertainty is that of a trained adapter; there is none")
        artifacts, weights = self.artifacts, self.task_trainer.weights(adapter_key)
        states = artifacts.passes.adapter(artifacts.data.encoding(task, "train"), weights.adapter)
        logits = weights.head.logits(states.to(artifacts.device.torch_device)).cpu()
        log_p = torch.log_softmax(logits.double(), dim=1)
        return -(log_p.exp() * log_p).sum(dim=1)

    def _feature_inputs(self) -> dict[str, Any]:
        """For keys: what the features that a selection reads depend on."""
        router = self.artifacts.settings.router
        return {
            **self.artifacts.backbone_inputs(),
            "layer": router.layer,
            "pooling": router.pooling,
            **({"parts": router.parts} if self.artifacts.sees else {}),
            "batch_size": self.artifacts.settings.evaluate.eval_batch_size,
        }
