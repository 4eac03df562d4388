"""The samples on a map as a table: task, class, prediction, top-1 adapter, as they were after a stage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from app.base.outcomes import NOT_LEARNT, RIGHT, WRONG
from app.base.theme import numbered
from app.data.projections import Projection
from cl_core.runs.run_config import RunConfig
from cl_core.runs.undefined_scores import answerable_rows


def table(projection: Projection, config: RunConfig, routing: pa.Table, after: int) -> pd.DataFrame:
    """One row for each sample on the map, in the map's order.

    Columns: sample, task (numbered), task_index (from 0), class, learnt (by the stage), adapter (numbered),
    adapter_index (-1 before the task is learnt), answer, entropy (nats), x, y.

    Args:
        projection: where samples are.
        config: of the run.
        routing: its records.
        after: the stage, from 1.
    """
    now = _by_task(routing, after)
    newest = _by_task(routing)
    tasks = config.all_tasks
    names = [numbered(index, task.name) for index, task in enumerate(tasks)]
    frame = pd.DataFrame(
        {
            "sample": "",
            "task": [names[index] for index in projection.task],
            "task_index": projection.task,
            "class": "",
            "learnt": False,
            "adapter": NOT_LEARNT,
            "adapter_index": -1,
            "answer": NOT_LEARNT,
            "entropy": np.nan,
            "x": projection.positions[:, 0],
            "y": projection.positions[:, 1],
        }
    )
    for index in np.unique(projection.task):
        here = np.flatnonzero(projection.task == index)
        rows = projection.row[here]
        if index not in newest:
            continue
        records = newest[index].take(pa.array(rows))
        frame.loc[here, "sample"] = records["sample_id"].to_pylist()
        frame.loc[here, "class"] = _classes(config, records["label"].to_pylist())
        if index not in now or (index >= after and index < len(config.tasks)):
            continue
        answered = now[index].take(pa.array(rows))
        chosen = np.array([best[0] if best else -1 for best in answered["top_k"].to_pylist()])
        frame.loc[here, "learnt"] = True
        frame.loc[here, "adapter_index"] = chosen
        frame.loc[here, "adapter"] = [_adapter(names, adapter) for adapter in chosen]
        right = np.array(answered["correct"].to_pylist(), dtype=bool)
        labels = np.array(answered["label"].to_pylist(), dtype=np.int64)
        able = answerable_rows(config, after, np.full(len(here), index), labels)
        frame.loc[here, "answer"] = np.where(able, np.where(right, RIGHT, WRONG), NOT_LEARNT)
        frame.loc[here, "entropy"] = np.array(answered["entropy"].to_pylist(), dtype=np.float64)
    return frame


def _adapter(names: list[str], index: int) -> str:
    return names[index] if index >= 0 else "none"


def _by_task(routing: pa.Table, stage: int | None = None) -> dict[int, pa.Table]:
    """Records by true task, in the order of its split: of a stage, or of each task's newest one."""
    by_task = {}
    for index in pc.unique(routing["true_task"]).to_pylist():
        records = routing.filter(pc.equal(routing["true_task"], index))
        wanted = pc.max(records["stage"]) if stage is None else stage
        records = records.filter(pc.equal(records["stage"], wanted))
        if records.num_rows:
            by_task[index] = records
    return by_task


def _classes(config: RunConfig, labels: list[int]) -> list[str]:
    """What labels are called; records have them as indices in the stream's label space under every protocol."""
    return [config.label_space[label] if label >= 0 else "another answer" for label in labels]
