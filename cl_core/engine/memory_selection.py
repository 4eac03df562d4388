"""What is kept of each task's training rows: the memory that L2R's routers and replay learn from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cl_core.engine.artifact_cache import Contents
from cl_core.engine.artifacts import VERSIONS, Assets
from cl_core.engine.task_adapters import Learning
from cl_core.route.memory import memory_size, select_memory
from cl_core.route.selections import MEMORIES
from cl_core.train.data import MixedRows


class Remembering:
    """Selects the rows that are kept, or finds which they were."""

    def __init__(self, assets: Assets, learning: Learning) -> None:
        self.assets = assets
        self.learning = learning
        self._rows: dict[tuple[int, str | None], list[int]] = {}

    def memory(self, task: int, adapter_key: str | None) -> list[int]:
        """The training rows of a task that are kept: the memory of L2R and of replay.

        Args:
            task: 0-based.
            adapter_key: of its trained adapter, for selections that ask a model; None where there is none.

        Raises:
            ValueError: the selection asks a model and there is none.
        """
        if (task, adapter_key) in self._rows:
            return self._rows[task, adapter_key]
        assets, settings = self.assets, self.assets.settings.memory
        needs = MEMORIES[settings.memory_selection].needs
        by_model = "training" in needs
        inputs = {
            "version": VERSIONS["memory"],
            "data": assets.data.fingerprint(task, "train"),
            "settings": settings.model_dump(),
            "seed": assets.seed,
            "features": self._feature_inputs() if "features" in needs else None,
            "adapter": adapter_key if by_model else None,
        }

        def compute() -> Contents:
            generator = torch.Generator().manual_seed(
                assets.derived_seed("memory", assets.data.fingerprint(task, "train"))
            )
            labels = assets.data.rows(task, "train").labels
            rows = select_memory(
                settings.memory_selection,
                labels,
                settings.memory,
                assets.features(task, "train") if "features" in needs else None,
                self._uncertainty(task, adapter_key) if by_model else None,
                generator,
            )
            return {}, {"rows": rows}

        artifact = assets.make("memory", inputs, compute, task, task, rows=self.memory_rows(task))
        self._rows[task, adapter_key] = [int(row) for row in artifact.data["rows"]]
        return self._rows[task, adapter_key]

    def memory_rows(self, task: int) -> int:
        """How many rows of a task are kept."""
        labels = self.assets.data.rows(task, "train").labels
        return memory_size(labels, self.assets.settings.memory.memory)

    def remembered(self, task: int, adapter_key: str | None) -> MixedRows:
        """The memory of a task, as training rows."""
        return self.assets.data.mixed(task, "train").subset(self.memory(task, adapter_key))

    def _uncertainty(self, task: int, adapter_key: str | None) -> Tensor:
        """(N,) entropy (nats) of what the task's own model predicts for its training rows."""
        if adapter_key is None:
            raise ValueError("uncertainty is that of a trained adapter; there is none")
        assets, weights = self.assets, self.learning.weights(adapter_key)
        states = assets.passes.adapter(assets.data.encoding(task, "train"), weights.adapter)
        logits = weights.head.logits(states.to(assets.device.torch_device)).cpu()
        log_p = torch.log_softmax(logits.double(), dim=1)
        return -(log_p.exp() * log_p).sum(dim=1)

    def _feature_inputs(self) -> dict[str, Any]:
        """For keys: what the features that a selection reads depend on."""
        router = self.assets.settings.router
        return {
            **self.assets.backbone_inputs(),
            "layer": router.layer,
            "pooling": router.pooling,
            **({"parts": router.parts} if self.assets.sees else {}),
            "batch_size": self.assets.settings.evaluate.eval_batch_size,
        }
