"""A run's adapters for others: written as AdapterHub keeps them."""

from __future__ import annotations

from pathlib import Path

import torch

from cl_core.adapters.adapter import Adapter, select_sites
from cl_core.adapters.adapterhub import write_adapterhub
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.text import TextBackbone
from cl_core.errors import UserError, did_you_mean
from cl_core.runs.published_text import backbone_title
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace


def export_adapter(workspace: Workspace, run: RunFolder, task: str, folder: Path) -> Adapter:
    """Writes the adapter of one of a run's tasks in AdapterHub's layout; its head stays here.

    Args:
        workspace: where the run and its artifacts are.
        run: its recipe keeps an adapter per task, or one for all tasks.
        task: whose adapter; of one for all tasks, as it was once this task had been learnt.
        folder: where to.

    Raises:
        UserError: the run has no such adapter, or AdapterHub has no names for the backbone.
    """
    config, kept = run.config, _kept(run)
    if task not in kept:
        raise UserError(
            f"run '{run.name}' has no adapter of task '{task}'; it has those of {', '.join(kept) or 'none'}."
            f"{did_you_mean(task, list(kept))}"
        )
    run.check_parts()
    artifact = workspace.store.read(*kept[task])
    if artifact is None:
        raise UserError(
            f"the adapter of '{task}' is no longer in the store; get it back: adapter-lab resume {run.name}"
        )
    backbone = load_backbone(config.settings.backbone, torch.device("cpu"))
    if not isinstance(backbone, TextBackbone):
        raise UserError(
            f"AdapterHub's layout is for text encoders; run '{run.name}' has backbone '{backbone.name}', which "
            f"reads {' and '.join(backbone.kinds)} tasks"
        )
    sites = [site.name for site in select_sites(backbone.sites, config.settings.adapter)]
    adapter = Adapter.from_tensors(artifact.tensors, sites, config.settings.adapter.activation)
    write_adapterhub(
        adapter,
        folder,
        blocks=backbone.n_blocks,
        name=task.replace(".", "-").replace(" ", "-"),
        model_type=backbone.model_type,
        model_name=backbone_title(config.settings.backbone.name),
    )
    return adapter


def _kept(run: RunFolder) -> dict[str, tuple[str, str]]:
    """Kind and key of the artifact with each task's adapter, or with the one for all after that task."""
    keys, kept = run.artifacts(), {}
    for number, task in enumerate(run.config.tasks, 1):
        for kind, of in (("adapter", task.name), ("shared", number)):
            if key := keys.get(f"{kind}/{of}"):
                kept[task.name] = (kind, key)
    return kept
