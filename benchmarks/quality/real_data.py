"""Every recipe on real data, three seeds: the tables and figures of docs/results.md.

    CL_DATA=FOLDER python benchmarks/quality/real_data.py run --workspace DIR [--parts main others ...] [--seeds 0 1 2]
    python benchmarks/quality/real_data.py show --workspace DIR [--parts ...]
    python benchmarks/quality/real_data.py figures --workspace DIR --output docs

`run` carries out what is not yet done and is resumed by the same command; adapters, features and memories are shared
between recipes through the store. `show` reads the finished runs and prints Markdown: mean, standard deviation and the
95 % interval (Student's t) over the seeds, never a bare mean. `figures` draws the curves (needs matplotlib).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from curves import draw_corrupted, draw_memory
from tables import Entry, carry_out, cell, marked, numbers, paired, reports

from cl_core.device import Precision
from cl_core.errors import UserError
from cl_core.recipes.named import RECIPES
from cl_core.recipes.recipe import Recipe
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream import Protocol

# Two cores: at most 500 training, 100 validation and 200 test samples a task. Texts are cut to 64 tokens, passes run in
# bf16; L2R's routers are trained once, after the last task, as published.
SMALL = {
    "limit_train": 500,
    "limit_validation": 100,
    "limit_test": 200,
    "epochs": 4,
    "learning_rate": 1e-3,
    "max_length": 64,
}
FULL = {"epochs": 10, "learning_rate": 1e-3}
AT_THE_END = {"router_stages": "last"}

STREAMS: dict[str, tuple[str, Protocol | None]] = {
    "blitzer": ("blitzer", None),
    "mtl5": ("mtl5", None),
    "wos": ("wos", None),
    "mtl5 TIL": ("mtl5", "til"),
    "wos TIL": ("wos", "til"),
    "afrisenti": ("afrisenti", None),
}
MAIN = ("dam", "l2r-wavg", "l2r-merge", "i2i-ff", "epi", "adapters", "sequential", "joint")
OTHERS = (
    "i2i-fl",
    "i2i-ll",
    "adapter-fusion",
    "closest-task-init",
    "s-prompts",
    "average-merge",
    "input-weighted",
    "replay",
    "ewc",
    "lwf",
)
MERGES = ("select", "merge", "average", "task-arithmetic", "ties", "dare", "slerp", "product")
MEMORY = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
RIGHT = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
COLUMNS: dict[str, tuple[str, float]] = {
    "average_accuracy": ("average accuracy (%)", 100),
    "forgetting": ("forgetting", 100),
    "router_accuracy": ("routing accuracy (%)", 100),
}
COSTS: dict[str, str] = {
    "trainable_parameters": "trainable",
    "stored_parameters": "stored",
    "active_parameters": "active, backbone included",
    "memory_rows": "memory samples",
}


def named(streams: Sequence[str], recipes: Sequence[str]) -> list[Entry]:
    """Recipes by their own names on streams."""
    return [
        Entry(stream, recipe, recipe, AT_THE_END if recipe.startswith("l2r") else {})
        for stream in streams
        for recipe in recipes
    ]


def composed(compose: str, route: str) -> Recipe:
    """DAM's adapters under another composition or router."""
    return RECIPES["dam"].model_copy(
        update={"name": f"dam+{route}+{compose}", "compose": compose, "route": route}
    )


def parts() -> dict[str, list[Entry]]:
    """All that is measured, by the part of the page that shows it."""
    orders = [f"mtl5-order{order}" for order in (2, 3, 4)]
    return {
        "main": named(list(STREAMS), MAIN),
        "others": named(["blitzer", "wos"], OTHERS),
        "static": named(["mtl5", "afrisenti"], ["average-merge"]),
        "orders": named(["mtl5", *orders], ["sequential", "dam", "l2r-wavg"]),
        "gates": [
            Entry(stream, f"l2r-wavg {gate}", "l2r-wavg", {**AT_THE_END, "gate": gate})
            for stream in ("mtl5", "wos", "afrisenti", "blitzer")
            for gate in ("gumbel-sigmoid", "softmax")
        ],
        "heads": [
            Entry(
                stream,
                f"{recipe} {rule}",
                recipe,
                {"head_rule": rule, **(AT_THE_END if recipe.startswith("l2r") else {})},
            )
            for stream in ("mtl5", "wos")
            for recipe in ("dam", "l2r-wavg", "adapters")
            for rule in ("direct", "compose", "top1")
        ],
        "memory": [
            Entry(stream, f"l2r-wavg memory{share:g}", "l2r-wavg", {**AT_THE_END, "memory": share})
            for stream in ("mtl5", "wos")
            for share in MEMORY
        ],
        "selections": [
            Entry(
                "mtl5",
                f"l2r-wavg {how}",
                "l2r-wavg",
                {**AT_THE_END, "memory": 0.02, "memory_selection": how},
            )
            for how in ("random", "balanced", "herding", "k-centre", "uncertainty")
        ],
        "corrupted": [
            Entry(
                stream,
                f"{how} right{right:g}",
                composed(how, "corrupted"),
                {"router_accuracy": right},
            )
            for stream in ("blitzer", "mtl5")
            for how in ("select", "merge")
            for right in RIGHT
        ],
        "merges": [
            Entry(stream, f"centroid {how}", composed(how, "centroid"))
            for stream in ("blitzer", "mtl5")
            for how in MERGES
        ],
        "tuned heads": [
            Entry(stream, "l2r-wavg tuned heads", "l2r-wavg", {**AT_THE_END, "tune_heads": True})
            for stream in ("mtl5", "wos")
        ],
    }


def run(workspace: str, entries: Sequence[Entry], seeds: Sequence[int], full: bool) -> None:
    """Carries everything out, one seed after the other."""
    size = FULL if full else SMALL
    precision: Precision = "auto" if full else "bfloat16"
    for seed in seeds:
        for entry in entries:
            stream, protocol = STREAMS.get(entry.stream, (entry.stream, None))
            carry_out(workspace, entry, seed, stream, protocol, size, precision)


def show(workspace: Workspace, part: str, entries: Sequence[Entry], seeds: Sequence[int]) -> None:
    """Prints one Markdown table per stream, of the lines that have a finished run."""
    for stream in dict.fromkeys(entry.stream for entry in entries):
        weighted = stream == "afrisenti" and part == "main"
        titles = [title for title, _ in COLUMNS.values()] + ["weighted F1 (%)"] * weighted
        lines = []
        for entry in entries:
            scored = reports(workspace, entry, seeds) if entry.stream == stream else {}
            if not scored:
                continue
            values = [numbers(report) for report in scored.values()]
            cells = [
                cell([values_of.get(c, math.nan) for values_of in values], s)
                for c, (_, s) in COLUMNS.items()
            ]
            if weighted:
                scores = reports(workspace, entry, seeds, "weighted_f1").values()
                cells.append(cell([report.transfer["average_accuracy"] for report in scores], 100))
            lines.append(f"| {marked(entry.label)} | " + " | ".join(cells) + " |")
        if lines:
            print(f"\n### {part}: {stream}\n")
            print("| recipe | " + " | ".join(titles) + " |")
            print("| --- |" + " ---: |" * len(titles))
            print("\n".join(lines))


def show_costs(workspace: Workspace, seeds: Sequence[int]) -> None:
    """Parameters, memory and seconds per phase of every recipe on wos; seconds are medians over the seeds."""
    print("\n### costs: wos\n")
    print("| recipe | " + " | ".join(COSTS.values()) + " | seconds per phase |")
    print("| --- |" + " ---: |" * len(COSTS) + " --- |")
    for entry in named(["wos"], [*MAIN, *OTHERS]):
        costs = [report.cost for report in reports(workspace, entry, seeds).values()]
        if not costs:
            continue
        counts = [f"{int(costs[0].get(name, 0)):,}" for name in COSTS]
        seconds = {
            name.removeprefix("seconds_"): median(cost.get(name, 0.0) for cost in costs)
            for name in costs[0]
            if name.startswith("seconds_") and name != "seconds_this_run"
        }
        phases = ", ".join(f"{name} {value:.0f}" for name, value in seconds.items() if value >= 0.5)
        print(f"| {marked(entry.label)} | " + " | ".join(counts) + f" | {phases} |")


def show_held_out(workspace: Workspace, seeds: Sequence[int]) -> None:
    """Accuracy and weighted F1 on the languages of afrisenti that nobody learnt."""
    print("\n### held out: afrisenti\n")
    printed = False
    for entry in named(["afrisenti"], MAIN):
        by_metric = {
            metric: [
                scores_of.held_out
                for scores_of in reports(workspace, entry, seeds, metric).values()
            ]
            for metric in ("accuracy", "weighted_f1")
        }
        names = [
            f"{task}, {metric}"
            for metric, scores_of in by_metric.items()
            if scores_of
            for task in scores_of[0]
        ]
        if not names:
            continue
        if not printed:
            print(f"| recipe | {' | '.join(names)} |\n| --- |{' ---: |' * len(names)}")
            printed = True
        cells = [
            cell([scores[task] for scores in scores_of], 100)
            for scores_of in by_metric.values()
            for task in scores_of[0]
        ]
        print(f"| {marked(entry.label)} | {' | '.join(cells)} |")


def show_differences(workspace: Workspace, seeds: Sequence[int]) -> None:
    """Paired differences of average accuracy between recipes, on the same seeds."""
    pairs: Iterator[tuple[str, str, str]] = iter(
        [
            *((s, "l2r-wavg", other) for s in STREAMS for other in ("dam", "epi", "l2r-merge")),
            *((s, f"l2r-wavg memory{m}", "dam") for s in ("mtl5", "wos") for m in (0.2, 0.5)),
            *((s, "l2r-wavg memory0.5", "l2r-wavg memory0.01") for s in ("mtl5", "wos")),
            *(
                (s, f"merge right{r}", f"select right{r}")
                for s in ("blitzer", "mtl5")
                for r in (0, 0.2, 0.4)
            ),
            *((s, "dam", "average-merge") for s in ("blitzer", "wos", "mtl5", "afrisenti")),
            *((s, "dam", "adapters") for s in STREAMS),
            *((s, "i2i-ff", "adapters") for s in STREAMS),
            *((s, "l2r-wavg", "adapters") for s in STREAMS),
            *((s, "i2i-ff", other) for s in ("blitzer", "wos") for other in ("i2i-fl", "i2i-ll")),
            *((s, "i2i-ff", "closest-task-init") for s in ("blitzer", "wos")),
            *((s, "closest-task-init", "adapters") for s in ("blitzer", "wos")),
            *((s, "adapters", "adapter-fusion") for s in ("blitzer", "wos")),
        ]
    )
    print("\n### paired differences (points of accuracy)\n")
    print("| stream | of | over | difference |\n| --- | --- | --- | ---: |")
    for stream, of, over in pairs:
        difference = paired(workspace, stream, of, over, seeds)
        if difference is not None:
            print(f"| {stream} | {marked(of)} | {marked(over)} | {difference} |")


READ_ONLY: dict[str, Callable[[Workspace, Sequence[int]], None]] = {
    "costs": show_costs,
    "held out": show_held_out,
    "pairs": show_differences,
}
"""Tables made of the runs of other parts."""


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    everything = parts()
    parser.add_argument("what", choices=["run", "show", "figures"])
    parser.add_argument("--workspace", default="workspace")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--parts",
        nargs="+",
        default=list(everything),
        choices=[*everything, *READ_ONLY],
    )
    parser.add_argument("--streams", nargs="+", help="only these")
    parser.add_argument("--recipes", nargs="+", help="only lines of these labels")
    parser.add_argument("--output", type=Path, default=Path("docs"))
    parser.add_argument("--full", action="store_true", help="all rows, for a GPU")
    asked = parser.parse_args()
    workspace = Workspace(asked.workspace)
    if asked.what == "figures":
        folder, seeds = asked.output, asked.seeds
        draw_memory(workspace, folder / "memory-curve.svg", seeds, MEMORY, everything["memory"])
        draw_corrupted(
            workspace, folder / "corrupted-router.svg", seeds, RIGHT, everything["corrupted"]
        )
        return
    for part in asked.parts:
        if part in READ_ONLY:
            READ_ONLY[part](workspace, asked.seeds)
            continue
        entries = [
            entry
            for entry in everything[part]
            if (asked.streams is None or entry.stream in asked.streams)
            and (asked.recipes is None or entry.label in asked.recipes)
        ]
        if asked.what == "show":
            show(workspace, part, entries, asked.seeds)
            continue
        try:
            run(asked.workspace, entries, asked.seeds, asked.full)
        except UserError as error:
            raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
