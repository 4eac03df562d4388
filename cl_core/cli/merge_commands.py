"""Commands that take adapters out of a run: merge, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import (
    DeviceOption,
    JsonOption,
    NameArgument,
    SetOption,
    WorkspaceOption,
)


@app.command()
def merge(
    name: NameArgument,
    how: Annotated[
        str, typer.Option(help="mean, task-arithmetic, ties, dare, fisher, slerp or product.")
    ] = "mean",
    weights: Annotated[
        str | None, typer.Option(help="One number per task, such as 0.5,0.3,0.2 [default: equal].")
    ] = None,
    assignments: SetOption = None,
    output: Annotated[
        Path | None, typer.Option(help="Write adapter.safetensors and adapter.json here.")
    ] = None,
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge a finished run's adapters into one ordinary adapter, score it beside the run, and save it.

    Example: adapter-lab merge first --how ties --set ties_keep=0.3 --output merged
    """
    from cl_core.analysis.static_merge import merge_run
    from cl_core.cli.output import TerminalWatcher, say, say_json, table
    from cl_core.errors import UserError
    from cl_core.recipes.settings import parse_assignments
    from cl_core.runs.cautions import cautions
    from cl_core.runs.workspace import Workspace
    from cl_core.system_faults import check_memory

    opened, watcher = Workspace(workspace), TerminalWatcher(quiet=as_json)
    try:
        shares = None if weights is None else [float(part) for part in weights.split(",")]
    except ValueError:
        raise UserError(f"--weights is '{weights}'; give numbers, such as 0.5,0.3,0.2") from None
    check_memory()
    merged = merge_run(
        opened,
        opened.find(name),
        how,
        shares,
        parse_assignments(assignments or []),
        device,
        watcher,
    )
    watcher.finish()
    if output is not None:
        merged.save(output)
    if as_json:
        say_json(
            {
                **merged.description,
                "scores": merged.scores,
                "run_scores": merged.run_scores,
                "average": merged.average,
            }
        )
        return
    rows = [
        [task, f"{100 * score:.1f}", f"{100 * merged.run_scores[task]:.1f}"]
        for task, score in merged.scores.items()
    ]
    mean = sum(merged.run_scores.values()) / len(rows)
    rows.append(["mean", f"{100 * merged.average:.1f}", f"{100 * mean:.1f}"])
    say(table(["task", f"merged ({how}), %", f"run '{name}', %"], rows))
    for caution in cautions(opened.find(name).config):
        say(f"run '{name}': {caution}")
    if output is not None:
        say(f"written to {output}")


@app.command()
def export(
    name: NameArgument,
    task: Annotated[str, typer.Argument(help="The task whose adapter is written.")],
    output: Annotated[Path, typer.Option(help="Folder to write to; it is made.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a task's adapter as AdapterHub keeps one: adapter_config.json and adapter.safetensors.

    Of a run that keeps one adapter for all tasks it is that one, as it was once the task had been learnt.

    Example: adapter-lab export first restaurants --output restaurants-adapter
    """
    from cl_core.analysis.export import export_adapter
    from cl_core.cli.output import say, say_json
    from cl_core.runs.workspace import Workspace

    opened = Workspace(workspace)
    run = opened.find(name)
    adapter = export_adapter(opened, run, task, output)
    shared = run.config.recipe.shares_adapter
    if as_json:
        written = {"folder": str(output), "parameters": adapter.parameter_count}
        say_json(written | {"adapters": run.config.recipe.trainer.traits.adapters})
        return
    if shared:
        say(f"run '{name}' keeps one adapter for all tasks; this is how it was after '{task}'")
    say(f"{adapter.parameter_count:,} numbers written to {output}")
