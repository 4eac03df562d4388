"""The label space of a run after a stage: which of its stream's labels can be the answer by then."""

from __future__ import annotations

import torch

from cl_core.adapters.label_space import LabelSpace
from cl_core.runs.run_config import RunConfig


def label_space_after(config: RunConfig, stage: int) -> LabelSpace:
    """The label space of a run after a stage, from 1: of the tasks learnt by then."""
    positions = tuple(task.labels for task in config.tasks[:stage])
    candidates = None
    if config.protocol == "dil" and config.settings.answers.vocabulary != "known":
        candidates = torch.zeros(len(config.label_space), dtype=torch.bool)
        candidates[[label for labels in positions for label in labels]] = True
    rule = config.head_rule or "direct"
    return LabelSpace(config.protocol, positions, len(config.label_space), rule, candidates)
