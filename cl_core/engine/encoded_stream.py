"""A stream as the backbone reads it: what it encodes and the labels, each made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import BackboneInput
from cl_core.backbones.vision.vision_encoder import TokenSource
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.tasks.stream import Stream
from cl_core.train.data import MixedRows, Rows, Votes

MakeTokenSource = Callable[[int, str], TokenSource | None]
"""From a 0-based task and a split to what is seen of it; None where there is nothing to see, or nobody who sees."""


class EncodedStream:
    """The rows of a stream's tasks, by 0-based task (held-out ones behind the others) and split name.

    Args:
        stream: its data.
        backbone: reads them.
        token_source: finds what a backbone that sees is shown of a split.
        seen_only: DIL, whether the tasks' answers are known only from the task on that brings them.
    """

    def __init__(
        self,
        stream: Stream,
        backbone: Backbone,
        token_source: MakeTokenSource,
        seen_only: bool = False,
    ) -> None:
        self.stream = stream
        self.seen_only = seen_only
        self.backbone = backbone
        self._token_source = token_source
        self._encodings: dict[tuple[int, str], BackboneInput] = {}

    def name(self, task: int) -> str:
        """The task's name."""
        return self.stream.all_tasks[task].name

    def fingerprint(self, task: int, split: str) -> str:
        """Of a split's content."""
        return self.stream.all_tasks[task].split_fingerprint(split)

    def encoding(self, task: int, split: str) -> BackboneInput:
        """A split as the backbone reads it."""
        if (task, split) not in self._encodings:
            columns = self.stream.all_tasks[task].columns(split)
            if isinstance(self.backbone, VisionLanguageBackbone):
                token_source = self._token_source(task, split)
                self._encodings[task, split] = self.backbone.encode(columns, token_source)
            else:
                self._encodings[task, split] = self.backbone.encode(columns)
        return self._encodings[task, split]

    def rows(self, task: int, split: str) -> Rows:
        """A split with its labels as places in the task's head."""
        places = torch.tensor(self.head_labels(task))
        labels = _placed(self._labels(task, split), places)
        votes = self._votes(task, split, places)
        return Rows(self.encoding(task, split), labels, votes, self.candidates(task))

    def mixed(self, task: int, split: str) -> MixedRows:
        """A split as rows that may stand beside other tasks': labels as places in the stream's label space."""
        labels = self.global_labels(task, split)
        votes = self.global_votes(task, split)
        tasks = torch.full_like(labels, task)
        return MixedRows(self.encoding(task, split), labels, tasks, votes, self.candidates(task))

    def candidates(self, stage: int) -> Tensor | None:
        """(C,) bool, the answers that are known after a stage, 0-based; None where all are from the start."""
        if not self.seen_only or self.stream.protocol != "dil":
            return None
        candidates = torch.zeros(len(self.stream.label_space.names), dtype=torch.bool)
        for task in range(min(stage + 1, len(self.stream.tasks))):
            candidates[list(self.positions(task))] = True
        return candidates

    def positions(self, task: int) -> Sequence[int]:
        """For each of the task's labels, its place in the stream's label space."""
        return self.stream.label_space.global_index(self.name(task))

    def global_labels(self, task: int, split: str) -> Tensor:
        """(N,) labels of a split as places in the stream's label space; -1 for what has none."""
        return _placed(self._labels(task, split), torch.tensor(self.positions(task)))

    def global_votes(self, task: int, split: str) -> Votes | None:
        """Votes of a split for places in the stream's label space; None where its answers carry none."""
        return self._votes(task, split, torch.tensor(self.positions(task)))

    def head_labels(self, task: int) -> tuple[int, ...]:
        """For each of the task's labels, its place in the task's head.

        In DIL every head has the stream's label space; in CIL and TIL a head has its task's labels.
        """
        if self.stream.protocol == "dil":
            return tuple(self.positions(task))
        return tuple(range(len(self.stream.tasks[task].label_names)))

    def label_names(self, task: int) -> Sequence[str]:
        """What the classes of the task's head are called, in its order."""
        if self.stream.protocol == "dil":
            return self.stream.label_space.names
        return self.stream.tasks[task].label_names

    def classes(self, task: int) -> int:
        """Width of the task's head."""
        return len(self.label_names(task))

    def _labels(self, task: int, split: str) -> Tensor:
        labels = self.stream.all_tasks[task].splits[split]["label"][:]
        return torch.tensor(labels, dtype=torch.int64)

    def _votes(self, task: int, split: str, places: Tensor) -> Votes | None:
        rows = self.stream.all_tasks[task].splits[split]
        if "answers" not in rows.column_names:
            return None
        return Votes.of(rows["answers"][:], rows["answer_weights"][:], places)


def _placed(labels: Tensor, places: Tensor) -> Tensor:
    """Each label's place; -1 for the answer that is none of the vocabulary."""
    return torch.where(labels < 0, -1, places[labels.clamp(min=0)])
