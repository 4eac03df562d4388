"""The untrained model, whose scores are b_j: the bare backbone under heads that have learnt nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from cl_core.adapters.heads import Head
from cl_core.backbones.encoder import LabelHead
from cl_core.evaluate.answers import answer_logits
from cl_core.lab.assets import Assets


class Untrained:
    """Answers as the backbone does before any training.

    Where it can score labels by what they are called, as CLIP and masked language models can, that is what it does
    (zero-shot); else heads are random.

    Args:
        assets: of the run.
    """

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self._tasks = range(len(assets.stream.tasks))
        named = [self._label_head(task) for task in self._tasks]
        self._heads = [self._head(task, found) for task, found in enumerate(named)]
        own = assets.settings.train.head_pooling
        self._pooling = own if named[0] is None else named[0].pooling or own

    def predictions(self, task: int, split: str) -> Tensor:
        """(N,) labels of a split as places in the stream's label space, on the CPU.

        Args:
            task: 0-based.
            split: of that task.
        """
        assets = self.assets
        logits = answer_logits(
            assets.stream.protocol,
            assets.bare_states(task, split, self._pooling).to(assets.device.torch_device),
            self._heads,
            [assets.data.positions(each) for each in self._tasks],
            len(assets.stream.label_space.names),
            pool=[0],
            task=task,
        )
        return logits.argmax(dim=1).cpu()

    def _label_head(self, task: int) -> LabelHead | None:
        """A head made of what a task's labels are called, where that is how the backbone was trained to answer."""
        found = self.assets.backbone.label_head(self.assets.data.label_names(task))
        wanted = self.assets.settings.answers.answers == "embeddings"
        return found if found is not None and (found.zero_shot or wanted) else None

    def _head(self, task: int, named: LabelHead | None) -> Head:
        """A head as it is before any training."""
        assets = self.assets
        if named is not None:
            return Head(named.weight, named.bias).to(assets.device.torch_device)
        name = "shared" if assets.stream.protocol == "dil" else assets.data.name(task)
        generator = torch.Generator().manual_seed(assets.derived_seed("untrained", name))
        head = Head.initialise(assets.data.classes(task), assets.backbone.read_size, generator)
        return head.to(assets.device.torch_device)
