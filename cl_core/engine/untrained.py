"""The untrained model, whose scores are b_j: the bare backbone under heads that have learnt nothing."""

from __future__ import annotations

from dataclasses import replace

import torch

from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.backbones.encoder import LabelHead
from cl_core.engine.artifacts import Assets
from cl_core.model.label_space import LabelSpace
from cl_core.model.model import Model
from cl_core.model.model_composition import NoAdapter
from cl_core.model.model_router import NoRouter
from cl_core.runs.run_config import RunConfig


def untrained_model(assets: Assets, config: RunConfig) -> Model:
    """A model that answers as the backbone does before any training, over the labels of all tasks.

    Where it can score labels by what they are called, as CLIP and masked language models can, that is what it does
    (zero-shot); else heads are random.

    Args:
        assets: of the run.
        config: of the run.
    """
    tasks = range(len(assets.stream.tasks))
    named = [_label_head(assets, task) for task in tasks]
    heads = [_head(assets, task, head) for task, head in enumerate(named)]
    pooling: str = assets.settings.train.head_pooling
    if named[0] is not None:
        pooling = named[0].pooling or pooling
    space = replace(LabelSpace.after(config, len(tasks)), rule="direct", candidates=None)
    return Model(
        passes=assets.passes,
        bank=Bank.empty(),
        heads=tuple(heads[:1] if config.protocol == "dil" else heads),
        router=NoRouter(),
        composition=NoAdapter(pooling),
        label_space=space,
        tasks=(),
    )


def _label_head(assets: Assets, task: int) -> LabelHead | None:
    """A head made of what a task's labels are called, where that is how the backbone was trained to answer."""
    head = assets.backbone.label_head(assets.data.label_names(task))
    wanted = assets.settings.answers.answers == "embeddings"
    return head if head is not None and (head.zero_shot or wanted) else None


def _head(assets: Assets, task: int, named: LabelHead | None) -> Head:
    """A head as it is before any training."""
    if named is not None:
        return Head(named.weight, named.bias).to(assets.device.torch_device)
    name = "shared" if assets.stream.protocol == "dil" else assets.data.name(task)
    generator = torch.Generator().manual_seed(assets.derived_seed("untrained", name))
    head = Head.initialise(assets.data.classes(task), assets.backbone.read_size, generator)
    return head.to(assets.device.torch_device)
