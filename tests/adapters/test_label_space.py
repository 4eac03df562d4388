"""The label space of a stage: which heads speak under which protocol, and which labels can be the answer."""

from __future__ import annotations

import pytest
import torch

from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.errors import UserError
from cl_core.model.stage_labels import label_space_after
from cl_core.recipes.settings import make_settings
from cl_core.runs.run_config import RunConfig
from tests.remade_runs import bundled

OWN = ((0, 1), (2, 1), (3,))  # of three tasks; the second shares a label with the first


def heads(*classes: int) -> list[Head]:
    generator = torch.Generator().manual_seed(0)
    return [Head.initialise(count, 4, generator) for count in classes]


def states(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, 4, generator=torch.Generator().manual_seed(1))


def space(protocol: str, **fields: object) -> LabelSpace:
    positions = OWN if protocol != "dil" else ((0, 1, 2, 3),) * 3
    return LabelSpace(protocol, positions, 4, **fields)  # type: ignore[arg-type]


def test_a_known_task_is_answered_by_its_own_head_over_its_own_labels() -> None:
    task_heads, h = heads(2, 2, 1), states(5)
    logits = space("til").logits(h, task_heads, torch.ones(5, 3) / 3, task=1)
    torch.testing.assert_close(logits[:, [2, 1]], task_heads[1].logits(h))
    assert logits[:, [0, 3]].isneginf().all()
    with pytest.raises(UserError, match="the task is known: it must be given"):
        space("til").logits(h, task_heads)


def test_one_label_space_is_answered_by_the_heads_merged_with_the_same_weights() -> None:
    task_heads, h, p = heads(4, 4, 4), states(5), torch.softmax(states(5)[:, :3], dim=1)
    slow = torch.stack(
        [
            sum(p[i, k] * (task_heads[k].weight @ h[i] + task_heads[k].bias) for k in range(3))
            for i in range(5)
        ]
    )
    torch.testing.assert_close(space("dil").logits(h, task_heads, p), slow)
    candidates = torch.tensor([True, True, False, False])
    logits = space("dil", candidates=candidates).logits(h, task_heads, p)
    torch.testing.assert_close(logits[:, :2], slow[:, :2])
    assert logits[:, 2:].isneginf().all()


def test_without_a_task_all_heads_answer_over_the_union_of_their_labels() -> None:
    task_heads, h = heads(2, 2, 1), states(5)
    logits = space("cil").logits(h, task_heads)
    shared = torch.maximum(task_heads[0].logits(h)[:, 1], task_heads[1].logits(h)[:, 1])
    torch.testing.assert_close(logits[:, 1], shared)
    top = space("cil", rule="top1").logits(
        h, task_heads, torch.tensor([[0.1, 0.1, 0.8]]).expand(5, -1)
    )
    assert (top.argmax(dim=1) == 3).all()
    assert top[:, :3].isneginf().all()


@pytest.mark.parametrize("protocol", ["til", "cil", "dil"])
def test_adapters_that_answer_each_by_itself_are_that_adapter_where_it_has_all_the_weight(
    protocol: str,
) -> None:
    task_heads = heads(4, 4, 4) if protocol == "dil" else heads(2, 2, 1)
    by_adapter, p = states(3, 5), torch.tensor([[0.0, 1.0, 0.0]]).expand(5, -1)
    asked = space(protocol, rule="compose")
    mixed = asked.mixed_logits(by_adapter.unbind(0), task_heads, p, task=1)
    torch.testing.assert_close(mixed, asked.logits(by_adapter[1], task_heads, p, task=1))


def stage_of(protocol: str, vocabulary: str) -> RunConfig:
    config = bundled("dam")
    settings = make_settings({}, {"vocabulary": vocabulary})
    return config.model_copy(update={"protocol": protocol, "settings": settings})


def test_a_stage_knows_the_labels_of_the_tasks_learnt_by_then() -> None:
    config = stage_of("cil", "known")
    second = label_space_after(config, 2)
    assert second.positions == tuple(task.labels for task in config.tasks[:2])
    assert (second.classes, second.rule) == (len(config.label_space), "compose")
    assert second.candidates is None
    assert label_space_after(stage_of("dil", "known"), 2).candidates is None
    seen = label_space_after(stage_of("dil", "seen"), 2).candidates
    assert seen is not None
    assert set(seen.nonzero().flatten().tolist()) == {
        label for task in config.tasks[:2] for label in task.labels
    }
