"""A stream as the backbone reads it: token ids and labels, each made once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import Encoded
from cl_core.tasks.stream import Stream
from cl_core.train.data import MixedRows, Rows


class TokenisedStream:
    """The rows of a stream's tasks, by 0-based task (held-out ones behind the others) and split name."""

    def __init__(self, stream: Stream, backbone: Backbone) -> None:
        self.stream = stream
        self.backbone = backbone
        self._encodings: dict[tuple[int, str], Encoded] = {}

    def name(self, task: int) -> str:
        """The task's name."""
        return self.stream.all_tasks[task].name

    def fingerprint(self, task: int, split: str) -> str:
        """Of a split's content."""
        return self.stream.all_tasks[task].split_fingerprint(split)

    def encoding(self, task: int, split: str) -> Encoded:
        """Token ids of a split."""
        if (task, split) not in self._encodings:
            rows = self.stream.all_tasks[task].splits[split]
            columns = {name: rows[name] for name in rows.column_names}
            self._encodings[task, split] = self.backbone.encode(columns)
        return self._encodings[task, split]

    def rows(self, task: int, split: str) -> Rows:
        """A split with its labels as places in the task's head."""
        places = torch.tensor(self.head_labels(task))
        return Rows(self.encoding(task, split), places[self._labels(task, split)])

    def mixed(self, task: int, split: str) -> MixedRows:
        """A split as rows that may stand beside other tasks': labels as places in the stream's label space."""
        labels = self.global_labels(task, split)
        return MixedRows(self.encoding(task, split), labels, torch.full_like(labels, task))

    def positions(self, task: int) -> Sequence[int]:
        """For each of the task's labels, its place in the stream's label space."""
        return self.stream.label_space.global_index(self.name(task))

    def global_labels(self, task: int, split: str) -> Tensor:
        """(N,) labels of a split as places in the stream's label space."""
        return torch.tensor(self.positions(task))[self._labels(task, split)]

    def head_labels(self, task: int) -> tuple[int, ...]:
        """For each of the task's labels, its place in the task's head.

        In DIL every head has the stream's label space; in CIL and TIL a head has its task's labels.
        """
        if self.stream.protocol == "dil":
            return tuple(self.positions(task))
        return tuple(range(len(self.stream.tasks[task].label_names)))

    def classes(self, task: int) -> int:
        """Width of the task's head."""
        if self.stream.protocol == "dil":
            return len(self.stream.label_space.names)
        return len(self.stream.tasks[task].label_names)

    def _labels(self, task: int, split: str) -> Tensor:
        labels = list(self.stream.all_tasks[task].splits[split]["label"])
        return torch.tensor(labels, dtype=torch.int64)
