"""The command that varies k and temperature: vary."""

from __future__ import annotations

from typing import Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import DeviceOption, JsonOption, NameArgument, WorkspaceOption
from cl_core.errors import counted


@app.command()
def vary(
    name: NameArgument,
    k: Annotated[
        list[int] | None,
        typer.Option(
            "-k",
            help="How many adapters a sample gets, at the run's temperature; may be given several times "
            "[default: 1 to all].",
            min=1,
        ),
    ] = None,
    temperature: Annotated[
        list[float] | None,
        typer.Option(
            help="Of the router's softmax, at the run's k; may be given several times [default: 0.001 to 1]."
        ),
    ] = None,
    stage: Annotated[
        int | None,
        typer.Option(help="The stage: after learning this many tasks [default: all].", min=1),
    ] = None,
    rows: Annotated[
        int,
        typer.Option(
            help="Test samples that are predicted under each setting, as many of every task.", min=1
        ),
    ] = 1000,
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how accurate a run is with another k or temperature: its test samples are routed and answered again.

    Nothing is trained. What is computed is kept in the workspace, where the lab in the browser finds it. Where -k or
    --temperature is given, those values alone are tried, beside the run's own.

    Example: adapter-lab vary first -k 1 -k 3
    """
    from cl_core.analysis.setting_accuracy import RoutingSetting, grid, setting_of
    from cl_core.analysis.setting_measurement import measure_settings
    from cl_core.cli.output import TerminalWatcher, say, say_json, table, warn
    from cl_core.errors import UserError
    from cl_core.evaluate.statistics import decimal
    from cl_core.runs.workspace import Workspace
    from cl_core.system_faults import check_memory

    for tau in temperature or ():
        if not 0 < tau < float("inf"):
            raise UserError(f"--temperature is {tau:g}; it must be a number above 0")
    opened, watcher = Workspace(workspace), TerminalWatcher(quiet=as_json)
    run = opened.find(name)
    names = [task.name for task in run.config.tasks]
    stage = stage or len(names)
    of_run = setting_of(run, stage)
    by_k, by_temperature = grid(run, stage)
    if k or temperature:
        by_k = [RoutingSetting(min(count, stage), of_run.temperature) for count in k or ()]
        by_temperature = [RoutingSetting(of_run.k, degrees) for degrees in temperature or ()]
    asked = sorted(
        {of_run, *by_k, *by_temperature}, key=lambda setting: (setting.k, setting.temperature)
    )
    check_memory()
    unkept: list[str] = []
    accuracies = measure_settings(
        opened, opened, run, stage, asked, rows, device, watcher.progress, unkept.append
    )
    watcher.finish()
    for said in unkept[:1]:
        warn(said)
    if as_json:
        say_json(
            [
                {
                    "k": accuracy.setting.k,
                    "temperature": accuracy.setting.temperature,
                    "own": accuracy.setting == of_run,
                    "stage": stage,
                    "accuracy": accuracy.mean,
                    "interval": list(accuracy.interval),
                    "samples": sum(accuracy.samples),
                    "of": sum(accuracy.of),
                    "tasks": dict(zip(names, accuracy.accuracy, strict=False)),
                }
                for accuracy in accuracies
            ]
        )
        return
    answered, there = sum(accuracies[0].samples), sum(accuracies[0].of)
    drawn = "" if answered == there else ", as many of every task, drawn with seed 0"
    say(
        f"Stage '{names[stage - 1]}' ({stage} of {counted(len(names), 'task')}): mean accuracy of the "
        "tasks learnt, "
        f"{answered} of {counted(there, 'test sample')}{drawn}."
    )
    lines = [
        [
            str(accuracy.setting.k),
            f"{accuracy.setting.temperature:g}",
            decimal(100 * accuracy.mean),
            " to ".join(decimal(100 * bound) for bound in accuracy.interval),
            "this run" if accuracy.setting == of_run else "",
        ]
        for accuracy in accuracies
    ]
    say(table(["k", "temperature", "accuracy (%)", "95 % interval (%)", ""], lines))
