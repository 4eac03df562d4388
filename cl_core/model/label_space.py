"""The label space of a stage: from states that heads read to logits, under the protocol of the stream.

TIL   the task is known: its own head, over its own labels
CIL   all heads seen so far, over the union of their labels, by a rule
DIL   one set of labels: the heads merged with the sample's routing weights

Shapes: B samples, K adapters, d hidden size, C labels of the whole stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.adapters.heads import (
    Head,
    HeadRule,
    combine_logits,
    ensemble_logits,
    merged_logits,
    union_logits,
)
from cl_core.errors import UserError
from cl_core.runs.run_config import RunConfig


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

    @classmethod
    def after(cls, config: RunConfig, stage: int) -> LabelSpace:
        """The label space of a run after a stage, from 1: of the tasks learnt by then."""
        positions = tuple(task.labels for task in config.tasks[:stage])
        candidates = None
        if config.protocol == "dil" and config.settings.answers.vocabulary != "known":
            candidates = torch.zeros(len(config.label_space), dtype=torch.bool)
            candidates[[label for labels in positions for label in labels]] = True
        rule = config.head_rule or "direct"
        return cls(config.protocol, positions, len(config.label_space), rule, candidates)

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
