"""A task's rows, tokenised once, and their way into batches on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.backbones.encoding import Encoded


@dataclass(frozen=True)
class Rows:
    """Tokenised rows with their labels.

    Attributes:
        encoding: N rows of token ids.
        labels: (N,) int64, each an index into the head's classes.
    """

    encoding: Encoded
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: Sequence[int]) -> Rows:
        """Some of the rows, in the given order."""
        return Rows(self.encoding.subset(rows), self.labels[list(rows)])


@dataclass(frozen=True)
class MixedRows:
    """Rows of several tasks, one after another.

    Attributes:
        encoding: N rows of token ids.
        labels: (N,) int64 places in the stream's label space.
        tasks: (N,) int64, the task of each row.
    """

    encoding: Encoded
    labels: Tensor
    tasks: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: Sequence[int]) -> MixedRows:
        """Some of the rows, in the given order."""
        chosen = list(rows)
        return MixedRows(self.encoding.subset(rows), self.labels[chosen], self.tasks[chosen])

    @classmethod
    def concat(cls, parts: Sequence[MixedRows]) -> MixedRows:
        """All rows of the parts, in their order."""
        return cls(
            type(parts[0].encoding).concat([part.encoding for part in parts]),
            torch.cat([part.labels for part in parts]),
            torch.cat([part.tasks for part in parts]),
        )


def balanced_class_weights(labels: Tensor, classes: int) -> Tensor:
    """(classes,) weights n / (classes * n_c), the mean weight of a row being 1; 0 for a class without rows."""
    counts = torch.bincount(labels, minlength=classes).float()
    weights = len(labels) / (classes * counts.clamp(min=1))
    return torch.where(counts > 0, weights, torch.zeros_like(weights))
