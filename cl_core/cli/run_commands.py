"""Commands that carry runs out: run, resume, stop, demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import (
    PRECISIONS,
    PROTOCOLS,
    DeviceOption,
    JsonOption,
    NameArgument,
    SetOption,
    SlotOption,
    WorkspaceOption,
    one_of,
)
from cl_core.errors import UserError
from cl_core.system_faults import check_memory

if TYPE_CHECKING:
    from cl_core.runs.run_folder import RunFolder
    from cl_core.tasks.stream import Stream


@app.command()
def run(
    stream: Annotated[
        str,
        typer.Option(help="Name of a stream ('adapter-lab streams'), or the path of a YAML file."),
    ],
    recipe: Annotated[
        str,
        typer.Option(help="Name of a recipe ('adapter-lab recipes'), or the path of a YAML file."),
    ] = "dam",
    name: Annotated[
        str | None, typer.Option(help="Name of the run [default: stream-recipe-seed].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of initialisation, order and dropout.")] = 0,
    assignments: SetOption = None,
    preset: Annotated[
        str,
        typer.Option(help="Named settings: default, dam-published, l2r-published, i2i-published."),
    ] = "default",
    backbone: Annotated[
        str | None, typer.Option(help="Name, path or hub:owner/name of the backbone.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="til, cil or dil, over the stream's own.")
    ] = None,
    initialise: SlotOption = None,
    train: SlotOption = None,
    route_slot: Annotated[
        str | None, typer.Option("--route", help="Exchange this slot of the recipe.")
    ] = None,
    compose: SlotOption = None,
    device: DeviceOption = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16; auto is bfloat16 on a GPU.")
    ] = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry a recipe out on a stream: train one adapter per task, route, merge, and evaluate at each stage.

    Ctrl-C stops at the next step and keeps everything; the same command, or 'adapter-lab resume
    NAME', goes on. What has been computed before, by any run of the workspace, is not computed again.

    Example: adapter-lab run --stream domains --recipe dam --seed 0 --name first --set epochs=2
    """
    from cl_core.cli.follow_run import follow, show_report
    from cl_core.cli.output import TerminalWatcher
    from cl_core.engine.launch import prepare
    from cl_core.recipes.named import load_recipe
    from cl_core.recipes.settings import parse_assignments
    from cl_core.runs.workspace import Workspace

    watcher = TerminalWatcher(quiet=as_json)
    chosen = load_recipe(
        recipe, initialise=initialise, train=train, route=route_slot, compose=compose
    )
    settings = parse_assignments(assignments or [])
    if backbone is not None:
        settings["backbone"] = backbone
    opened = Workspace(workspace)

    def open_run() -> tuple[RunFolder, Stream]:
        check_memory()
        return prepare(
            opened,
            stream,
            chosen,
            name=name,
            seed=seed,
            preset=preset,
            settings=settings,
            protocol=one_of("--protocol", protocol, PROTOCOLS),
            device=device,
            precision=one_of("--precision", precision, PRECISIONS) or "auto",
        )

    show_report(follow(opened, open_run, watcher), as_json)


@app.command()
def resume(
    name: NameArgument,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was stopped or killed; a finished one is evaluated again from its artifacts."""
    from cl_core.cli.follow_run import follow, show_report
    from cl_core.cli.output import TerminalWatcher
    from cl_core.engine.launch import reopen
    from cl_core.runs.workspace import Workspace

    watcher = TerminalWatcher(quiet=as_json)
    opened = Workspace(workspace)
    folder = opened.find(name)

    def open_run() -> tuple[RunFolder, Stream]:
        check_memory()
        return folder, reopen(folder)

    show_report(follow(opened, open_run, watcher, again=True), as_json)


@app.command()
def stop(
    name: NameArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Ask a running run to stop at its next step. It keeps a checkpoint; 'adapter-lab resume NAME' goes on."""
    from cl_core.cli.output import say, say_json
    from cl_core.runs.workspace import Workspace

    folder = Workspace(workspace).find(name)
    if folder.status != "running":
        raise UserError(f"run '{name}' is not running: it is {folder.status}")
    folder.request_stop()
    if as_json:
        say_json({"run": name, "stop": "requested"})
    else:
        say(f"asked '{name}' to stop; resume it with: adapter-lab resume {name}")


@app.command()
def demo(
    workspace: WorkspaceOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Carry out the built-in demonstration: DAM on the stream 'domains', its report, and three routed sentences.

    It takes at most three minutes on two CPU cores, and no time the second time.
    """
    from cl_core.cli.demonstration import demonstrate
    from cl_core.runs.workspace import Workspace

    demonstrate(Workspace(workspace), device, as_json)
