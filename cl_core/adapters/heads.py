"""Linear heads, and how the heads of several tasks answer together under each protocol.

Every task owns one linear head over its own labels. What is done with several of them depends on the protocol
(TIL, CIL, DIL); each way is one pure function here. Shapes: B samples, K heads, d hidden size,
C_t labels of task t, and C labels in the stream's whole label space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.settings import HeadRule as HeadRule


@dataclass(frozen=True)
class Head:
    """One task's linear classifier.

    Attributes:
        weight: (C_t, d).
        bias: (C_t,).
        frozen: whether it stays as it is: made of what the labels are called (DAM's answer embeddings).
    """

    weight: Tensor
    bias: Tensor
    frozen: bool = False

    def logits(self, pooled: Tensor) -> Tensor:
        """(B, d) pooled states to (B, C_t) logits, in float32."""
        return F.linear(pooled.float(), self.weight, self.bias)

    def clone(self) -> Head:
        """A copy that shares no memory."""
        return replace(self, weight=self.weight.detach().clone(), bias=self.bias.detach().clone())

    def to(self, device: torch.device) -> Head:
        """The same head on another device."""
        return replace(self, weight=self.weight.to(device), bias=self.bias.to(device))

    def parameters(self) -> list[Tensor]:
        """What moves in training: nothing where it is frozen."""
        return [] if self.frozen else [self.weight, self.bias]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors, as stored beside the adapter."""
        return {"head.weight": self.weight, "head.bias": self.bias}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Head:
        """The inverse of `tensors`; other names are ignored."""
        return cls(tensors["head.weight"], tensors["head.bias"])

    @classmethod
    def initialise(cls, classes: int, hidden_size: int, generator: torch.Generator) -> Head:
        """N(0, 0.02^2) weights and zero biases, as BERT initialises its own layers **(ours)**."""
        weight = torch.empty(classes, hidden_size).normal_(0.0, 0.02, generator=generator)
        return cls(weight, torch.zeros(classes))


def merged_logits(pooled: Tensor, heads: Sequence[Head], weights: Tensor) -> Tensor:
    """DIL: one label space; the heads are merged with the same p(x) as the adapters.

    sum_t p_t (W_t h + b_t) = (sum_t p_t W_t) h + sum_t p_t b_t: merging linear heads and mixing
    their logits are the same.

    Args:
        pooled: (B, d) states.
        heads: K heads over the same C labels.
        weights: (B, K).

    Returns:
        (B, C) logits.
    """
    logits = torch.stack([head.logits(pooled) for head in heads], dim=1)
    return (weights.unsqueeze(-1) * logits).sum(dim=1)


def union_logits(
    pooled: Tensor,
    heads: Sequence[Head],
    weights: Tensor | None,
    labels: Sequence[Sequence[int]],
    classes: int,
    rule: HeadRule,
) -> Tensor:
    """CIL: the logits of all heads seen so far, over the union of their labels.

    `direct` concatenates the heads' logits. `compose` scales head t's logits by p_t; where p_t = 0
    the head has no say at all, rather than logits of 0 that beat every negative one **(ours)**.
    `top1` masks every head but that of the task with the largest p. A label that two heads share
    takes the larger of their logits **(ours)**; a label of no head is -inf.

    Args:
        pooled: (B, d) states.
        heads: K heads.
        weights: (B, K) routing weights; None only with `direct` (a shared adapter has no routing).
        labels: for each head, the position of each of its labels in the union.
        classes: C, the size of the stream's label space.
        rule: one of the three rules.

    Returns:
        (B, C) logits.
    """
    return combine_logits([head.logits(pooled) for head in heads], weights, labels, classes, rule)


def combine_logits(
    by_head: Sequence[Tensor],
    weights: Tensor | None,
    labels: Sequence[Sequence[int]],
    classes: int,
    rule: HeadRule,
) -> Tensor:
    """As `union_logits`, from the heads' own logits: K of (B, C_t)."""
    if rule != "direct" and weights is None:
        raise ValueError(f"rule '{rule}' needs routing weights")
    union = by_head[0].new_full((len(by_head[0]), classes), float("-inf"))
    best = weights.argmax(dim=1) if weights is not None else None
    for task, raw in enumerate(by_head):
        logits = raw
        if rule == "compose" and weights is not None:
            share = weights[:, task : task + 1].to(raw.dtype)
            logits = (logits * share).masked_fill(share == 0, float("-inf"))
        elif rule == "top1" and best is not None:
            logits = logits.masked_fill((best != task).unsqueeze(1), float("-inf"))
        columns = torch.tensor(labels[task], device=raw.device)
        union[:, columns] = torch.maximum(union[:, columns], logits)
    return union


def ensemble_logits(logits: Sequence[Tensor], weights: Tensor) -> Tensor:
    """The logits of K models, averaged by (B, K) weights: sum_k p_k z_k.

    Args:
        logits: K of (B, C), over the same labels; -inf, in all of them alike, for labels that cannot be the answer.
        weights: (B, K).
    """
    # 0 times -inf would be no number.
    mixed = sum(
        share.unsqueeze(1) * of_one.nan_to_num(neginf=0.0)
        for share, of_one in zip(weights.unbind(1), logits, strict=True)
    )
    return torch.where(logits[0].isneginf(), logits[0], mixed)


def own_logits(
    pooled: Tensor,
    heads: Sequence[Head],
    tasks: Tensor,
    labels: Sequence[Sequence[int]],
    classes: int,
) -> Tensor:
    """TIL: each row's logits by the head of its own task, (B, C); the other labels are -inf.

    Args:
        pooled: (B, d) states.
        heads: of the K tasks.
        tasks: (B,) task of each row, below K.
        labels: for each task, the place of its labels in the label space.
        classes: C.
    """
    logits = pooled.new_full((len(pooled), classes), float("-inf"), dtype=torch.float32)
    for task, head in enumerate(heads):
        filled = torch.full_like(logits, float("-inf"))
        filled[:, list(labels[task])] = head.logits(pooled)
        logits = torch.where((tasks == task).unsqueeze(1), filled, logits)
    return logits
