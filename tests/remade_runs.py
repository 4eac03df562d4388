"""Finished runs made of the bundled demonstration's: another name, seed, stream or scores, and nothing trained."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.data.runs import DEMONSTRATION
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace


def remade(
    workspace: Workspace,
    of: str,
    name: str,
    change: Callable[[float], float] = lambda value: value,
    **fields: Any,
) -> RunFolder:
    """A copy of a bundled run.

    Args:
        workspace: gets it.
        of: the bundled run.
        name: of the copy.
        change: from each score to the copy's.
        fields: of its `RunConfig` that differ.
    """
    run = workspace.run(name)
    shutil.copytree(DEMONSTRATION / "runs" / of, run.path)
    config = RunFolder(DEMONSTRATION / "runs" / of).config
    run.create(config.model_copy(update={"name": name, **fields}))
    table = pq.read_table(run.path / "scores.parquet")  # whose tasks may be others by now
    values = pa.array([change(value) for value in table["value"].to_pylist()])
    column = table.schema.get_field_index("value")
    pq.write_table(
        table.set_column(column, table.schema.field(column), values), run.path / "scores.parquet"
    )
    return run


def take_model(run: RunFolder) -> None:
    """Gives a copy the adapters and routers of the run that it is a copy of."""
    store = run.path.parents[1] / "store"
    for name, key in run.artifacts().items():
        kind = name.partition("/")[0]
        if kind != "states" and not (store / kind / key).is_dir():
            shutil.copytree(DEMONSTRATION / "store" / kind / key, store / kind / key)


def other_data(config: RunConfig) -> dict[str, Any]:
    """Fields that say that a run's tasks are other ones of the same names."""
    tasks = [
        task.model_copy(update={"fingerprint": task.fingerprint[::-1]}) for task in config.tasks
    ]
    return {"tasks": tuple(tasks)}


def bundled(name: str) -> RunConfig:
    """What a bundled run is."""
    return RunFolder(Path(DEMONSTRATION) / "runs" / name).config
