"""What the cells of a run's score matrix are worth: of how many samples they are, and how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cl_core.evaluate.intervals import binomial_error, paired_error
from cl_core.evaluate.table import ACCURACY
from cl_core.runs.run_folder import RunFolder


@dataclass(frozen=True)
class Errors:
    """Standard errors of R[i, j] - R[j, j], (T, T).

    Attributes:
        values: 0 to 1, NaN where there is no difference.
        paired: where they are of the same samples' own differences; elsewhere they are binomial.
    """

    values: NDArray[np.float64]
    paired: NDArray[np.bool_]


def sample_counts(run: RunFolder) -> NDArray[np.int64]:
    """(T, T) how many test samples each accuracy is of; 0 where nothing was scored."""
    names = [task.name for task in run.config.tasks]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    positions = {name: index for index, name in enumerate(names)}
    for row in run.table("scores").to_pylist():
        if row["metric"] == ACCURACY and row["stage"] > 0 and row["task"] in positions:
            counts[row["stage"] - 1, positions[row["task"]]] = row["samples"]
    return counts


def change_errors(run: RunFolder, matrix: NDArray[np.float64]) -> Errors:
    """Standard errors of what changed since a task was learnt, R[i, j] - R[j, j].

    From the samples' own outcomes, where the run's records have both stages and say what the matrix says; where they do
    not (a run that goes on, an accuracy of several references' votes) as if the samples were others each time.

    Args:
        run: with its tables.
        matrix: R (T, T), accuracies.
    """
    counts, outcomes = sample_counts(run), _outcomes(run)
    values = np.full(matrix.shape, np.nan)
    paired = np.zeros(matrix.shape, dtype=bool)
    for i, j in np.argwhere(np.tril(np.isfinite(matrix))):
        then, now = outcomes.get((j + 1, j)), outcomes.get((i + 1, j))
        if then is not None and now is not None and then.keys() == now.keys():
            before = np.array(list(then.values()), dtype=np.float64)
            after = np.array([now[sample] for sample in then], dtype=np.float64)
            if np.allclose([before.mean(), after.mean()], [matrix[j, j], matrix[i, j]], atol=1e-6):
                values[i, j], paired[i, j] = paired_error(after, before), True
                continue
        values[i, j] = binomial_error(matrix[i, j], matrix[j, j], int(counts[i, j]))
    return Errors(values, paired)


def _outcomes(run: RunFolder) -> dict[tuple[int, int], dict[str, bool]]:
    """By stage (from 1) and task (from 0): by sample, whether it was answered rightly."""
    if not (run.path / "routing.parquet").is_file():
        return {}
    table: pa.Table = run.table("routing").select(["stage", "true_task", "sample_id", "correct"])
    outcomes: dict[tuple[int, int], dict[str, bool]] = {}
    for stage in pc.unique(table["stage"]).to_pylist():
        at_stage = table.filter(pc.equal(table["stage"], stage))
        for task in pc.unique(at_stage["true_task"]).to_pylist():
            records = at_stage.filter(pc.equal(at_stage["true_task"], task))
            ids, right = records["sample_id"].to_pylist(), records["correct"].to_pylist()
            outcomes[stage, task] = dict(zip(ids, right, strict=True))
    return outcomes
