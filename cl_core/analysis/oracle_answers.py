"""Predictions of a run's single adapters: what `cl_core.evaluate.oracle_gap` splits into routing and merging."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from cl_core.engine.artifact_cache import Reporter
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.encoded_stream import EncodedStream
from cl_core.engine.launch import reopen
from cl_core.engine.visual_tokens import stored_tokens
from cl_core.errors import UserError
from cl_core.evaluate.oracle_gap import LOST_SCHEMA
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.loaded_model import load_model
from cl_core.model.model import Model
from cl_core.model.what_if import WhatIf
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store.contents import table_bytes
from cl_core.system_faults import unless_refused
from cl_core.train.data import answer_credit


def explain_losses(
    workspace: Workspace,
    run: RunFolder,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
    unkept: Callable[[str], None] | None = None,
) -> pa.Table:
    """Answers a run's test samples under single adapters, and writes `lost.parquet` into its folder.

    Args:
        workspace: where it is.
        run: a run that routes.
        device: where to compute.
        progress: told of stages done and in all.
        unkept: is told why the file could not be written, where that is no reason to fail.

    Returns:
        Rows of LOST_SCHEMA, for every stage that the run has a model of and every task learnt by then.

    Raises:
        UserError: one adapter serves all tasks, the run was not scored yet, or its data changed.
    """
    records = run.table("routing").select(
        ["stage", "sample_id", "true_task", "weights", "prediction"]
    )
    if run.config.recipe.shares_adapter:
        raise UserError(
            f"recipe '{run.config.recipe.name}' keeps one adapter for all tasks: nothing is routed or merged"
        )
    stages = sorted(set(records["stage"].to_pylist()))
    stream = reopen(run)
    tables: list[pa.Table] = []
    alone: SingleAdapterStates | None = None
    for done, stage in enumerate(stages):
        loaded = load_model(workspace, run, stage, device)
        # Single adapters answer, under the heads that the stage has.
        model = loaded.model.changed(WhatIf(compose="select"))
        if alone is None:
            silent = Reporter(lambda event: None, lambda step, steps: None, lambda: False)
            settings, seed = run.config.settings, run.config.seed
            artifacts = RunArtifacts(
                workspace.store,
                stream,
                model.passes.backbone,
                settings,
                model.passes.device,
                seed,
                silent,
                stored_tokens,
            )
            alone = SingleAdapterStates(artifacts.data, settings.evaluate.split)
        rows = records.filter(pc.equal(records["stage"], stage))
        for task in range(loaded.stage):
            task_records = rows.filter(pc.equal(rows["true_task"], task))
            if task_records.num_rows:
                tables.append(_explain_cell(model, alone, stage, task, task_records))
        progress(done + 1, len(stages))
    table = pa.concat_tables(tables) if tables else LOST_SCHEMA.empty_table()
    with unless_refused(unkept):
        run.write("lost.parquet", table_bytes(table))
    return table


class SingleAdapterStates:
    """States of rows under one adapter alone, each computed once: later stages change no adapter.

    Args:
        data: the stream as the backbone reads it.
        split: the one that is scored.
    """

    def __init__(self, data: EncodedStream, split: str) -> None:
        self.data, self.split = data, split
        self._states: dict[tuple[int, int], Tensor] = {}
        self._places: dict[int, dict[str, int]] = {}

    def rows(self, task: int, ids: list[str]) -> list[int]:
        """Places of a task's samples in the split."""
        if task not in self._places:
            split = self.data.stream.all_tasks[task].splits[self.split]
            self._places[task] = {sample_id: row for row, sample_id in enumerate(split["id"][:])}
        return [self._places[task][sample_id] for sample_id in ids]

    def states(self, model: Model, task: int, rows: list[int], adapters: Tensor) -> Tensor:
        """(n, d) states of a task's rows.

        Args:
            model: whose adapters these are, one a task.
            task: the rows' own.
            rows: n places in the split.
            adapters: (n,) the place of each row's adapter in the bank.

        Raises:
            ValueError: there are no rows.
        """
        wanted = torch.tensor(rows)
        states: Tensor | None = None
        for adapter in sorted(set(adapters.tolist())):
            here = adapters == adapter
            of_split = self._of_split(model, task, adapter, wanted[here])
            if states is None:
                states = of_split.new_zeros(len(rows), of_split.shape[1])
            states[here] = of_split[wanted[here]]
        if states is None:
            raise ValueError("there are no rows")
        return states

    def _of_split(self, model: Model, task: int, adapter: int, rows: Tensor) -> Tensor:
        """(N, d) of the split, NaN where not asked for yet; `rows` are there."""
        encoding, kept = self.data.encoding(task, self.split), self._states.get((task, adapter))
        missing = rows if kept is None else rows[kept[rows, 0].isnan()]
        if len(missing):
            samples = EncodedSamples(model.passes, encoding.subset(missing.tolist()))
            states = samples.alone(model.bank, adapter)
            if kept is None:
                kept = states.new_full((len(encoding), states.shape[1]), torch.nan)
                self._states[task, adapter] = kept
            kept[missing] = states
        return self._states[task, adapter]


def _explain_cell(
    model: Model, alone: SingleAdapterStates, stage: int, task: int, records: pa.Table
) -> pa.Table:
    """Rows of LOST_SCHEMA of one task's samples after one stage."""
    data, ids = alone.data, records["sample_id"].to_pylist()
    rows = alone.rows(task, ids)
    top_adapter = torch.tensor(records["weights"].to_pylist()).argmax(dim=1)
    true_task = torch.full_like(top_adapter, task)
    labels = data.global_labels(task, alone.split)[rows]
    votes = data.global_votes(task, alone.split)
    votes = None if votes is None else votes.subset(rows)

    def credit(adapters: Tensor) -> Tensor:
        weights = torch.nn.functional.one_hot(adapters, len(model.bank)).float()
        states = alone.states(model, task, rows, adapters)
        return answer_credit(model.logits(states, weights, task).argmax(dim=1), labels, votes)

    answered = torch.tensor(records["prediction"].to_pylist())
    columns = {
        "stage": [stage] * len(ids),
        "sample_id": ids,
        "true_task": [task] * len(ids),
        "own": credit(true_task).numpy(),
        "first": credit(top_adapter).numpy(),
        "run": answer_credit(answered, labels, votes).numpy(),
    }
    return pa.table(columns, schema=LOST_SCHEMA)
