"""Answers a run's test samples as it would with another k or temperature, and stores how accurate that is.

A row's answer depends on its weights alone, so rows whose weights are those of the run, or of a setting tried before,
are not answered anew; where every adapter answers by itself (`ensemble`) no setting costs a forward pass of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.analysis.embeddings import find_embeddings
from cl_core.analysis.oracle_answers import SingleAdapterStates
from cl_core.analysis.setting_accuracy import (
    KIND,
    MOST,
    RoutingSetting,
    SettingAccuracy,
    accuracy_of,
    inputs_of,
    read,
    setting_of,
    shares,
)
from cl_core.engine.artifact_cache import Reporter
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.launch import reopen
from cl_core.engine.stage_scores import check_answers
from cl_core.engine.visual_tokens import stored_tokens
from cl_core.evaluate.records import weights_of
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.loaded_model import LoadedModel, load_model
from cl_core.model.model import Model
from cl_core.model.what_if import WhatIf
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import key
from cl_core.system_faults import unless_refused
from cl_core.train.data import answer_credit

SEED = 0
"""Of the draw, where there are more samples than are answered."""


def measure_settings(
    source: Workspace,
    target: Workspace,
    run: RunFolder,
    stage: int,
    settings: Sequence[RoutingSetting],
    most: int = MOST,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
    unkept: Callable[[str], None] | None = None,
) -> list[SettingAccuracy]:
    """How accurate a run is under each of some settings; what is not stored yet is computed and stored.

    Args:
        source: has the run.
        target: gets what is computed; may be the same.
        run: a run whose router ranks.
        stage: from 1.
        settings: each a k and a temperature.
        most: samples that are answered, of all tasks together; the same number from every task.
        device: where to compute.
        progress: told of settings done and in all.
        unkept: is told why something could not be stored, where that is no reason to fail.

    Raises:
        UserError: the router does not rank, the run has not come to the stage, or its data changed.
    """
    setting_of(run, stage)  # says where there is nothing to vary
    accuracies: list[SettingAccuracy] = []
    rows: list[TaskRows] = []
    loaded: LoadedModel | None = None
    for done, setting in enumerate(settings):
        accuracy = read((target, source), run, stage, setting, most)
        if accuracy is None:
            target.check_writable()
            if loaded is None:
                loaded = load_model(source, run, stage, device)
                rows = task_rows(source, target, run, loaded, most)
            credits = [task_samples.credit(setting) for task_samples in rows]
            inputs = inputs_of(run, stage, setting, most)
            data: dict[str, Any] = {
                "accuracy": [float(credit.double().mean()) for credit in credits],
                "samples": [len(credit) for credit in credits],
                "of": [task_samples.of for task_samples in rows],
            }
            with unless_refused(unkept):
                target.store.write(KIND, key(KIND, inputs), inputs, data=data)
            accuracy = accuracy_of(setting, data)
        accuracies.append(accuracy)
        progress(done + 1, len(settings))
    return accuracies


def task_rows(
    source: Workspace, target: Workspace, run: RunFolder, loaded: LoadedModel, most: int
) -> list[TaskRows]:
    """The rows that are answered, of each task learnt by the stage that is loaded; see `measure_settings`."""
    config, split = run.config, run.config.settings.evaluate.split
    records = run.table("routing")
    records = records.filter(pc.equal(records["stage"], loaded.stage))
    silent = Reporter(lambda event: None, lambda step, steps: None, lambda: False)
    artifacts = RunArtifacts(
        target.store,
        reopen(run),
        loaded.model.passes.backbone,
        config.settings,
        loaded.model.passes.device,
        config.seed,
        silent,
        stored_tokens,
    )
    alone = SingleAdapterStates(artifacts.data, split)
    embeddings = find_embeddings(source, run)
    keys_by_task = (
        {} if embeddings is None else dict(zip(embeddings.tasks, embeddings.keys, strict=True))
    )
    by_task = []
    counts = [len(artifacts.data.encoding(task, split)) for task in range(loaded.stage)]
    for task, (count, taken) in enumerate(zip(counts, shares(counts, most), strict=True)):
        drawn = np.random.default_rng([SEED, task]).choice(count, taken, replace=False)
        stored = source.store.read("features", keys_by_task[task]) if task in keys_by_task else None
        features = stored.tensors["features"] if stored else artifacts.features(task, split)
        task_records = records.filter(pc.equal(records["true_task"], task))
        rows = torch.from_numpy(np.sort(drawn))
        by_task.append(TaskRows(loaded.model, alone, task, rows, features[rows], task_records))
    return by_task


class TaskRows:
    """Rows of one task, and how right each is under the weights that it has had so far.

    Args:
        model: answers.
        alone: has the split, and states under single adapters.
        task: 0-based.
        rows: (n,) places in the split.
        features: (n, d) of these rows, for the router.
        records: the run's own, of this task and stage.

    Attributes:
        of: rows of the split, of which n are answered.
        computed: answers so far that were not those of weights seen before.
    """

    def __init__(
        self,
        model: Model,
        alone: SingleAdapterStates,
        task: int,
        rows: Tensor,
        features: Tensor,
        records: pa.Table,
    ) -> None:
        self.model, self.alone, self.task, self.rows = model, alone, task, rows
        self.samples = SplitRows(model, alone, task, rows, features)
        self.labels = alone.data.global_labels(task, alone.split)
        self.votes = alone.data.global_votes(task, alone.split)
        self.of = len(self.labels)
        self.computed = 0
        places = alone.rows(task, records["sample_id"].to_pylist())
        weights = torch.full((self.of, len(model.bank)), torch.nan)  # equal to nothing
        answered = torch.full((self.of,), -1)
        weights[places] = torch.from_numpy(weights_of(records)).reshape(-1, len(model.bank))
        answered[places] = torch.tensor(records["prediction"].to_pylist(), dtype=torch.int64)
        self._known = [(weights[rows], self._credit(answered[rows], rows))]

    def credit(self, setting: RoutingSetting) -> Tensor:
        """(n,) how right each row is under the weights that a setting gives it, 0 to 1."""
        what_if = WhatIf(k=setting.k, temperature=setting.temperature)
        model = self.model.changed(what_if)
        weights = model.route(self.samples, self.task).weights.cpu()
        credits = torch.full((len(self.rows),), torch.nan)
        for before, credit in self._known:
            same = credits.isnan() & (before == weights).all(dim=1)
            credits[same] = credit[same]
        fresh = credits.isnan()
        if fresh.any():
            samples, fresh_weights = self.samples.subset(fresh), weights[fresh]
            logits = model.logits(
                model.states(samples, fresh_weights, self.task), fresh_weights, self.task
            )
            check_answers(logits, self.alone.data.name(self.task))
            credits[fresh] = self._credit(logits.argmax(dim=1), self.rows[fresh])
            self.computed += int(fresh.sum())
        self._known.append((weights, credits))
        return credits

    def _credit(self, predictions: Tensor, rows: Tensor) -> Tensor:
        places = rows.tolist()
        votes = None if self.votes is None else self.votes.subset(places)
        return answer_credit(predictions, self.labels[rows], votes)


class SplitRows(EncodedSamples):
    """Rows of a split, with features that are there; states under single adapters are kept between settings.

    Args:
        model: whose adapters these are.
        alone: has the split, and states under single adapters.
        task: 0-based.
        rows: (n,) places in the split.
        features: (n, d) of these rows.
    """

    def __init__(
        self, model: Model, alone: SingleAdapterStates, task: int, rows: Tensor, features: Tensor
    ) -> None:
        encoding = alone.data.encoding(task, alone.split).subset(rows.tolist())
        super().__init__(model.passes, encoding)
        self.model, self.task, self.rows, self.single = model, task, rows, alone
        self.features = features

    def subset(self, chosen: Tensor) -> SplitRows:
        """Some of them, by a (n,) mask."""
        rows, features = self.rows[chosen], self.features[chosen]
        return SplitRows(self.model, self.single, self.task, rows, features)

    def alone(self, bank: Bank, adapter: int) -> Tensor:
        """(n, d) states under one adapter by itself."""
        places = torch.full((len(self.rows),), adapter)
        return self.single.states(self.model, self.task, self.rows.tolist(), places)
