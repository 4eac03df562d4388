"""The trainers: which weights a run holds after task i, and what the next task's training may look at.

Two forms, which a trainer's row names. A *chain* learns each task by its own adapter and head (`classification.py`):
`IsolatedTrainer` keeps every adapter, `SequentialTrainer` only the newest. Started from the previous task's best
checkpoint, the two train the very same adapters: DAM is sequential fine-tuning that forgets nothing because it keeps
every step of it. *Shared* trainers move one adapter and all heads (`shared_objective.py`) and differ in what keeps the
old tasks alive: a memory and Fisher information are needs of the row, a penalty is the class's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cl_core.adapters.label_space import LabelSpace
from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.train.data import MixedRows
from cl_core.train.penalties.ewc import EWCPenalty, FisherSum
from cl_core.train.penalties.lwf import LwFPenalty, old_answers
from cl_core.train.settings import BaselineSettings, TrainSettings
from cl_core.train.shared_objective import Penalty, SharedWeights


@dataclass(frozen=True)
class PenaltyContext:
    """What a penalty is computed from: what earlier tasks left, and the task that is to be learnt next.

    Attributes:
        backbone: frozen.
        weights: the shared adapter and its heads, as the stage before left them, and a fresh head for the new task.
        new: the new task's training samples.
        label_space: which labels a row's answer is sought among.
        training: how it will be trained.
        baselines: settings of the penalties.
        device: where, and in which precision.
        fishers: sums over earlier tasks, on the device; None where the row does not need them.
    """

    backbone: Backbone
    weights: SharedWeights
    new: MixedRows
    label_space: LabelSpace
    training: TrainSettings
    baselines: BaselineSettings
    device: Device
    fishers: FisherSum | None = None


class Trainer(Protocol):
    """One choice of the slot *train*; what it is beside its penalty, its row says (`traits.py`)."""

    def penalty(self, context: PenaltyContext) -> Penalty | None:
        """What holds the shared adapter back while a task after the first is learnt; None for nothing."""
        ...


class IsolatedTrainer:
    """DAM, L2R, I2I: task t trains Phi_t and g_t alone; Phi_{<t} and the heads before it never change."""

    def penalty(self, context: PenaltyContext) -> Penalty | None:
        """None."""
        return None


class SequentialTrainer(IsolatedTrainer):
    """The baseline that forgets: one adapter, trained on one task after the other from where the last one ended."""


class ReplayTrainer(SequentialTrainer):
    """Experience replay (Chaudhry et al. 2019): each step learns from as many remembered rows as new ones.

    Its epoch is chosen on the whole validation splits of all tasks so far **(ours)**, which are kept beside the memory.
    """


class EWCTrainer(SequentialTrainer):
    """EWC (Kirkpatrick et al. 2017): see `ewc.py`."""

    def penalty(self, context: PenaltyContext) -> Penalty | None:
        """lambda / 2 sum_t sum_i F_t,i (theta_i - theta*_t,i)²; raises `ValueError` without Fisher sums."""
        if context.fishers is None:
            raise ValueError("EWC needs the Fisher information of earlier tasks; found None")
        return EWCPenalty(context.fishers, context.baselines.ewc_lambda)


class LwFTrainer(SequentialTrainer):
    """LwF (Li and Hoiem 2016): see `lwf.py`."""

    def penalty(self, context: PenaltyContext) -> Penalty | None:
        """lambda T² sum over old heads KL(before / T || now / T)."""
        kept = old_answers(
            context.backbone,
            context.weights,
            context.new,
            context.label_space,
            context.training,
            context.device,
        )
        return LwFPenalty(kept, context.baselines)


class JointTrainer(SequentialTrainer):
    """All tasks at once, the upper bound of one adapter; there is no stage before the last.

    Its epoch is chosen on the validation splits of all tasks **(ours)**.
    """
