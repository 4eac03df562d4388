"""The commands. Each one reads as what it does; the work is in `cl_core.lab`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cl_core.errors import UserError

app = typer.Typer(
    name="adapter-lab",
    help="Continual learning with adapters: one small adapter per task on a frozen backbone, "
    "routed and merged per sample.",
    epilog="Start with: adapter-lab demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", help="Folder of runs [default: $ADAPTER_LAB_WORKSPACE, else ./workspace]."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")]
NameArgument = Annotated[
    str, typer.Argument(help="Name of the run; 'adapter-lab runs' lists them.")
]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Shows the version; every other thing is a command."""
    if version:
        from cl_core import __version__

        typer.echo(f"adapter-lab {__version__}")
        raise typer.Exit


@app.command()
def streams(as_json: JsonOption = False) -> None:
    """List the streams: what can be learnt, in which order, under which protocol.

    A stream is also any YAML file: adapter-lab run --stream mine.yaml. See docs/streams.md.
    """
    from dataclasses import asdict

    from cl_core.cli.output import say, say_json, table
    from cl_core.tasks.load import list_streams

    found = list_streams()
    if as_json:
        say_json([asdict(info) for info in found])
        return
    rows = [
        [
            info.name,
            info.protocol,
            str(len(info.tasks)),
            "yes" if info.available else "no",
            info.title,
        ]
        for info in found
    ]
    say(table(["stream", "protocol", "tasks", "here", "what it is"], rows))
    missing = [info for info in found if not info.available]
    if missing:
        say("\nnot here:")
        for info in missing:
            say(f"  {info.name}: {info.how}")


@app.command()
def recipes(as_json: JsonOption = False) -> None:
    """List the recipes and the choices for each of their four slots.

    Any mix is a recipe: adapter-lab run --recipe dam --route oracle --compose select.
    """
    from cl_core.cli.output import say, say_json, table
    from cl_core.lab.recipe import RECIPES, SLOTS

    if as_json:
        say_json(
            {
                "recipes": [recipe.model_dump() for recipe in RECIPES.values()],
                "slots": {
                    slot: [
                        {"name": c.name, "summary": c.summary, "source": c.source}
                        for c in choices.values()
                    ]
                    for slot, choices in SLOTS.items()
                },
            }
        )
        return
    rows = [
        [recipe.name, *(getattr(recipe, slot) for slot in SLOTS), recipe.source]
        for recipe in RECIPES.values()
    ]
    say(table(["recipe", *SLOTS, "source"], rows))
    for slot, choices in SLOTS.items():
        say(f"\n{slot}")
        width = max(len(name) for name in choices)
        for choice in choices.values():
            say(f"  {choice.name:<{width}}  {choice.summary} [{choice.source}]")


@app.command()
def backbones(as_json: JsonOption = False) -> None:
    """List the backbones: frozen encoders that adapters are attached to.

    Besides the names listed, --backbone takes the path of a checkpoint, or hub:owner/name with --set revision=COMMIT.
    """
    from cl_core.backbones.catalogue import list_backbones
    from cl_core.cli.output import say, say_json, table

    found = list_backbones()
    if as_json:
        say_json(found)
        return
    say(
        table(
            ["backbone", "here", "what it is"],
            [[b["name"], "yes" if b["available"] else "no", b["summary"]] for b in found],
        )
    )


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
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any setting, such as --set epochs=1 --set limit=60; 'adapter-lab settings' lists them.",
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Named training settings: default, dam-published.")
    ] = "default",
    backbone: Annotated[
        str | None, typer.Option(help="Name, path or hub:owner/name of the backbone.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="til, cil or dil, over the stream's own.")
    ] = None,
    initialise: Annotated[
        str | None, typer.Option(help="Exchange this slot of the recipe.")
    ] = None,
    train: Annotated[str | None, typer.Option(help="Exchange this slot of the recipe.")] = None,
    route_slot: Annotated[
        str | None, typer.Option("--route", help="Exchange this slot of the recipe.")
    ] = None,
    compose: Annotated[str | None, typer.Option(help="Exchange this slot of the recipe.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:0.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16; auto is bfloat16 on a GPU.")
    ] = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry a recipe out on a stream: train one adapter per task, route, merge, and score after each task.

    Ctrl-C stops at the next step and keeps everything; the same command, or 'adapter-lab resume
    NAME', goes on. What has been computed before, by any run of the workspace, is not computed again.

    Example: adapter-lab run --stream domains --recipe dam --seed 0 --name first --set epochs=2
    """
    from cl_core.cli.following import follow
    from cl_core.cli.output import TerminalWatcher
    from cl_core.lab.launch import prepare
    from cl_core.lab.recipe import load_recipe
    from cl_core.lab.run_settings import parse_assignments
    from cl_core.lab.workspace import Workspace

    watcher = TerminalWatcher(quiet=as_json)
    chosen = load_recipe(
        recipe, initialise=initialise, train=train, route=route_slot, compose=compose
    )
    settings = parse_assignments(assignments or [])
    if backbone is not None:
        settings["backbone"] = backbone
    place = Workspace(workspace)
    folder, loaded = prepare(
        place,
        stream,
        chosen,
        name=name,
        seed=seed,
        preset=preset,
        settings=settings,
        protocol=_one_of("--protocol", protocol, ("til", "cil", "dil")),  # type: ignore[arg-type]
        device=device,
        precision=_one_of("--precision", precision, ("auto", "float32", "bfloat16")),  # type: ignore[arg-type]
        watcher=watcher,
    )
    follow(place, folder, loaded, watcher, as_json)


@app.command()
def resume(
    name: NameArgument,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that was stopped or killed; a finished one is evaluated again from its artifacts."""
    from cl_core.cli.following import follow
    from cl_core.cli.output import TerminalWatcher
    from cl_core.lab.launch import reopen
    from cl_core.lab.workspace import Workspace

    watcher = TerminalWatcher(quiet=as_json)
    place = Workspace(workspace)
    folder = place.find(name)
    follow(place, folder, reopen(folder, watcher), watcher, as_json, again=True)


@app.command()
def stop(
    name: NameArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Ask a running run to stop at its next step. It keeps a checkpoint; 'adapter-lab resume NAME' goes on."""
    from cl_core.cli.output import say, say_json
    from cl_core.lab.workspace import Workspace

    folder = Workspace(workspace).find(name)
    if folder.status != "running":
        raise UserError(f"run '{name}' is not running: it is {folder.status}")
    folder.request_stop()
    if as_json:
        say_json({"run": name, "stop": "requested"})
    else:
        say(f"asked '{name}' to stop; resume it with: adapter-lab resume {name}")


@app.command()
def runs(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the runs of the workspace, the newest first."""
    from cl_core.cli.output import say, say_json, table
    from cl_core.lab.workspace import Workspace

    place = Workspace(workspace)
    found = [
        {
            "run": run.name,
            "status": run.status,
            "stream": run.config.stream_name,
            "protocol": run.config.protocol_with_rule,
            "recipe": run.config.recipe.name,
            "seed": run.config.seed,
            "tasks": len(run.config.tasks),
        }
        for run in place.runs()
    ]
    if as_json:
        say_json(found)
    elif not found:
        say(f"there are no runs in {place.root} yet; start one with: adapter-lab demo")
    else:
        say(table(list(found[0]), [[str(value) for value in each.values()] for each in found]))


@app.command()
def report(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", help="text, csv or latex.")] = "text",
    metric: Annotated[str, typer.Option(help="accuracy, macro_f1 or weighted_f1.")] = "accuracy",
    output: Annotated[
        Path | None, typer.Option(help="Write to this file instead of the screen.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what came of a run: the score matrix, the metrics with their formulas, the router, the cost."""
    import json

    from cl_core.cli.output import say
    from cl_core.lab.report import METRIC_NAMES, Report
    from cl_core.lab.report_formats import FORMATS
    from cl_core.lab.workspace import Workspace
    from cl_core.store import write_text

    form = _one_of("--format", form, tuple(FORMATS)) or "text"
    chosen = _one_of("--metric", metric, METRIC_NAMES) or "accuracy"
    made = Report(Workspace(workspace).find(name), chosen)
    text = (
        json.dumps(made.as_dict(), indent=2, ensure_ascii=False) if as_json else FORMATS[form](made)
    )
    if output is None:
        say(text)
    else:
        write_text(output, text + "\n")
        say(f"written to {output}")


@app.command()
def route(
    name: NameArgument,
    text: Annotated[list[str], typer.Option(help="A text to route; may be given several times.")],
    k: Annotated[
        int | None, typer.Option("-k", help="How many adapters a sample gets.", min=1)
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the router's softmax.")] = None,
    task: Annotated[
        str | None,
        typer.Option(help="The true task, where the recipe or the protocol must be told it."),
    ] = None,
    stage: Annotated[
        int | None, typer.Option(help="After learning this many tasks [default: all].", min=1)
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:0.")] = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which adapters a text gets, how they are merged, what the merge answers and what each adapter answers alone.

    Example: adapter-lab route first --text "The soup was cold, but the waiter saved the evening." -k 2
    """
    from cl_core.cli.output import say, say_json
    from cl_core.lab.inference import Model
    from cl_core.lab.workspace import Workspace

    place = Workspace(workspace)
    model = Model(place, place.find(name), stage, device)
    samples = model.route(text, k=k, temperature=temperature, task=task)
    if as_json:
        say_json([sample.as_dict() for sample in samples])
    else:
        say("\n\n".join(str(sample) for sample in samples))


@app.command()
def settings(as_json: JsonOption = False) -> None:
    """List all settings that --set takes, with their defaults."""
    from cl_core.cli.output import say, say_json
    from cl_core.lab.run_settings import GROUPS, flat_name

    if as_json:
        say_json({group: model.model_json_schema() for group, model in GROUPS.items()})
        return
    for group, model in GROUPS.items():
        say(group)
        for name, field in model.model_fields.items():
            say(f"  {flat_name(group, name)}={field.default}")
            say(f"      {' '.join((field.description or '').split())}")


@app.command()
def demo(
    workspace: WorkspaceOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:0.")] = "auto",
) -> None:
    """Carry out the built-in demonstration: DAM on the stream 'domains', its report, and three routed sentences.

    It takes at most three minutes on two CPU cores, and no time the second time.
    """
    from cl_core.cli.demonstration import demonstrate
    from cl_core.lab.workspace import Workspace

    demonstrate(Workspace(workspace), device)


def _one_of(option: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    """The value, if it is allowed."""
    if value is not None and value not in allowed:
        raise UserError(f"{option} is '{value}'; choose one of {', '.join(allowed)}")
    return value
