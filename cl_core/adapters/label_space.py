"""The label space of a stage: from states that heads read to logits, under the protocol of the stream.

TIL   the task is known: its own head, over its own labels
CIL   all heads seen so far, over the union of their labels, by a rule
DIL   one set of labels: the heads merged with the sample's routing weights

Shapes: B samples, K adapters, d hidden size, C labels of the whole stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from cl_core.adapters.heads import (
    Head,
    HeadRule,
    combine_logits,
    ensemble_logits,
    merged_logits,
    own_logits,
    union_logits,
)
from cl_core.errors import UserError


@dataclass(frozen=True)
class LabelSpace:
    """Which labels can be the answer, and which heads say so.

    Heads are given by task in TIL and CIL, and by adapter in DIL, where they all have the same labels.

    Attributes:
        protocol: "til", "cil" or "dil".
        positions: for each task seen so far, the positions of its labels in the stream's label space.
        classes: C.
        rule: CIL, how the heads answer together.
        candidates: DIL, (C,) bool, the answers known so far; None where all are from the start.
    """

    protocol: str
    positions: tuple[tuple[int, ...], ...]
    classes: int
    rule: HeadRule = "direct"
    candidates: Tensor | None = None

    def logits(
        self,
        states: Tensor,
        heads: Sequence[Head],
        weights: Tensor | None = None,
        task: int | None = None,
    ) -> Tensor:
        """Logits of heads that read the same states.

        Args:
            states: (B, d).
            heads: of the tasks, or in DIL of the adapters.
            weights: (B, K) routing weights; None where one adapter serves all tasks.
            task: TIL, the samples' task.

        Returns:
            (B, C); -inf for labels that cannot be the answer.

        Raises:
            UserError: TIL without a task.
        """
        match self.protocol:
            case "til":
                if task is None:
                    raise UserError(
                        "in the task-incremental protocol the task is known: it must be given"
                    )
                return self.head_logits(states, heads, task)
            case "dil":
                if weights is None:
                    weights = states.new_full((len(states), len(heads)), 1 / len(heads))
                return self._known(merged_logits(states, heads, weights))
            case _:
                return union_logits(states, heads, weights, self.positions, self.classes, self.rule)

    def row_logits(
        self,
        states: Tensor,
        heads: Sequence[Head],
        tasks: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Logits of rows of several tasks beside each other, as training has them; candidates are the rows' matter.

        Args:
            states: (B, d).
            heads: as for `logits`; of one adapter that all tasks share, in DIL one.
            tasks: (B,) the rows' own, which TIL alone reads.
            weights: (B, K) routing weights; None where one adapter serves all tasks.

        Returns:
            (B, C); -inf for labels that cannot be the answer.
        """
        match self.protocol:
            case "til":
                return own_logits(states, heads, tasks, self.positions, self.classes)
            case "dil":
                return (
                    heads[0].logits(states)
                    if weights is None
                    else merged_logits(states, heads, weights)
                )
            case _:
                return union_logits(states, heads, weights, self.positions, self.classes, self.rule)

    def per_task(self) -> LabelSpace:
        """The same where each row is asked among its own task's labels alone, in CIL as in TIL."""
        return replace(self, protocol="til") if self.protocol == "cil" else self

    def head_logits(self, states: Tensor, heads: Sequence[Head], head: int) -> Tensor:
        """(B, C) logits of one of the heads by itself, over its own labels; see `logits`."""
        if self.protocol == "dil":
            return self._known(heads[head].logits(states))
        labels = [self.positions[head]]
        return union_logits(states, [heads[head]], None, labels, self.classes, "direct")

    def mixed_logits(
        self,
        states: Sequence[Tensor],
        heads: Sequence[Head],
        weights: Tensor,
        task: int | None = None,
    ) -> Tensor:
        """Logits of adapters that answer each by itself, mixed: sum_k p_k g_k(h_k) in DIL.

        In CIL head k reads adapter k's states, and the rule combines the heads as ever. In TIL the task's own head
        reads the states of every adapter: sum_k p_k g_t(h_k) **(ours)**.

        Args:
            states: K of (B, d), under each adapter alone.
            heads: of the K tasks.
            weights: (B, K) routing weights.
            task: TIL, the samples' task.

        Returns:
            (B, C); -inf for labels that cannot be the answer.

        Raises:
            UserError: TIL without a task.
        """
        if self.protocol == "cil":
            logits = [head.logits(of_one) for head, of_one in zip(heads, states, strict=True)]
            return combine_logits(logits, weights, self.positions, self.classes, self.rule)
        if self.protocol == "til":
            logits = [self.logits(of_one, heads, task=task) for of_one in states]
        else:
            logits = [self.head_logits(of_one, heads, k) for k, of_one in enumerate(states)]
        return ensemble_logits(logits, weights)

    def _known(self, logits: Tensor) -> Tensor:
        """DIL: what is not known yet cannot be the answer."""
        if self.candidates is None:
            return logits
        return logits.masked_fill(~self.candidates.to(logits.device), float("-inf"))
