"""What a run's router reads of its samples: frozen features, found in the store, without torch.

Features are named by no run: they belong to the data and the backbone. They are found through the run's states, which
say on which rows they are, those of training samples through what was trained on them; so a run that routes without
features (L2R, the baselines) has a map as soon as another run of its workspace has made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cl_core.errors import UserError
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Embeddings:
    """Router embeddings of the rows that a run is scored on.

    Attributes:
        tasks: places of the tasks that have any, in order; held-out tasks come behind the others.
        keys: of each task's features in the store.
        rows: how many each task has.
        split: "test" or "validation".
        layer: of the backbone that they are read from, as the run's settings say it.
        pooling: over the tokens.
        router: key of the router whose centroids stand for the tasks; None where it keeps none.
    """

    tasks: tuple[int, ...]
    keys: tuple[str, ...]
    rows: tuple[int, ...]
    split: str
    layer: int
    pooling: str
    router: str | None

    def features(self, workspace: Workspace) -> list[Array]:
        """(N, d) for each task.

        Raises:
            UserError: an artifact was removed or is damaged.
        """
        return [stored_array(workspace, "features", key, "features") for key in self.keys]

    def centroids(self, workspace: Workspace, features: Sequence[Array]) -> Array:
        """(K, d) of the tasks: the router's own, of training samples; else the means of the rows given.

        Args:
            workspace: where the router is.
            features: (N, d) for each task.
        """
        if self.router is not None:
            return stored_array(workspace, "router", self.router, "centroids")
        return np.stack([task_features.mean(axis=0) for task_features in features])


def find_embeddings(workspace: Workspace, run: RunFolder) -> Embeddings | None:
    """The embeddings of a run's scored rows; None where none were made yet.

    Args:
        workspace: whose store is looked through.
        run: one of its runs.
    """
    config, names = run.config, run.artifacts()
    scored = _scored_rows(workspace, run)
    keys_by_task = _features_by_rows(workspace, config.settings.router.model_dump(), scored)
    places = [index for index, task in enumerate(config.all_tasks) if task.name in keys_by_task]
    if not places:
        return None
    keys = tuple(keys_by_task[config.all_tasks[index].name] for index in places)
    router = names.get(f"router/{len(config.tasks)}")
    holds = router is not None and config.recipe.router.traits.keeps_centroids
    split = config.settings.evaluate.split
    return Embeddings(
        tasks=tuple(places),
        keys=keys,
        rows=tuple(config.all_tasks[index].rows[split] for index in places),
        split=split,
        layer=config.settings.router.layer,
        pooling=config.settings.router.pooling,
        router=router if holds else None,
    )


def find_training(workspace: Workspace, run: RunFolder) -> dict[int, str]:
    """Keys of the features of training samples, by the place of their task; tasks of which none were made are left out.

    Args:
        workspace: whose store is looked through.
        run: one of its runs.
    """
    config = run.config
    keys_by_task = _features_by_rows(
        workspace, config.settings.router.model_dump(), _training_rows(workspace, run)
    )
    return {
        index: keys_by_task[task.name]
        for index, task in enumerate(config.tasks)
        if task.name in keys_by_task
    }


def _training_rows(workspace: Workspace, run: RunFolder) -> dict[str, tuple[str, str]]:
    """Task name -> fingerprints of its training samples and of the backbone, as what was trained on them has them."""
    tasks = [task.name for task in run.config.tasks]
    rows_by_task: dict[str, tuple[str, str]] = {}
    for name, key in run.artifacts().items():
        kind, _, of = name.partition("/")
        inputs: Mapping[str, Any] | None = None
        if kind in ("adapter", "shared"):
            inputs = workspace.store.inputs(kind, key)
        if inputs is None:
            continue
        backbone = str(inputs["backbone"])
        if kind == "adapter":
            rows_by_task[of] = str(inputs["train"]), backbone
            continue
        # What is learnt at a stage: its own task, or all tasks up to it at once.
        learnt = [str(fingerprint) for fingerprint in inputs["train"]]
        for task, rows in zip(tasks[int(of) - len(learnt) : int(of)], learnt, strict=True):
            rows_by_task[task] = rows, backbone
    return rows_by_task


def _scored_rows(workspace: Workspace, run: RunFolder) -> dict[str, tuple[str, str]]:
    """Task name -> fingerprints of its scored rows and of the backbone, as the run's states have them."""
    rows_by_task: dict[str, tuple[str, str]] = {}
    for name, key in run.artifacts().items():
        kind, _, rest = name.partition("/")
        if kind != "states":
            continue
        task = rest.partition("/")[2].partition("/")[0]
        inputs: Mapping[str, Any] | None = workspace.store.inputs("states", key)
        if task not in rows_by_task and inputs is not None:
            rows_by_task[task] = str(inputs["data"]), str(inputs["backbone"])
    return rows_by_task


def _features_by_rows(
    workspace: Workspace, router: Mapping[str, Any], scored: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Task name -> key of the features of its scored rows, read as the router's settings say."""
    by_rows: dict[tuple[str, str], str] = {}
    for key in workspace.store.keys("features"):
        inputs: Mapping[str, Any] = workspace.store.inputs("features", key) or {}
        alike = (
            inputs.get("layer") == router["layer"]
            and inputs.get("pooling") == router["pooling"]
            and inputs.get("parts", router["parts"]) == router["parts"]
        )
        if alike:
            by_rows[str(inputs["data"]), str(inputs["backbone"])] = key
    return {task: by_rows[rows] for task, rows in scored.items() if rows in by_rows}


def stored_array(workspace: Workspace, kind: str, key: str, name: str) -> Array:
    """A tensor of an artifact, float32.

    Raises:
        UserError: the artifact was removed or is damaged.
    """
    artifact = workspace.store.read(kind, key)
    if artifact is None:
        raise UserError(f"{kind}/{key[:12]} is no longer in the store; resume the run to make it")
    return np.asarray(artifact.arrays[name], dtype=np.float32)
