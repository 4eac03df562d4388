"""Adapters, routes and rows drawn at random, on the CPU, so that every device gets the same."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.projection import Projection
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import Encoding
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.train.data import Rows


def new_weights(backbone: Backbone, classes: int) -> TaskWeights:
    """An untrained adapter and head, with a projection where the backbone sees."""
    generator = torch.Generator().manual_seed(0)
    adapter = Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
    head = Head.initialise(classes, backbone.hidden_size, generator)
    if isinstance(backbone, VisionLanguageBackbone):
        projection = Projection.initialise(backbone.embedding_size, backbone.visual_size, generator)
        adapter = replace(adapter, projection=projection)
    return TaskWeights(adapter, head)


def make_bank(backbone: Backbone, adapters: int) -> Bank:
    """Adapters with weights of the size of trained ones."""
    generator = torch.Generator().manual_seed(0)
    settings = AdapterSettings(init="i2i")
    return Bank.stack(
        [
            Adapter.initialise(settings, backbone.sites, backbone.hidden_size, generator)
            for _ in range(adapters)
        ]
    )


def routes(samples: int, adapters: int, kept: int) -> Tensor:
    """(B, K) weights, `kept` of them other than zero in each row."""
    generator = torch.Generator().manual_seed(2)
    weights = torch.rand(samples, adapters, generator=generator) + 0.1
    weights[weights.argsort(dim=1).argsort(dim=1) >= kept] = 0.0
    return weights / weights.sum(dim=1, keepdim=True)


def random_rows(rows: int, tokens: int) -> Rows:
    """Token ids that every backbone has, all rows of the same length, two classes."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 1000, (rows, tokens), generator=generator)
    return Rows(Encoding.from_lists(ids.tolist(), None, pad_id=0), torch.arange(rows) % 2)
