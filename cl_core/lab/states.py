"""Pooled last hidden states under composed adapters: what is unchanged since the last stage is looked up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS
from cl_core.evaluate.states import changed_rows, pooled_states
from cl_core.lab.assets import VERSIONS, Assets
from cl_core.lab.learning import Learning
from cl_core.lab.making import Contents


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


def composed_states(
    assets: Assets,
    learning: Learning,
    task: int,
    split: str,
    stage: int,
    adapters: Sequence[str],
    weights: Tensor,
    compose: str,
    previous: States | None,
    kind: str = "adapter",
    tasks: Sequence[int] = (),
) -> States:
    """Pooled last hidden states of a split under adapters composed by each row's weights.

    Rows whose adapters and weights are those of `previous` are looked up, not computed.

    Args:
        assets: of the run.
        learning: has the adapters.
        task: 0-based task whose rows they are.
        split: of that task.
        stage: 0-based, for the event only.
        adapters: K artifact keys.
        weights: (N, K).
        compose: name of the composition.
        previous: the same rows at the stage before; None computes all.
        kind: of the adapters' artifacts.
        tasks: the K adapters' own tasks, for compositions that weigh by Fisher information.
    """
    changed = torch.ones(len(weights), dtype=torch.bool)
    if previous is not None:
        changed = changed_rows(previous.adapters, previous.weights, adapters, weights)
        if not changed.any():
            return States(previous.key, previous.values, tuple(adapters), weights, 0)
    lookup = previous is not None and not bool(changed.all())
    settings = assets.settings
    inputs: dict[str, Any] = {
        "version": VERSIONS["states"],
        **assets.backbone_inputs(),
        "data": assets.data.fingerprint(task, split),
        "adapters": list(adapters),
        "weights": hashlib.sha256(weights.contiguous().numpy().tobytes()).hexdigest(),
        "compose": compose,
        "pooling": settings.train.head_pooling,
        "batch_size": settings.evaluate.eval_batch_size,
        # A looked-up row may differ in its last bit from one computed in another batch, so
        # what it came from is part of the key.
        "previous": previous.key if lookup and previous else None,
    }
    fishers: Bank | None = None
    if not COMPOSITIONS[compose].traits.paths:
        inputs["merging"] = settings.merging.model_dump()
    if "fishers" in COMPOSITIONS[compose].needs:
        inputs["fisher_rows"] = settings.baselines.fisher_rows
        each = [learning.fisher(own, name) for own, name in zip(tasks, adapters, strict=True)]
        fishers = Bank.stack(each)

    def compute() -> Contents:
        values = previous.values.clone() if lookup and previous else torch.empty(0)
        fresh = pooled_states(
            assets.backbone,
            assets.data.encoding(task, split),
            changed.nonzero().flatten().tolist(),
            learning.bank(adapters, kind),
            weights[changed].to(assets.device.torch_device),
            compose,
            settings.train.head_pooling,
            settings.evaluate.eval_batch_size,
            assets.device,
            assets.rows_done,
            settings.merging,
            fishers,
        )
        if lookup:
            values[changed] = fresh
        else:
            values = fresh
        return {"states": values}, None

    artifact = assets.make("states", inputs, compute, task, stage)
    values = artifact.tensors["states"]
    return States(artifact.key, values, tuple(adapters), weights, int(changed.sum()))
