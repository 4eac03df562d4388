"""Which rows a run's tables can hold, by its settings: its own tasks and stages, each sample once at each of them.

What a run of any recipe may or may not have is no fault: stages that are not scored, tasks that are not routed yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cl_core.errors import counted
from cl_core.evaluate.table import ACCURACY
from cl_core.runs.run_config import RunConfig

if TYPE_CHECKING:
    import numpy as np
    import pyarrow
    from numpy.typing import NDArray

KEYS = {
    "scores": ("stage", "task", "protocol", "metric"),
    "routing": ("stage", "true_task", "sample_id"),
    "lost": ("stage", "true_task", "sample_id"),
}
"""What two rows of a table never share."""


def of_config(name: str, table: pyarrow.Table, config: RunConfig) -> str:
    """What of a table is not of this run, or is there twice, said so; "" where nothing is.

    Args:
        name: "scores", "routing" or "lost".
        table: its rows, whose numbers can be (`possible_numbers.of_table`).
        config: of the run.
    """
    tasks, every = len(config.tasks), len(config.all_tasks)
    ranges = {"stage": (0 if name == "scores" else 1, tasks)}
    if name == "scores":
        if fault := _other_names(table, config):
            return fault
    else:
        ranges["true_task"] = (0, every - 1)
    if name == "routing":
        labels = max(len(config.label_space), len(config.vocabulary))
        ranges |= {"prediction": (-1, labels - 1), "label": (-1, labels - 1)}
    return _outside(table, ranges) or _twice(table, KEYS[name])


def of_counts(name: str, table: pyarrow.Table, config: RunConfig) -> str:
    """Where a table has more or fewer samples than a task of the run, said so; "" where nowhere.

    A stage whose routes are there has those of all tasks learnt by then.

    Args:
        name: "scores" or "routing"; of any other table, nothing is said.
        table: its rows, which are of this run (`of_config`).
        config: of the run.
    """
    split = config.settings.evaluate.split
    expected = [task.rows.get(split) for task in config.all_tasks]
    names = [task.name for task in config.all_tasks]
    if name == "scores":
        of_task = dict(zip(names, expected, strict=True))
        pairs = zip(table["task"].to_pylist(), table["samples"].to_pylist(), strict=True)
        for task, samples in dict.fromkeys(pairs):
            if of_task[task] not in (None, samples):
                return f"holds a score of {samples} samples of task '{task}', which has {of_task[task]}"
        return _missing(table, [task.name for task in config.tasks])
    if name == "routing":
        groups = table.group_by(["stage", "true_task"]).aggregate([([], "count_all")]).to_pylist()
        counts = {(row["stage"], row["true_task"]): row["count_all"] for row in groups}
        for stage in sorted({stage for stage, _ in counts}):
            for task, rows in enumerate(expected):
                count = counts.get((stage, task), 0)
                if rows is not None and count != rows and (count or task < stage):
                    routed = counted(count, "sample")
                    return f"holds routes of {routed} of task '{names[task]}' after stage {stage}; it has {rows}"
    return ""


def _missing(table: pyarrow.Table, tasks: list[str]) -> str:
    """Of scores: a stage that is scored is on every task learnt by then."""
    columns = (table[name].to_pylist() for name in ("stage", "task", "metric"))
    cells = {
        (stage, task)
        for stage, task, metric in zip(*columns, strict=True)
        if stage and metric == ACCURACY
    }
    for stage in sorted({stage for stage, _ in cells}):
        for task in tasks[:stage]:
            if (stage, task) not in cells:
                return f"holds no {ACCURACY} on task '{task}' after stage {stage}, which it holds on others"
    return ""


def of_lists(table: pyarrow.Table) -> str:
    """What cannot be of the lists of routing records, said so; "" where nothing is.

    As many weights and scores at a stage as there are adapters; the adapters that are used, each once.
    """
    import numpy as np

    if table.num_rows == 0:
        return ""
    weights = _lengths(table, "weights")
    stages = table["stage"].to_numpy()
    for stage in np.unique(stages):
        counts = np.unique(weights[stages == stage])
        if len(counts) > 1 or counts[0] < 1:
            return f"holds {counts[0]} to {counts[-1]} weights after stage {stage}, where all have as many"
    if "scores" in table.column_names:
        scored = _lengths(table, "scores")
        if bool(((scored != weights) & (scored >= 0)).any()):
            return "holds other numbers of scores than of weights"
    return _used(table, weights) if "top_k" in table.column_names else ""


def _used(table: pyarrow.Table, adapters: NDArray[np.int64]) -> str:
    import numpy as np
    import pyarrow.compute as pc

    lists = table["top_k"].combine_chunks()
    lengths = _lengths(table, "top_k")
    if bool((lengths < 1).any()):
        return f"holds no top_k for sample '{_sample(table, lengths < 1)}'"
    used = pc.list_flatten(lists).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    outside = (used < 0) | (used >= adapters[rows])
    if bool(outside.any()):
        odd = np.flatnonzero(outside)[0]
        return f"holds the adapter {used[odd]} in top_k, where there are {adapters[rows[odd]]}"
    places = np.sort(rows * (int(adapters.max()) + 1) + used)
    again = places[1:] == places[:-1]
    if bool(again.any()):
        row = int(places[1:][again][0]) // (int(adapters.max()) + 1)
        return f"holds an adapter twice in top_k of sample '{table['sample_id'][row].as_py()}'"
    return ""


def _other_names(table: pyarrow.Table, config: RunConfig) -> str:
    names = {task.name for task in config.all_tasks}
    for task in table["task"].unique().to_pylist():
        if task not in names:
            return f"holds scores of the task '{task}', which the run does not have"
    protocols = table["protocol"].unique().to_pylist() if "protocol" in table.column_names else []
    for protocol in protocols:
        # the rule of heads may be chosen by code that is not here
        if str(protocol).partition("/")[0] != config.protocol:
            return (
                f"holds scores under the protocol '{protocol}'; the run is of '{config.protocol}'"
            )
    if len(protocols) > 1:
        return f"holds scores under several protocols: '{protocols[0]}', '{protocols[1]}'"
    return ""


def _outside(table: pyarrow.Table, ranges: dict[str, tuple[int, int]]) -> str:
    import pyarrow.compute as pc

    for column, (least, most) in ranges.items():
        extremes = pc.min_max(table[column]).as_py()
        for value in (extremes["min"], extremes["max"]):
            if value is not None and not least <= value <= most:
                return (
                    f"holds the {column} {value}, which lies between {least} and {most} in this run"
                )
    return ""


def _twice(table: pyarrow.Table, key: tuple[str, ...]) -> str:
    key = tuple(name for name in key if name in table.column_names)
    groups = table.select(key).group_by(list(key)).aggregate([([], "count_all")])
    if groups.num_rows == table.num_rows:
        return ""
    row = next(row for row in groups.to_pylist() if row["count_all"] > 1)
    return "holds two rows of " + ", ".join(f"{name} {row[name]}" for name in key)


def _lengths(table: pyarrow.Table, column: str) -> NDArray[np.int64]:
    """(N,) how long the lists of a column are; -1 where there is none."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(table[column]), -1)
    return np.asarray(lengths.to_numpy(), dtype=np.int64)


def _sample(table: pyarrow.Table, where: NDArray[np.bool_]) -> str:
    return str(table["sample_id"][int(where.argmax())].as_py())
