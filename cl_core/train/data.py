"""A task's rows, tokenised once, and their way into batches on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.backbones.encoding import BackboneInput


@dataclass(frozen=True)
class Votes:
    """Answers that are right to some degree, at most A of each of N rows.

    Attributes:
        labels: (N, A) int64, -1 where there is none.
        weights: (N, A) float32 in 0..1, 0 where there is none.
    """

    labels: Tensor
    weights: Tensor

    @classmethod
    def of(
        cls, answers: Sequence[Sequence[int]], weights: Sequence[Sequence[float]], places: Tensor
    ) -> Votes:
        """From lists of answers and weights; `places` says where each of the task's labels goes."""
        most = max((len(row) for row in answers), default=0)
        labels = torch.full((len(answers), most), -1, dtype=torch.int64)
        shares = torch.zeros(len(answers), most)
        for row, (indices, share) in enumerate(zip(answers, weights, strict=True)):
            labels[row, : len(indices)] = places[list(indices)]
            shares[row, : len(indices)] = torch.tensor(list(share))
        return cls(labels, shares)

    @classmethod
    def concat(cls, parts: Sequence[Votes]) -> Votes:
        """The rows of several, in their order."""
        most = max(part.labels.shape[1] for part in parts)
        return cls(
            torch.cat([F.pad(p.labels, (0, most - p.labels.shape[1]), value=-1) for p in parts]),
            torch.cat([F.pad(p.weights, (0, most - p.weights.shape[1])) for p in parts]),
        )

    def subset(self, rows: Sequence[int]) -> Votes:
        """Some of the rows, in the given order."""
        return Votes(self.labels[list(rows)], self.weights[list(rows)])

    def dense(self, rows: Sequence[int], classes: int, device: torch.device) -> Tensor:
        """(B, classes) how right each answer is to some of the rows."""
        labels, weights = self.labels[list(rows)], self.weights[list(rows)]
        votes = torch.zeros(len(labels), classes + 1)
        # What is nobody's answer goes to a column of its own, which is dropped.
        votes.scatter_(1, torch.where(labels < 0, classes, labels), weights)
        return votes[:, :classes].to(device)


@dataclass(frozen=True)
class Rows:
    """Tokenised rows with their labels.

    Attributes:
        encoding: N rows of token ids.
        labels: (N,) int64, each an index into the head's classes; -1 for an answer that is none of them.
        votes: of answers that are right to some degree; None where the label alone is right.
        candidates: (C,) bool, the classes that may be the answer; None for all of them.
    """

    encoding: BackboneInput
    labels: Tensor
    votes: Votes | None = None
    candidates: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: Sequence[int]) -> Rows:
        """Some of the rows, in the given order."""
        votes = None if self.votes is None else self.votes.subset(rows)
        labels = self.labels[list(rows)]
        return Rows(self.encoding.subset(rows), labels, votes, self.candidates)


@dataclass(frozen=True)
class MixedRows:
    """Rows of several tasks, one after another.

    Attributes:
        encoding: N rows of token ids.
        labels: (N,) int64 places in the stream's label space.
        tasks: (N,) int64, the task of each row.
        votes: as in `Rows`.
        candidates: as in `Rows`.
    """

    encoding: BackboneInput
    labels: Tensor
    tasks: Tensor
    votes: Votes | None = None
    candidates: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, rows: Sequence[int]) -> MixedRows:
        """Some of the rows, in the given order."""
        chosen = list(rows)
        votes = None if self.votes is None else self.votes.subset(rows)
        return MixedRows(
            self.encoding.subset(rows),
            self.labels[chosen],
            self.tasks[chosen],
            votes,
            self.candidates,
        )

    @classmethod
    def concat(cls, parts: Sequence[MixedRows]) -> MixedRows:
        """All rows of the parts, in their order."""
        votes = None
        if any(part.votes is not None for part in parts):
            votes = Votes.concat([part.votes or _certain(part.labels) for part in parts])
        return cls(
            type(parts[0].encoding).concat([part.encoding for part in parts]),
            torch.cat([part.labels for part in parts]),
            torch.cat([part.tasks for part in parts]),
            votes,
            _any([part.candidates for part in parts]),
        )


def _any(masks: Sequence[Tensor | None]) -> Tensor | None:
    """What is a candidate in any part."""
    present = [mask for mask in masks if mask is not None]
    return torch.stack(present).any(dim=0) if len(present) == len(masks) else None


def among(logits: Tensor, data: Rows | MixedRows) -> Tensor:
    """(B, C) logits with -inf for classes that may not be the answer."""
    if data.candidates is None:
        return logits
    return logits.masked_fill(~data.candidates.to(logits.device), float("-inf"))


def _certain(labels: Tensor) -> Votes:
    """Labels as votes that all agree."""
    return Votes(labels.unsqueeze(1), (labels >= 0).float().unsqueeze(1))


def answer_loss(
    logits: Tensor,
    data: Rows | MixedRows,
    rows: Sequence[int],
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy (nats) of some rows.

    Of rows with votes the sum over answers of w_a (-log p_a), over max(sum_a w_a, 1): soft labels as for iVQA (DAM,
    arXiv 2403.08755; the division is that of FrozenBiLM, Yang et al. 2022, on which it builds).

    Args:
        logits: (B, C); -inf for labels that cannot be the answer.
        data: has the rows' labels.
        rows: B positions in it.
        weight: (C,) of the classes, for rows without votes.
        reduction: "mean" or "sum" over the rows.
    """
    logits = among(logits, data)
    if data.votes is None:
        labels = data.labels[list(rows)].to(logits.device)
        return F.cross_entropy(logits, labels, weight=weight, reduction=reduction)
    wanted = data.votes.dense(rows, logits.shape[1], logits.device)
    surprise = torch.where(wanted > 0, -wanted * F.log_softmax(logits, dim=1), 0.0).sum(dim=1)
    loss = surprise / wanted.sum(dim=1).clamp(min=1)
    return loss.mean() if reduction == "mean" else loss.sum()


def answer_credit(predictions: Tensor, labels: Tensor, votes: Votes | None) -> Tensor:
    """(N,) how right each prediction is, in 0..1: 1 for the label, or its weight where there are votes (VQA accuracy).

    Args:
        predictions: (N,) labels.
        labels: (N,) true ones.
        votes: of the same rows, or None.
    """
    if votes is None:
        return (predictions == labels).float()
    return ((votes.labels == predictions.unsqueeze(1)) * votes.weights).sum(dim=1)


def balanced_class_weights(labels: Tensor, classes: int) -> Tensor:
    """(classes,) weights n / (classes * n_c), the mean weight of a row being 1; 0 for a class without rows."""
    counts = torch.bincount(labels, minlength=classes).float()
    weights = len(labels) / (classes * counts.clamp(min=1))
    return torch.where(counts > 0, weights, torch.zeros_like(weights))
