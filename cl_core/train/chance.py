"""Training that came to nothing: no better than guessing, on rows kept apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.errors import counted

NEAR = 0.99
"""Share of the loss of guessing from which on a loss counts as no better **(ours)**."""


@dataclass(frozen=True)
class Chance:
    """What guessing comes to on some rows.

    Attributes:
        accuracy: of whoever always answers the commonest class, 0 to 1.
        loss: of whoever gives all classes the same probability, ln C (nats); a mean where C differs between rows.
        rows: how many there are.
    """

    accuracy: float
    loss: float
    rows: int

    @classmethod
    def of(cls, groups: Sequence[tuple[Tensor, int]]) -> Chance:
        """Of rows in groups that are each asked among labels of their own.

        Args:
            groups: (N,) labels, -1 for what is none, and how many classes they are asked among.
        """
        rows = sum(len(labels) for labels, _ in groups)
        counts = [torch.bincount(labels[labels >= 0], minlength=1).max() for labels, _ in groups]
        loss = sum(len(labels) * math.log(classes) for labels, classes in groups)
        return cls(float(sum(counts)) / rows, loss / rows, rows)

    def learnt_nothing(self, history: Sequence[Mapping[str, float]]) -> str | None:
        """Says so where the kept epoch is no better than guessing; None where it is.

        That is: its validation accuracy is within two standard errors of chance or below, and its validation loss is
        not below that of equal probabilities **(ours)**. Where there is one class, there is nothing to learn.

        Args:
            history: epochs, as `EpochRecord` has them.
        """
        if not history or self.loss == 0:
            return None
        kept = max(
            history, key=lambda epoch: (epoch["validation_accuracy"], -epoch["validation_loss"])
        )
        accuracy, loss = kept["validation_accuracy"], kept["validation_loss"]
        spread = math.sqrt(self.accuracy * (1 - self.accuracy) / self.rows)
        if accuracy > self.accuracy + 2 * spread or loss < NEAR * self.loss:
            return None
        return (
            f"its validation accuracy is {100 * accuracy:.1f} %, no more than chance on "
            f"{counted(self.rows, 'row')} beside the {100 * self.accuracy:.1f} % of always answering the commonest "
            f"class, and its validation loss is {loss:.3g}, where guessing gives {self.loss:.3g}"
        )
