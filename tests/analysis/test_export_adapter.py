"""An adapter leaves a run as it is, that of one task or the one that all tasks share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cl_core.adapters.adapterhub import read_adapterhub
from cl_core.analysis.export import export_adapter
from cl_core.errors import UserError
from tests.conftest import Carry


@pytest.mark.parametrize(("recipe", "kind"), [("dam", "adapter"), ("replay", "shared")])
def test_the_adapter_after_each_task_is_written_as_the_run_keeps_it(
    carry: Carry, tmp_path: Path, recipe: str, kind: str
) -> None:
    run = carry("domains-dil", recipe, epochs=1)
    workspace, keys = run.workspace, run.folder.artifacts()
    for number, task in enumerate(run.folder.config.tasks, 1):
        export_adapter(workspace, run.folder, task.name, tmp_path / task.name)
        kept = workspace.store.read(
            kind, keys[f"{kind}/{task.name if kind == 'adapter' else number}"]
        )
        for name, tensor in read_adapterhub(tmp_path / task.name).tensors().items():
            torch.testing.assert_close(tensor, kept.tensors[name], rtol=0, atol=0)
    names = ", ".join(task.name for task in run.folder.config.tasks)
    with pytest.raises(UserError, match=f"no adapter of task 'x'; it has those of {names}"):
        export_adapter(workspace, run.folder, "x", tmp_path / "x")
