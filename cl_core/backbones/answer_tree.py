"""All answers of a vocabulary as one tree of tokens, so that a decoder scores them in a single pass.

    log p(a | x) = sum over the tokens a_i of a, and its end, of log p(a_i | a_1..a_{i-1}, x)

where p(. | prefix) is the softmax over the tokens that may follow the prefix in the vocabulary, its end among them:
what an encoder-decoder would generate if it could give no other answer. The probabilities of all answers sum to one.
VL-BART and I2I (arXiv 2304.02168) generate freely and compare strings; generating within the vocabulary is **(ours)**,
and so is the tree: every prefix stands once in the decoder's input and attends to its own ancestors alone. Shapes: C
answers, N nodes (prefixes), E edges (tokens that follow a prefix), B samples, d hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.errors import UserError


@dataclass(frozen=True)
class AnswerTree:
    """The prefixes of all answers.

    Attributes:
        tokens: (N,) int64, what the decoder reads at each node: the tokens it starts with, then those of the answers.
        depth: (N,) int64, positions.
        sees: (N, N) bool, whether a node (row) attends to another: to itself and its ancestors.
        edge_node: (E,) int64, the node at which an edge's token is predicted.
        edge_token: (E,) int64, the token.
        paths: (C, E) float32, 1 where an edge is on the way of an answer.
    """

    tokens: Tensor
    depth: Tensor
    sees: Tensor
    edge_node: Tensor
    edge_token: Tensor
    paths: Tensor

    @classmethod
    def of(cls, answers: Sequence[Sequence[int]], start: Sequence[int], end: int) -> AnswerTree:
        """The tree of C answers.

        Args:
            answers: their token ids, without special tokens.
            start: what the decoder reads first: at least one token, the same for all answers.
            end: the token that ends an answer.

        Raises:
            UserError: an answer without tokens, or two that are the same to the tokenizer.
        """
        if any(not answer for answer in answers):
            raise UserError("an answer has no tokens; it cannot be generated")
        if len({tuple(answer) for answer in answers}) < len(answers):
            raise UserError("two answers have the same tokens; they cannot be told apart")
        tokens, parents = list(start), list(range(-1, len(start) - 1))
        nodes: dict[tuple[int, ...], int] = {(): len(start) - 1}
        edges: dict[tuple[int, int], int] = {}
        ways: list[list[int]] = []
        for answer in answers:
            way, prefix = [], tuple[int, ...]()
            for token in answer:
                way.append(edges.setdefault((nodes[prefix], token), len(edges)))
                longer = (*prefix, token)
                if longer not in nodes:
                    nodes[longer] = len(tokens)
                    tokens.append(token)
                    parents.append(nodes[prefix])
                prefix = longer
            way.append(edges.setdefault((nodes[prefix], end), len(edges)))
            ways.append(way)
        sees = torch.eye(len(tokens), dtype=torch.bool)
        depth = torch.zeros(len(tokens), dtype=torch.int64)
        for node, parent in enumerate(parents):  # parents come before their children
            if parent >= 0:
                sees[node] |= sees[parent]
                depth[node] = depth[parent] + 1
        paths = torch.zeros(len(answers), len(edges))
        for row, way in enumerate(ways):
            paths[row, way] = 1.0
        return cls(
            torch.tensor(tokens),
            depth,
            sees,
            torch.tensor([node for node, _ in edges], dtype=torch.int64),
            torch.tensor([token for _, token in edges], dtype=torch.int64),
            paths,
        )

    def to(self, device: torch.device) -> AnswerTree:
        """The same tree on another device."""
        return AnswerTree(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def score(self, states: Tensor, words: Tensor, bias: Tensor) -> Tensor:
        """(B, C) log-probabilities of the answers, in float32.

        Args:
            states: (B, N, d) the decoder's last hidden states at the nodes.
            words: (V, d) what scores tokens.
            bias: (V,) likewise.
        """
        with torch.autocast(states.device.type, enabled=False):
            here = states.float()[:, self.edge_node]  # (B, E, d)
            rows = words[self.edge_token].float()
            logits = (here * rows).sum(dim=-1) + bias[self.edge_token].float()
            return log_softmax_by(logits, self.edge_node, len(self.tokens)) @ self.paths.T


def log_softmax_by(logits: Tensor, group: Tensor, groups: int) -> Tensor:
    """(B, E) log-softmax within groups.

    Args:
        logits: (B, E).
        group: (E,) int64, below `groups`.
        groups: how many there are.
    """
    index = group.expand_as(logits)
    largest = logits.new_full((len(logits), groups), float("-inf"))
    largest = largest.scatter_reduce(1, index, logits.detach(), "amax").gather(1, index)
    shifted = logits - largest
    total = logits.new_zeros(len(logits), groups).scatter_add(1, index, shifted.exp())
    return shifted - total.log().gather(1, index)
