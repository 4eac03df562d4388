"""A task's rows, tokenised once, and their way into batches on the device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.backbones.text import Encoding


@dataclass(frozen=True)
class Rows:
    """Tokenised rows with their labels.

    Attributes:
        encoding: N rows of token ids.
        labels: (N,) int64, each an index into the head's classes.
    """

    encoding: Encoding
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def balanced_class_weights(labels: Tensor, classes: int) -> Tensor:
    """(classes,) weights n / (classes * n_c), the mean weight of a row being 1; 0 for a class without rows."""
    counts = torch.bincount(labels, minlength=classes).float()
    weights = len(labels) / (classes * counts.clamp(min=1))
    return torch.where(counts > 0, weights, torch.zeros_like(weights))
