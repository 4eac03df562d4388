"""The untrained model, whose scores are b_j: the bare backbone under heads that have learnt nothing."""

from __future__ import annotations

from dataclasses import replace

import torch

from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.backbones.encoder import LabelHead
from cl_core.engine.artifacts import RunArtifacts
from cl_core.model.model import Model
from cl_core.model.model_composition import NoAdapter
from cl_core.model.model_router import NoRouter
from cl_core.model.stage_labels import label_space_after
from cl_core.runs.run_config import RunConfig


def untrained_model(artifacts: RunArtifacts, config: RunConfig) -> Model:
    """A model that answers as the backbone does before any training, over the labels of all tasks.

    Where it can score labels by what they are called, as CLIP and masked language models can, that is what it does
    (zero-shot); else heads are random.

    Args:
        artifacts: of the run.
        config: of the run.
    """
    tasks = range(len(artifacts.stream.tasks))
    named = [_label_head(artifacts, task) for task in tasks]
    heads = [_head(artifacts, task, head) for task, head in enumerate(named)]
    pooling: str = artifacts.settings.train.head_pooling
    if named[0] is not None:
        pooling = named[0].pooling or pooling
    space = replace(label_space_after(config, len(tasks)), rule="direct", candidates=None)
    return Model(
        passes=artifacts.passes,
        bank=Bank.empty(),
        heads=tuple(heads[:1] if config.protocol == "dil" else heads),
        router=NoRouter(),
        composition=NoAdapter(pooling),
        label_space=space,
        tasks=(),
    )


def _label_head(artifacts: RunArtifacts, task: int) -> LabelHead | None:
    """A head made of what a task's labels are called, where that is how the backbone was trained to answer."""
    head = artifacts.backbone.label_head(artifacts.data.label_names(task))
    wanted = artifacts.settings.answers.answers == "embeddings"
    return head if head is not None and (head.zero_shot or wanted) else None


def _head(artifacts: RunArtifacts, task: int, named: LabelHead | None) -> Head:
    """A head as it is before any training."""
    if named is not None:
        return Head(named.weight, named.bias).to(artifacts.device.torch_device)
    name = "shared" if artifacts.stream.protocol == "dil" else artifacts.data.name(task)
    generator = torch.Generator().manual_seed(artifacts.derived_seed("untrained", name))
    head = Head.initialise(artifacts.data.classes(task), artifacts.backbone.read_size, generator)
    return head.to(artifacts.device.torch_device)
