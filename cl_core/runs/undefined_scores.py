"""Which numbers of a run are none, and why: what cannot be answered is not scored, and what needs it is not defined."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cl_core.evaluate.table import METRICS
from cl_core.runs.run_config import RunConfig

UNKNOWN_LABELS = (
    "in CIL answers are among the labels learnt so far, and it needs those of tasks to come"
)
"""Why forward transfer is no number in CIL."""
UNKNOWN_ANSWERS = "with vocabulary=seen no answer of some task is known before that task is learnt"
"""Why it is none in DIL, where it is not."""


def no_score(config: RunConfig) -> str:
    """Why a cell or a row that was answered is no score."""
    return UNKNOWN_LABELS if config.protocol == "cil" else UNKNOWN_ANSWERS


def answerable(config: RunConfig) -> NDArray[np.bool_]:
    """(T, T): whether the model of stage i (row) can give right answers on task j (column) at all.

    From its own stage on a task always can. Before, it depends on the protocol: never in TIL, where it has no head; in
    CIL only where every label of it is one of an earlier task's too, since heads answer over the labels seen so far;
    in DIL always, but where the vocabulary grows (`vocabulary=seen`) only if some of its answers are in it already. A
    cell where it cannot is no score: it would be 0 whatever the model knows.

    Args:
        config: of the run.
    """
    labels = [set(task.labels) for task in config.tasks]
    can = np.tri(len(labels), dtype=bool)
    seen: set[int] = set()
    for stage, newest in enumerate(labels):
        seen |= newest
        for task in range(stage + 1, len(labels)):
            match config.protocol:
                case "til":
                    can[stage, task] = False
                case "cil":
                    can[stage, task] = labels[task] <= seen
                case "dil":
                    all_answered = config.settings.answers.vocabulary == "known"
                    can[stage, task] = all_answered or bool(labels[task] & seen)
    return can


def answerable_rows(
    config: RunConfig, stage: int, true: NDArray[np.int64], labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(N,) whether scored rows could be answered rightly after a stage at all.

    For single rows, also of tasks that are held out: one of a task to come can be where its own label is one of those
    that are answered over by then.

    Args:
        config: of the run.
        stage: after which they were answered, from 1.
        true: (N,) places of their tasks, held-out ones behind the others.
        labels: (N,) places in the label space; -1 where theirs is not in it.
    """
    learnt = np.asarray(true < stage)
    if config.protocol == "til":
        return learnt
    all_answered = config.protocol == "dil" and config.settings.answers.vocabulary == "known"
    seen = [label for task in config.tasks[:stage] for label in task.labels]
    return learnt | (labels >= 0 if all_answered else np.isin(labels, seen))


def reasons(
    config: RunConfig, finished: bool, values: Mapping[str, float], stage: int
) -> dict[str, str]:
    """Why metrics of the score matrix are not defined, by name; defined ones are left out.

    Args:
        config: of the run.
        finished: whether it is.
        values: of the metrics; NaN where one is not defined.
        stage: after which they are, from 1.
    """
    return {
        name: _why(name, config, finished, stage)
        for name, value in values.items()
        if np.isnan(value)
    }


def _why(name: str, config: RunConfig, finished: bool, stage: int) -> str:
    metric = METRICS[name]
    if stage < metric.from_stage:
        one = "there is one task" if len(config.tasks) < 2 else "one task has been learnt"
        return f"it compares stages, and {one}"
    if metric.reads_unseen:
        if config.protocol == "cil":
            return UNKNOWN_LABELS
        if config.protocol == "til":
            return "in TIL a task is answered by its own head, and has none before it is learnt"
        if config.recipe.trainer.traits.all_at_once:
            return "tasks that are learnt all at once have no stage before they are"
        if config.recipe.told_the_task:
            return "the router is told the task, whose adapter is not there before it is learnt"
        if not config.settings.evaluate.unseen:
            return "it needs the scores of tasks that are not learnt yet: --set unseen=true"
        if not answerable(config).diagonal(offset=1).all():
            return UNKNOWN_ANSWERS
    if not finished:
        return "the run has not scored every task yet"
    return "this recipe scores no stage before the last"
