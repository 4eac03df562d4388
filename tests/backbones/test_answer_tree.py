"""The tree of answers, against scoring every answer by itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cl_core.backbones.answer_tree import AnswerTree, log_softmax_by
from cl_core.errors import UserError

START, END = [90, 91], 99
ANSWERS = st.lists(
    st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple),
    min_size=1,
    max_size=9,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_every_prefix_stands_once_and_sees_its_ancestors_alone(
    answers: list[tuple[int, ...]],
) -> None:
    tree = AnswerTree.of(answers, START, END)
    prefixes = {answer[:length] for answer in answers for length in range(len(answer) + 1)}
    assert len(tree.tokens) == len(prefixes) + len(START) - 1
    seen = set()
    for node in range(len(tree.tokens)):
        ancestors = tree.sees[node].nonzero().flatten().tolist()
        ancestors.sort(key=lambda ancestor: int(tree.depth[ancestor]))
        assert [int(tree.depth[ancestor]) for ancestor in ancestors] == list(range(len(ancestors)))
        assert ancestors[-1] == node
        read = tuple(int(tree.tokens[ancestor]) for ancestor in ancestors)
        if len(read) >= len(START):
            assert read[: len(START)] == tuple(START)
            seen.add(read[len(START) :])
    assert seen == prefixes


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.integers(0, 3))
def test_scores_are_those_of_each_answer_token_by_token(
    answers: list[tuple[int, ...]], seed: int
) -> None:
    tree = AnswerTree.of(answers, START, END)
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(3, len(tree.tokens), 4, generator=generator)
    words, bias = torch.randn(100, 4, generator=generator), torch.randn(100, generator=generator)
    scores = tree.score(states, words, bias)
    torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(3))
    places = {}
    for node in range(len(tree.tokens)):
        ancestors = sorted(
            tree.sees[node].nonzero().flatten().tolist(),
            key=lambda ancestor: int(tree.depth[ancestor]),
        )
        places[tuple(int(tree.tokens[ancestor]) for ancestor in ancestors)[len(START) :]] = node
        if len(ancestors) == len(START):
            places[()] = node
    for column, answer in enumerate(answers):
        total = torch.zeros(3)
        for length in range(len(answer) + 1):
            prefix = answer[:length]
            follow = {
                a[length] if len(a) > length else END for a in answers if a[:length] == prefix
            }
            options = sorted(follow)
            logits = states[:, places[prefix]] @ words[options].T + bias[options]
            taken = answer[length] if length < len(answer) else END
            total += logits.log_softmax(dim=1)[:, options.index(taken)]
        torch.testing.assert_close(scores[:, column], total, rtol=1e-4, atol=1e-5)


def test_the_softmax_within_groups_has_the_gradient_of_the_slow_one() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 6, dtype=torch.float64, requires_grad=True)
    group = torch.tensor([0, 2, 0, 1, 2, 2])
    assert torch.autograd.gradcheck(lambda x: log_softmax_by(x, group, 3), logits)
    slow = torch.empty(2, 6, dtype=torch.float64)
    for number in range(3):
        members = (group == number).nonzero().flatten()
        slow[:, members] = logits.detach()[:, members].log_softmax(dim=1)
    torch.testing.assert_close(log_softmax_by(logits, group, 3).detach(), slow)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([[1], []], "an answer has no tokens"),
        ([[1, 2], [1, 2]], "two answers have the same tokens"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(answers: list[list[int]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AnswerTree.of(answers, START, END)
