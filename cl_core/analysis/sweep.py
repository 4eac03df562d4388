"""Several recipes on several streams with several seeds, one run after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cl_core.device import Precision
from cl_core.engine.execution import SilentWatcher, Watcher, carry_out
from cl_core.engine.launch import prepare
from cl_core.errors import MOST_SHOWN, AdapterLabError, RunStopped, UserError
from cl_core.limits import SEEDS
from cl_core.recipes.named import load_recipe
from cl_core.recipes.recipe import Recipe
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

_NUMBER = re.compile("[0-9]{1,15}")


@dataclass(frozen=True)
class SweepResult:
    """What came of a sweep.

    Attributes:
        runs: the finished ones, those that were finished before included.
        failures: name of the run, or of the combination, and what went wrong.
    """

    runs: tuple[RunFolder, ...]
    failures: tuple[tuple[str, str], ...]


def sweep(
    workspace: Workspace,
    streams: Sequence[str],
    recipes: Sequence[str | Recipe],
    seeds: Sequence[int],
    *,
    prefix: str = "",
    preset: str = "default",
    settings: Mapping[str, Any] | None = None,
    protocol: Literal["til", "cil", "dil"] | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    watcher: Watcher | None = None,
) -> SweepResult:
    """Carries out every recipe on every stream with every seed.

    Runs have the names that single runs get, after `prefix`. One that is finished is not carried out again, one that
    was stopped or killed goes on, so the same call resumes a sweep; adapters are shared through the store. What goes
    wrong with one run does not keep the others from being carried out. Seeds are the outer loop: a sweep that is
    stopped early has all recipes on the first seeds.

    Args:
        workspace: where the runs go.
        streams: names or paths; a stream's orders are streams of their own ("mtl5-order2").
        recipes: recipes, or names or paths of them.
        seeds: of initialisation, order and dropout.
        prefix: put before each run's name.
        preset: named training settings.
        settings: single settings by their flat names, for every run.
        protocol: overrides the streams'.
        device: "auto", "cpu", "cuda" or "cuda:n".
        precision: of forward passes.
        watcher: is told what happens.

    Raises:
        RunStopped: somebody asked the sweep to stop.
        UserError: nothing to do, or a recipe does not exist.
    """
    chosen = [load_recipe(name) if isinstance(name, str) else name for name in recipes]
    if not (streams and chosen and seeds):
        raise UserError("a sweep needs at least one stream, one recipe and one seed")
    listener = watcher or SilentWatcher()
    runs: list[RunFolder] = []
    failures: list[tuple[str, str]] = []
    for seed in seeds:
        for stream in streams:
            for recipe in chosen:
                what = f"{recipe.name} on {stream}, seed {seed}"
                try:
                    name = prefix + run_name(stream, recipe, seed, protocol)
                    folder, loaded = prepare(
                        workspace,
                        stream,
                        recipe,
                        name=name,
                        seed=seed,
                        preset=preset,
                        settings=settings,
                        protocol=protocol,
                        device=device,
                        precision=precision,
                    )
                    listener.notice(f"{what}: run '{folder.name}'")
                    if folder.status != "finished":
                        carry_out(workspace, folder, loaded, listener)
                    runs.append(folder)
                except RunStopped:
                    raise
                except AdapterLabError as error:
                    listener.notice(f"{what} failed: {error}")
                    failures.append((what, str(error)))
    return SweepResult(tuple(runs), tuple(failures))


def run_name(stream: str, recipe: Recipe, seed: int, protocol: str | None) -> str:
    """What a run of a sweep is called: as a single run, and with the protocol where it is not the stream's own."""
    from cl_core.engine.launch import default_name

    return default_name(f"{stream}-{protocol}" if protocol else stream, recipe, seed)


def parse_seeds(text: str) -> list[int]:
    """ "0-2,7" is [0, 1, 2, 7].

    Raises:
        UserError: anything else.

    >>> parse_seeds("0-2,7")
    [0, 1, 2, 7]
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not _NUMBER.fullmatch(first) or (dash and not _NUMBER.fullmatch(last)):
            raise UserError(
                f"seeds are '{text[:MOST_SHOWN]}'; give numbers and ranges, such as 0-2 or 0,3,7, "
                "of at most 15 digits"
            )
        among = range(int(first), int(last or first) + 1)
        SEEDS.check("the sweep", len(seeds) + len(among))
        seeds += among
    return list(dict.fromkeys(seeds))
