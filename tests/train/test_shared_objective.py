"""One adapter for all tasks: what competes, what is replayed, what holds the weights back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.heads import Head
from cl_core.adapters.label_space import LabelSpace
from cl_core.adapters.settings import AdapterSettings
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.errors import RunStopped
from cl_core.train.context import TrainingContext
from cl_core.train.data import MixedRows, Rows
from cl_core.train.loop import TrainingCallbacks
from cl_core.train.penalties.ewc import (
    EWCPenalty,
    FisherSum,
    Sampling,
    adapter_fisher,
    diagonal_fisher,
)
from cl_core.train.penalties.lwf import LwFPenalty, old_answers
from cl_core.train.settings import BaselineSettings, TrainSettings
from cl_core.train.shared_objective import SharedObjective, SharedWeights, fit_shared, shared_states
from tests.backbones.checkpoints import write_checkpoint
from tests.train.test_loop import Kept

CPU = Device(torch.device("cpu"), bfloat16=False, reason="a test")
SETTINGS = TrainSettings(epochs=4, batch_size=4, learning_rate=1e-2, checkpoint_every=3)
CIL = LabelSpace("cil", ((0, 1), (2, 3)), 4)
TIL = LabelSpace("til", ((0, 1), (2, 3)), 4)
DIL = LabelSpace("dil", ((0, 1), (0, 1)), 2)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> TextBackbone:
    folder: Path = write_checkpoint("bert", tmp_path_factory.mktemp("shared") / "bert")
    return load_backbone(BackboneSettings(name=str(folder), max_length=24), CPU.torch_device)


def rows(
    backbone: TextBackbone, task: int, count: int = 12, shared_labels: bool = False
) -> MixedRows:
    words = (("soup", "waiter"), ("train", "sea"))[task]
    texts = [f"{words[i % 2]} {'cold' if i % 3 else 'late'} {words[0]}" for i in range(count)]
    labels = torch.tensor([i % 2 + (0 if shared_labels else 2 * task) for i in range(count)])
    return MixedRows(backbone.tokenize(texts), labels, torch.full((count,), task))


def weights(backbone: TextBackbone, heads: int = 2, seed: int = 0) -> SharedWeights:
    generator = torch.Generator().manual_seed(seed)
    fresh = Adapter.initialise(
        AdapterSettings(reduction=4), backbone.sites, backbone.hidden_size, generator
    )
    for tensor in fresh.parameters():
        tensor.normal_(0.0, 0.3, generator=generator)
    task_heads = [
        Head(torch.randn(2, backbone.hidden_size, generator=generator), torch.zeros(2))
        for _ in range(heads)
    ]
    return SharedWeights(fresh, tuple(task_heads))


def test_which_labels_compete(backbone: TextBackbone) -> None:
    pooled = torch.randn(3, backbone.hidden_size)
    heads, tasks = weights(backbone).heads, torch.tensor([0, 1, 0])
    by_head = [head.logits(pooled) for head in heads]
    for label_space in (TIL, CIL):
        apart = label_space.per_task().row_logits(pooled, heads, tasks)
        assert apart.isneginf().tolist() == [
            [False, False, True, True],
            [True, True, False, False],
            [False, False, True, True],
        ]
        torch.testing.assert_close(apart[1, 2:], by_head[1][1])
    torch.testing.assert_close(CIL.row_logits(pooled, heads, tasks), torch.cat(by_head, dim=1))
    torch.testing.assert_close(DIL.row_logits(pooled, heads[:1], tasks), by_head[0])


def test_joint_training_lowers_the_loss_and_leaves_start_and_backbone_as_they_are(
    backbone: TextBackbone,
) -> None:
    begin = weights(backbone)
    before = [tensor.clone() for tensor in begin.parameters()]
    frozen = [tensor.clone() for tensor in backbone.parameters()]
    data = MixedRows.concat([rows(backbone, 0), rows(backbone, 1)])
    context = TrainingContext(backbone, data, data, SETTINGS, CPU, 3)
    fitted = fit_shared(context, begin, CIL, 0.1)
    assert fitted.history[-1].train_loss < fitted.history[0].train_loss
    for mine, then in zip(begin.parameters(), before, strict=True):
        assert torch.equal(mine, then)
    for mine, then in zip(backbone.parameters(), frozen, strict=True):
        assert torch.equal(mine, then)


def objective(backbone: TextBackbone, memory: MixedRows | None) -> SharedObjective:
    new = rows(backbone, 1)
    context = TrainingContext(backbone, new, new, SETTINGS, CPU, 7)
    return SharedObjective(context, weights(backbone), CIL, 0.0, memory)


def test_a_step_replays_as_many_remembered_rows_as_it_has_new_ones(backbone: TextBackbone) -> None:
    memory = rows(backbone, 0, 5)
    task = objective(backbone, memory)
    replayed = task.replayed([0, 3, 4])
    assert len(replayed) == 3
    assert all(12 <= row < 17 for row in replayed)
    assert replayed == task.replayed([0, 3, 4])  # a resumed run replays the same
    assert objective(backbone, None).replayed([0, 1]) == []
    both = task.data.subset([0, 3, 4, *replayed])
    pooled = shared_states(backbone, task.weights, both, range(6), SETTINGS, CPU)
    logits = torch.cat([head.logits(pooled) for head in task.weights.heads], dim=1)
    wanted = F.cross_entropy(logits, both.labels)
    torch.testing.assert_close(task.loss([0, 3, 4]), wanted)


def test_a_stop_leaves_no_trace_in_the_result(backbone: TextBackbone) -> None:
    new, memory = rows(backbone, 1), rows(backbone, 0)

    def train(kept: Kept | None = None, callbacks: TrainingCallbacks | None = None) -> list[Tensor]:
        context = TrainingContext(backbone, new, new, SETTINGS, CPU, 3, kept, callbacks)
        fitted = fit_shared(context, weights(backbone), CIL, 0.1, memory)
        return fitted.weights.parameters()

    whole, kept, asked = train(), Kept(), iter(range(100))
    with pytest.raises(RunStopped):
        train(kept, TrainingCallbacks(stop=lambda: next(asked) > 7))
    for mine, other in zip(train(kept), whole, strict=True):
        assert torch.equal(mine, other)


def test_weights_are_named_and_read_back(backbone: TextBackbone) -> None:
    mine = weights(backbone, heads=1).with_head(weights(backbone, heads=1, seed=4).heads[0])
    back = SharedWeights.from_tensors(mine.tensors(), mine.adapter.site_names, "relu")
    assert len(back.heads) == 2
    for one, other in zip(mine.parameters(), back.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_fisher_of_a_heads_bias_is_its_closed_form(backbone: TextBackbone) -> None:
    """d log p(y) / d b_c = 1[y = c] - p_c, so with y ~ p its square has the mean p_c (1 - p_c)."""
    now, data = weights(backbone), rows(backbone, 0, 400)
    fisher = diagonal_fisher(
        backbone, now, data, CIL, Sampling(400, torch.Generator().manual_seed(0)), "mean", CPU
    )
    pooled = shared_states(backbone, now, data, range(400), SETTINGS, CPU)
    p = torch.softmax(now.heads[0].logits(pooled), dim=1)
    wanted = (p * (1 - p)).mean(dim=0)
    assert ((fisher["heads.0.bias"] - wanted).abs() < 0.05).all()
    assert "heads.1.weight" not in fisher  # the other task's head knows nothing of these rows


def test_every_square_is_of_one_rows_own_gradient(backbone: TextBackbone) -> None:
    head = weights(backbone).heads[0]
    alone = TaskWeights(weights(backbone).adapter, head)
    data = rows(backbone, 0, 3)
    plain = Rows(data.encoding, data.labels)
    fisher = adapter_fisher(
        backbone, alone, plain, Sampling(3, torch.Generator().manual_seed(2)), "mean", CPU
    )
    # The same draws, row by row, written out.
    generator = torch.Generator().manual_seed(2)
    moving = alone.adapter.clone()
    for tensor in moving.parameters():
        tensor.requires_grad_(True)
    total = torch.zeros_like(moving.down)
    for row in torch.randperm(3, generator=generator).tolist():
        shared = SharedWeights(moving, (head,))
        pooled = shared_states(backbone, shared, data, [row], SETTINGS, CPU)
        log_p = torch.log_softmax(head.logits(pooled), dim=1)[0]
        label = int(torch.multinomial(log_p.exp().detach(), 1, generator=generator))
        (gradient,) = torch.autograd.grad(log_p[label], [moving.down])
        total += gradient.square()
    torch.testing.assert_close(fisher["adapter.down"], total / 3)


def test_ewc_is_the_textbooks_sum_over_tasks_in_value_and_gradient(backbone: TextBackbone) -> None:
    tasks = [weights(backbone, heads=1, seed=1), weights(backbone, heads=2, seed=2)]
    generator = torch.Generator().manual_seed(0)
    fishers = [
        {
            name: torch.rand(t.shape, generator=generator)
            for name, t in task_weights.tensors().items()
        }
        for task_weights in tasks
    ]
    sums = FisherSum.of(fishers[0], tasks[0]) + FisherSum.of(fishers[1], tasks[1])
    sums = FisherSum.from_tensors(sums.tensors())
    now = weights(backbone, heads=3, seed=3)
    for tensor in now.parameters():
        tensor.requires_grad_(True)
    penalty = EWCPenalty(sums, 7.0).value(now, [], torch.zeros(1))
    wanted = sum(
        3.5 * (fisher[name] * (now.tensors()[name] - task_weights.tensors()[name]).square()).sum()
        for fisher, task_weights in zip(fishers, tasks, strict=True)
        for name in fisher
    )
    torch.testing.assert_close(penalty, wanted, rtol=1e-5, atol=1e-4)
    gradients = [
        torch.autograd.grad(v, now.parameters(), allow_unused=True) for v in (penalty, wanted)
    ]
    for mine, theirs in zip(*gradients, strict=True):
        if theirs is None:  # the newest head has no term
            assert mine is None or not mine.any()
        else:
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_ewc_holds_the_weights_where_it_is_strong(backbone: TextBackbone) -> None:
    begin, new = weights(backbone), rows(backbone, 1)
    fisher = {name: torch.ones_like(tensor) for name, tensor in begin.adapter.tensors().items()}
    sums, moved = FisherSum.of(fisher, begin), []
    for strength in (0.0, 1000.0):
        context = TrainingContext(backbone, new, new, SETTINGS, CPU, 3)
        fitted = fit_shared(context, begin, CIL, 0.0, penalty=EWCPenalty(sums, strength))
        moved.append(float((fitted.weights.adapter.down - begin.adapter.down).norm()))
    assert moved[1] < moved[0] / 5


@pytest.mark.parametrize("label_space", [CIL, DIL])
def test_lwf_costs_nothing_at_the_start_and_is_the_divergence_from_it(
    backbone: TextBackbone, label_space: LabelSpace
) -> None:
    begin = weights(backbone, heads=1 if label_space is DIL else 2)
    new = rows(backbone, 1, shared_labels=label_space is DIL)
    kept = old_answers(backbone, begin, new, label_space, SETTINGS, CPU)
    assert len(kept) == 1
    settings = BaselineSettings(lwf_lambda=0.5, lwf_temperature=2.0)
    penalty = LwFPenalty(kept, settings)
    batch = [2, 5, 7]
    pooled = shared_states(backbone, begin, new, batch, SETTINGS, CPU)
    assert float(penalty.value(begin, batch, pooled)) == pytest.approx(0.0, abs=1e-6)
    other = weights(backbone, heads=len(begin.heads), seed=8)
    pooled = shared_states(backbone, other, new, batch, SETTINGS, CPU)
    before, now = (
        torch.softmax(logits / 2, dim=1)
        for logits in (kept[0][batch], other.heads[0].logits(pooled))
    )
    divergence = (before * (before.log() - now.log())).sum(dim=1).mean()
    torch.testing.assert_close(penalty.value(other, batch, pooled), 0.5 * 4 * divergence)
