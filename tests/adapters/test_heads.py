"""Heads: alone, merged (DIL), and over the union of labels (CIL)."""

from __future__ import annotations

import pytest
import torch

from cl_core.adapters.heads import Head, merged_logits, union_logits

CLASSES, HIDDEN, ROWS = 3, 5, 7


def make_heads(count: int, classes: int = CLASSES) -> list[Head]:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return [Head(draw(classes, HIDDEN), draw(classes)) for _ in range(count)]


@pytest.fixture
def pooled() -> torch.Tensor:
    return torch.randn(ROWS, HIDDEN, generator=torch.Generator().manual_seed(1))


def test_mixing_the_logits_of_linear_heads_is_merging_the_heads(pooled: torch.Tensor) -> None:
    heads = make_heads(4)
    weights = torch.softmax(torch.randn(ROWS, 4), dim=1)
    for row in range(ROWS):
        matrix = sum(p * head.weight for p, head in zip(weights[row], heads, strict=True))
        bias = sum(p * head.bias for p, head in zip(weights[row], heads, strict=True))
        expected = matrix @ pooled[row] + bias
        merged = merged_logits(pooled, heads, weights)[row]
        torch.testing.assert_close(merged, expected)


def test_direct_puts_the_heads_beside_one_another(pooled: torch.Tensor) -> None:
    one, two = make_heads(2)
    union = union_logits(pooled, [one, two], None, [(0, 1, 2), (3, 4, 5)], 6, "direct")
    torch.testing.assert_close(union, torch.cat([one.logits(pooled), two.logits(pooled)], dim=1))


def test_compose_scales_each_head_by_its_tasks_weight(pooled: torch.Tensor) -> None:
    one, two = make_heads(2)
    weights = torch.tensor([[0.25, 0.75]]).expand(ROWS, 2)
    union = union_logits(pooled, [one, two], weights, [(0, 1, 2), (3, 4, 5)], 6, "compose")
    torch.testing.assert_close(union[:, :3], 0.25 * one.logits(pooled))
    torch.testing.assert_close(union[:, 3:], 0.75 * two.logits(pooled))


@pytest.mark.parametrize("rule", ["compose", "top1"])
def test_with_one_hot_weights_only_that_tasks_head_answers(pooled: torch.Tensor, rule: str) -> None:
    heads = make_heads(3)
    weights = torch.zeros(ROWS, 3)
    weights[:, 1] = 1
    places = [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
    union = union_logits(pooled, heads, weights, places, 9, rule)
    expected = 3 + heads[1].logits(pooled).argmax(dim=1)
    assert torch.equal(union.argmax(dim=1), expected)


def test_top1_masks_every_head_but_that_of_the_top_1_task(pooled: torch.Tensor) -> None:
    heads = make_heads(2)
    weights = torch.tensor([[0.4, 0.6]]).expand(ROWS, 2)
    union = union_logits(pooled, heads, weights, [(0, 1, 2), (3, 4, 5)], 6, "top1")
    assert torch.isneginf(union[:, :3]).all()
    torch.testing.assert_close(union[:, 3:], heads[1].logits(pooled))


def test_a_label_of_two_heads_takes_the_larger_logit(pooled: torch.Tensor) -> None:
    one, two = make_heads(2)
    union = union_logits(pooled, [one, two], None, [(0, 1, 2), (2, 1, 0)], 3, "direct")
    expected = torch.maximum(one.logits(pooled), two.logits(pooled)[:, [2, 1, 0]])
    torch.testing.assert_close(union, expected)


def test_a_label_of_no_head_is_never_predicted(pooled: torch.Tensor) -> None:
    union = union_logits(pooled, make_heads(1), None, [(0, 1, 2)], 5, "direct")
    assert torch.isneginf(union[:, 3:]).all()


def test_a_rule_that_needs_weights_says_so(pooled: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="needs routing weights"):
        union_logits(pooled, make_heads(1), None, [(0, 1, 2)], 3, "compose")
