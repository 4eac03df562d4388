"""From pooled states to answers: which heads speak under which protocol.

TIL   the task is known: its own head, over its own labels
CIL   all heads seen so far, over the union of their labels, by a rule
DIL   one label space: the heads merged with the sample's routing weights
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cl_core.adapters.heads import Head, HeadRule, merged_logits, union_logits
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
            return merged_logits(pooled, chosen, weights)
        case _:
            return union_logits(pooled, heads, weights, labels, classes, rule)
