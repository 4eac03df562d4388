"""Recipes on real data, several seeds: the table in docs/results.md.

    CL_DATA=FOLDER python benchmarks/real_data.py run --workspace DIR --seeds 0 1 2
    python benchmarks/real_data.py table --workspace DIR

`run` carries out every recipe on every stream and is resumed by the same command; adapters are shared between recipes
through the store. `table` reads the finished runs and prints Markdown: mean and standard deviation over the seeds.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

import cl_core as cl
from cl_core.errors import UserError
from cl_core.lab.report import Report
from cl_core.lab.workspace import Workspace

STREAMS = ("blitzer", "mtl5", "afrisenti")
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "sequential": ("sequential", {}),
    "average-merge": ("average-merge", {}),
    "dam, k = 1": ("dam", {"k": 1}),
    "dam, k = 2": ("dam", {"k": 2}),
    "adapters, oracle": ("adapters", {}),
}
# Two cores: at most 500 training and 250 test rows a task. Texts are cut to 64 tokens, passes run in bf16.
SMALL = {
    "limit_train": 500,
    "limit_validation": 100,
    "limit_test": 200,
    "epochs": 4,
    "learning_rate": 1e-3,
    "max_length": 64,
}
FULL = {"epochs": 10, "learning_rate": 1e-3}
COLUMNS = {
    "average_accuracy": ("average accuracy (%)", 100),
    "forgetting": ("forgetting", 100),
    "backward_transfer": ("backward transfer", 100),
    "router_accuracy": ("router accuracy (%)", 100),
    "seconds_training": ("training (s)", 1),
    "seconds_work": ("all work (s)", 1),
}


def run(workspace: str, seeds: Sequence[int], streams: Sequence[str], full: bool) -> None:
    """Carries everything out, one seed after the other."""
    for seed in seeds:
        for stream in streams:
            for label, (recipe, own) in RECIPES.items():
                settings = {**(FULL if full else SMALL), **own}
                name = run_name(stream, label, seed)
                done = cl.run(
                    stream,
                    recipe,
                    name=name,
                    seed=seed,
                    workspace=workspace,
                    precision="auto" if full else "bfloat16",
                    **settings,
                )
                accuracy = 100 * done.metrics["average_accuracy"]
                print(f"{name}: average accuracy {accuracy:.1f} %", flush=True)


def run_name(stream: str, label: str, seed: int) -> str:
    """What a run is called."""
    plain = label.replace(", ", "-").replace(" = ", "")
    return f"{stream}-{plain}-seed{seed}"


def table(workspace: str, seeds: Sequence[int], streams: Sequence[str]) -> None:
    """Prints one Markdown table per stream."""
    place = Workspace(workspace)
    for stream in streams:
        print(f"\n### {stream}\n")
        print("| recipe | seeds | " + " | ".join(title for title, _ in COLUMNS.values()) + " |")
        print("| --- | --- |" + " ---: |" * len(COLUMNS))
        for label in RECIPES:
            runs = [place.run(run_name(stream, label, seed)) for seed in seeds]
            reports = [Report(each) for each in runs if each.exists and each.status == "finished"]
            numbers = [_numbers(report) for report in reports]
            cells = [
                _cell([each[column] * scale for each in numbers], scale)
                for column, (_, scale) in COLUMNS.items()
            ]
            print(f"| {label} | {len(reports)} | " + " | ".join(cells) + " |")


def _numbers(report: Report) -> dict[str, float]:
    cost = report.cost
    parts = ("seconds_features", "seconds_training", "seconds_evaluation")
    return {
        **dict.fromkeys(COLUMNS, math.nan),
        **report.transfer,
        **report.router,
        **cost,
        "seconds_work": sum(cost[part] for part in parts),
    }


def _cell(values: Sequence[float], scale: int) -> str:
    """Mean and standard deviation; one seed is never shown as if it were a mean."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "-"
    digits = 1 if scale == 100 else 0
    if len(known) == 1:
        return f"{known[0]:.{digits}f} (one seed)"
    return f"{mean(known):.{digits}f} ± {stdev(known):.{digits}f}"


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--workspace", default="workspace")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--streams", nargs="+", default=list(STREAMS), choices=STREAMS)
    parser.add_argument("--full", action="store_true", help="all rows, for a GPU")
    arguments = parser.parse_args()
    if arguments.what == "run":
        try:
            run(arguments.workspace, arguments.seeds, arguments.streams, arguments.full)
        except UserError as error:
            raise SystemExit(str(error)) from None
    else:
        table(arguments.workspace, arguments.seeds, arguments.streams)


if __name__ == "__main__":
    main()
