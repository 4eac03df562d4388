"""From pooled states to answers: which heads speak under which protocol.

TIL   the task is known: its own head, over its own labels
CIL   all heads seen so far, over the union of their labels, by a rule
DIL   one label space: the heads merged with the sample's routing weights
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl_core.adapters.heads import (
    Head,
    HeadRule,
    combine_logits,
    merged_logits,
    union_logits,
)
from cl_core.errors import UserError


def answer_logits(
    protocol: str,
    pooled: Tensor,
    heads: Sequence[Head],
    labels: Sequence[Sequence[int]],
    classes: int,
    weights: Tensor | None = None,
    rule: HeadRule = "direct",
    pool: Sequence[int] | None = None,
    task: int | None = None,
    candidates: Tensor | None = None,
) -> Tensor:
    """Logits over the stream's label space.

    Args:
        protocol: "til", "cil" or "dil".
        pooled: (B, d) states.
        heads: of the tasks seen so far.
        labels: for each of these tasks, the place of its labels in the label space.
        classes: C, the size of the label space.
        weights: (B, K) routing weights; None where one adapter serves all tasks.
        rule: CIL, how the heads answer together.
        pool: DIL, the tasks whose heads the K columns of `weights` belong to.
        task: TIL, the samples' task.
        candidates: DIL, (C,) bool, the answers that are known; None for all.

    Returns:
        (B, C); -inf for labels that cannot be the answer.

    Raises:
        UserError: TIL without a task.
    """
    match protocol:
        case "til":
            if task is None:
                raise UserError(
                    "in the task-incremental protocol the task is known: it must be given"
                )
            return union_logits(pooled, [heads[task]], None, [labels[task]], classes, "direct")
        case "dil":
            chosen = [heads[each] for each in pool] if pool is not None else list(heads)
            if weights is None:
                weights = pooled.new_full((len(pooled), len(chosen)), 1 / len(chosen))
            merged = merged_logits(pooled, chosen, weights)
            if candidates is None:
                return merged
            return merged.masked_fill(~candidates.to(merged.device), float("-inf"))
        case _:
            return union_logits(pooled, heads, weights, labels, classes, rule)


def ensemble_logits(
    protocol: str,
    states: Sequence[Tensor],
    heads: Sequence[Head],
    labels: Sequence[Sequence[int]],
    classes: int,
    weights: Tensor,
    rule: HeadRule = "direct",
    task: int | None = None,
    candidates: Tensor | None = None,
) -> Tensor:
    """Logits of K adapters that answer each by itself, mixed: sum_k p_k g_k(h_k) in DIL.

    In CIL head k reads adapter k's states, and the rule combines the heads as ever. In TIL the task's own head reads
    the states of every adapter: sum_k p_k g_t(h_k) **(ours)**.

    Args:
        protocol: "til", "cil" or "dil".
        states: K of (B, d), under each adapter alone.
        heads: of the K tasks.
        labels: for each of these tasks, the place of its labels in the label space.
        classes: C, the size of the label space.
        weights: (B, K) routing weights.
        rule: CIL, how the heads answer together.
        task: TIL, the samples' task.
        candidates: DIL, (C,) bool, the answers that are known; None for all.

    Returns:
        (B, C); -inf for labels that cannot be the answer.

    Raises:
        UserError: TIL without a task.
    """
    if protocol == "cil":
        each = [head.logits(own) for head, own in zip(heads, states, strict=True)]
        return combine_logits(each, weights, labels, classes, rule)
    logits = [
        answer_logits(
            protocol,
            own,
            heads if protocol == "til" else [heads[k]],
            labels,
            classes,
            task=task,
            candidates=candidates,
        )
        for k, own in enumerate(states)
    ]
    # -inf marks labels of other tasks; 0 times it would be no number.
    mixed = sum(
        share.unsqueeze(1) * own.nan_to_num(neginf=0.0)
        for share, own in zip(weights.unbind(1), logits, strict=True)
    )
    return torch.where(logits[0].isneginf(), logits[0], mixed)
