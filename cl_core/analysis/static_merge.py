"""A run's adapters merged once into one ordinary adapter, scored beside the run and saved.

What is merged never changes with the sample: it answers the question what a fixed model loses against routing (DAM,
arXiv 2403.08755, third check).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cl_core.adapters.adapter import Adapter, select_sites
from cl_core.adapters.bank import Bank
from cl_core.adapters.heads import Head
from cl_core.adapters.merging import MERGES, merge_adapters
from cl_core.adapters.merging.merged_heads import merge_heads
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.bounded_files import read_json
from cl_core.device import choose_device
from cl_core.engine.artifact_cache import Reporter
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.execution import SilentWatcher, Watcher
from cl_core.engine.launch import reopen
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.engine.visual_tokens import stored_tokens
from cl_core.errors import UserError, counted
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.forward_passes import ForwardPasses
from cl_core.model.model import Model
from cl_core.model.model_composition import SingleAdapter
from cl_core.model.model_router import NoRouter
from cl_core.model.stage_labels import label_space_after
from cl_core.output_files import write_output
from cl_core.recipes.settings import make_settings
from cl_core.reports.report import Report
from cl_core.runs.published_text import published
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store.atomic_writes import json_bytes
from cl_core.store.contents import tensor_bytes
from cl_core.train.data import answer_credit
from cl_core.train.shared_objective import SharedWeights

TENSORS, DESCRIPTION = "adapter.safetensors", "adapter.json"


@dataclass(frozen=True)
class StaticMerge:
    """One adapter made of a run's, and how it does.

    Attributes:
        adapter: the merged one.
        heads: one in DIL, merged with the same weights; else each task's own.
        description: run, method, weights, settings, sites: what `adapter.json` says.
        scores: accuracy of each task on the run's scored rows, the task unknown in CIL and DIL.
        run_scores: the run's own, after its last stage.
    """

    adapter: Adapter
    heads: tuple[Head, ...]
    description: dict[str, Any]
    scores: dict[str, float]
    run_scores: dict[str, float]

    @property
    def average(self) -> float:
        """Mean accuracy over tasks."""
        return sum(self.scores.values()) / len(self.scores)

    def save(self, folder: Path) -> None:
        """Writes `adapter.safetensors` (adapter and heads) and `adapter.json` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_output(
            folder / TENSORS, tensor_bytes(SharedWeights(self.adapter, self.heads).tensors())
        )
        scores = {"scores": self.scores, "run_scores": self.run_scores}
        write_output(folder / DESCRIPTION, json_bytes({**self.description, **scores}))


def load_merged(folder: Path) -> tuple[Adapter, tuple[Head, ...]]:
    """Reads what `StaticMerge.save` wrote.

    Raises:
        UserError: there is no such thing in the folder.
    """
    try:
        description = read_json(folder / DESCRIPTION)
        tensors = load_file(folder / TENSORS)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"there is no merged adapter in {folder}: {error}") from error
    merged = SharedWeights.from_tensors(tensors, description["sites"], description["activation"])
    return merged.adapter, merged.heads


def merge_run(
    workspace: Workspace,
    run: RunFolder,
    how: str = "mean",
    weights: Sequence[float] | None = None,
    settings: dict[str, Any] | None = None,
    device: str = "auto",
    watcher: Watcher | None = None,
) -> StaticMerge:
    """Merges all adapters of a finished run, and scores the result on the rows that the run scored.

    Args:
        workspace: where the run and its artifacts are.
        run: a finished one, with an adapter per task.
        how: a name in `MERGES`.
        weights: one per task, in the stream's order; None: equal weights. Divided by their sum.
        settings: of the merge, by their flat names (`ties_keep`, `merge_scale`, ...), over the run's own.
        device: "auto", "cpu", "cuda" or "cuda:n".
        watcher: is told of notices and progress.

    Raises:
        UserError: the run is not finished or keeps one adapter, the weights do not fit, or there is no such merge.
    """
    config, listener = run.config, watcher or SilentWatcher()
    if run.status != "finished" or config.recipe.shares_adapter:
        why = f"is {run.status}" if run.status != "finished" else "keeps one adapter already"
        raise UserError(
            f"run '{run.name}' {why}; a static merge takes a finished run with an adapter per task"
        )
    run.check_parts()
    shares = task_shares(weights, [task.name for task in config.tasks])
    needs_fishers = "fishers" in MERGES[how].needs
    merging = make_settings(config.settings.merging.model_dump(), settings or {}).merging
    stream = reopen(run)
    where = choose_device(device, config.precision)
    backbone = load_backbone(config.settings.backbone, where.torch_device)
    reporter = Reporter(lambda event: None, listener.progress, lambda: False)
    artifacts = RunArtifacts(
        workspace.store,
        stream,
        backbone,
        config.settings,
        where,
        config.seed,
        reporter,
        stored_tokens,
    )
    task_trainer, names = TaskAdapterTrainer(artifacts), run.artifacts()
    keys = [names[f"adapter/{task.name}"] for task in config.tasks]
    fishers = None
    if needs_fishers:
        fishers = Bank.stack([task_trainer.fisher(task, key) for task, key in enumerate(keys)])
    adapter = merge_adapters(how, task_trainer.bank(keys), shares, merging, fishers)
    heads = [task_trainer.weights(key).head for key in keys]
    if config.protocol == "dil":
        heads = [merge_heads(heads, shares.to(where.torch_device))]
    merged = _model(config, artifacts.passes, adapter, heads)
    scores = {}
    for task, summary in enumerate(config.tasks):
        samples = EncodedSamples(
            artifacts.passes, artifacts.data.encoding(task, config.settings.evaluate.split)
        )
        logits = merged.answer(samples, task).logits
        truth = artifacts.data.global_labels(task, config.settings.evaluate.split)
        votes = artifacts.data.global_votes(task, config.settings.evaluate.split)
        right = answer_credit(logits.argmax(dim=1), truth, votes)
        scores[summary.name] = float(right.double().mean())
    final = Report(run).matrix[-1].tolist()
    sites = [site.name for site in select_sites(backbone.sites, config.settings.adapter)]
    description = {
        "run": run.name,
        "stream": config.stream_name,
        "protocol": config.protocol,
        "merge": how,
        "weights": shares.tolist(),
        "settings": merging.model_dump(),
        "backbone": published(config.settings.backbone).model_dump(),
        "sites": sites,
        "activation": config.settings.adapter.activation,
        "labels": list(config.label_space),
    }
    own_scores = dict(zip(scores, final, strict=True))
    return StaticMerge(adapter, tuple(heads), description, scores, own_scores)


def task_shares(weights: Sequence[float] | None, tasks: Sequence[str]) -> Tensor:
    """Each task's share (T,) of the sum of the weights; equal ones where none are given.

    Raises:
        UserError: not one number of 0 or more for each task, or a sum that is 0 or not finite.
    """
    given = [1.0] * len(tasks) if weights is None else list(weights)
    if (
        len(given) != len(tasks)
        or not all(share >= 0 for share in given)
        or not 0 < sum(given) < inf
    ):
        raise UserError(
            f"the weights are {given}; give one number of 0 or more for each of {', '.join(tasks)}, not all 0 and "
            "no larger than a sum of them can be"
        )
    return torch.tensor(given, dtype=torch.float64).div(sum(given)).float()


def _model(
    config: RunConfig, passes: ForwardPasses, adapter: Adapter, heads: Sequence[Head]
) -> Model:
    """One adapter for all tasks: nothing is routed, and no weights tell the heads apart."""
    tasks = len(config.tasks)
    return Model(
        passes=passes,
        bank=Bank.stack([adapter]),
        heads=tuple(heads),
        router=NoRouter(),
        composition=SingleAdapter(),
        label_space=replace(label_space_after(config, tasks), rule="direct"),
        tasks=(f"{counted(tasks, 'task')}, merged",),
    )
