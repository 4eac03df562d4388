"""The command that clears the store: clean."""

from __future__ import annotations

from typing import Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import JsonOption, WorkspaceOption


@app.command()
def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Remove it, not only list it.")] = False,
    backbones: Annotated[
        bool,
        typer.Option(
            "--backbones",
            help="Instead of the store: the fetched backbones, which all workspaces share.",
        ),
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what the store holds that no run needs, with sizes; with --yes, remove it.

    Runs, their results and everything that resuming them takes stay. So do fetched backbones, unless --backbones asks.

    Example: adapter-lab clean --yes
    """
    from dataclasses import asdict

    from cl_core.archive.prune import clean as remove
    from cl_core.archive.prune import unused
    from cl_core.cli.output import say, say_json, table
    from cl_core.runs.workspace import Workspace

    if backbones:
        _backbones(yes, as_json)
        return
    opened = Workspace(workspace)
    artifacts = remove(opened) if yes else unused(opened)
    if as_json:
        say_json({"removed": yes, "artifacts": [asdict(artifact) for artifact in artifacts]})
        return
    if not artifacts:
        say(f"every artifact in {opened.root / 'store'} is needed by a run; nothing to clean up")
        return
    kinds = dict.fromkeys(artifact.kind for artifact in artifacts)
    rows = []
    for kind in kinds:
        sizes = [artifact.bytes for artifact in artifacts if artifact.kind == kind]
        rows.append([kind, str(len(sizes)), f"{sum(sizes) / 1e6:.1f}"])
    say(table(["kind", "artifacts", "MB"], rows))
    total = sum(artifact.bytes for artifact in artifacts) / 1e6
    say(
        f"\n{'removed' if yes else 'no run needs these; adapter-lab clean --yes removes'}: {total:.1f} MB"
    )


def _backbones(yes: bool, as_json: bool) -> None:
    """What lies in the cache of fetched backbones; what is removed can be fetched again."""
    from dataclasses import asdict

    from cl_core.backbones.fetch.backbone_cache import cache_folder, clear, listed
    from cl_core.cli.output import say, say_json, table

    entries = clear() if yes else listed()
    if as_json:
        say_json({"removed": yes, "backbones": [asdict(entry) for entry in entries]})
        return
    if not entries:
        say(f"no backbone was fetched into {cache_folder()}; nothing to clean up")
        return
    rows = [
        [
            entry.name,
            f"{entry.bytes / 1e6:.1f}",
            entry.precision or "not whole",
            entry.licence,
            entry.origin,
        ]
        for entry in entries
    ]
    say(table(["backbone", "MB", "kept in", "licence", "out of"], rows))
    total = sum(entry.bytes for entry in entries) / 1e6
    words = "removed" if yes else "adapter-lab clean --backbones --yes removes"
    say(f"\n{words}: {total:.1f} MB, from {cache_folder()}")
