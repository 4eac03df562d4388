"""Tables of streams that are looked at: DAM's, I2I's, real pictures, and a mixed stream; see docs/results.md.

    python benchmarks/quality/visual_tables.py run --workspace DIR [--streams clips-qa ...] [--seeds 0 1 2]
    python benchmarks/quality/visual_tables.py show --workspace DIR

`scenes-qa` and `clips-qa` in two orders each, and the stream of mixed.yaml, on `scene-qa`; where CL_DATA is set also
`daquar-easy-vqa` on `scene-qa` and `pacs` on `scene-clip`. `run` carries out what is not yet done, and is resumed by
the same command. `show` prints Markdown: for DAM average accuracy, forgetting and routing accuracy, with one adapter
and with two merged; for I2I the knowledge transfer over vanilla adapters of the same order and seed, tasks 2 to T,
pooled over the orders as in the paper; differences seed by seed; always mean, standard deviation and 95 % interval
(Student's t) over the seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from tables import Entry, carry_out, cell, marked, numbers, paired, reports

from cl_core.errors import UserError
from cl_core.evaluate.metrics import transfer
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream_loader import data_folder

QUESTIONS: dict[str, Any] = {
    "backbone": "scene-qa",
    "init": "backbone",
    "answers": "embeddings",
    "max_length": 32,
    "epochs": 4,
    "learning_rate": 1e-3,
}
DRAWN_ROWS = {"limit_train": 150}
PICTURES: dict[str, Any] = {"backbone": "scene-clip", "epochs": 4, "learning_rate": 1e-3}
REAL = {"limit_train": 300, "limit_validation": 60, "limit_test": 200}
AT_THE_END = {"router_stages": "last"}
ORDERS = {
    "scenes-qa": ("scenes-qa", "scenes-qa-order2"),
    "clips-qa": ("clips-qa", "clips-qa-order2"),
}
TOP_1 = "dam-top-1"
ROUTED = ("dam", TOP_1, "l2r-wavg", "adapters", "sequential")
PAIRS = (
    ("dam", TOP_1),
    ("dam", "sequential"),
    ("l2r-wavg", "dam"),
    ("adapters", "dam"),
    ("adapters", "l2r-wavg"),
    ("i2i-ff", "adapters"),
    ("i2i-ff", "i2i-ll"),
    ("i2i-ff", "closest-task-init"),
    ("adapters", "adapter-fusion"),
)
"""Recipes whose difference the papers make claims about."""
TOLD = ("i2i-ff", "i2i-fl", "i2i-ll", "adapter-fusion", "closest-task-init")
DRAWN = tuple(stream for orders in ORDERS.values() for stream in orders)
MIXED = "mixed"
STREAMS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    **dict.fromkeys(DRAWN, ((*ROUTED, *TOLD), {**QUESTIONS, **DRAWN_ROWS})),
    MIXED: (("dam", "adapters", "i2i-ff", "sequential"), QUESTIONS),
    "pacs": ((*ROUTED, "epi", "joint"), {**PICTURES, **REAL}),
    "daquar-easy-vqa": ((*ROUTED, "joint"), {**QUESTIONS, **REAL}),
}
"""Recipes and settings of each stream."""


def entry(stream: str, label: str) -> Entry:
    """A line of a table."""
    if label == TOP_1:
        return Entry(stream, label, "dam", {"k": 1})
    return Entry(stream, label, label, AT_THE_END if label.startswith("l2r") else {})


def show_routed(workspace: Workspace, seeds: Sequence[int]) -> None:
    """DAM's table: what is kept, what is forgotten, and whether the router finds the task."""
    for stream, (labels, _) in STREAMS.items():
        print(f"\n### {stream}\n")
        print("| recipe | average accuracy (%) | forgetting (points) | routing accuracy (%) |")
        print("| --- | ---: | ---: | ---: |")
        for label in labels:
            values = [numbers(r) for r in reports(workspace, entry(stream, label), seeds).values()]
            if values:
                columns = ("average_accuracy", "forgetting", "router_accuracy")
                cells = [cell([row.get(c, float("nan")) for row in values], 100) for c in columns]
                print(f"| {marked(label)} | {' | '.join(cells)} |")


def show_tasks(workspace: Workspace, seeds: Sequence[int]) -> None:
    """Accuracy (%) on each task after the last, mean over the seeds."""
    print("\n### task by task\n")
    print("| stream | recipe | accuracy after the last task (%) |\n| --- | --- | --- |")
    for stream in STREAMS:
        for label in ("adapters", "dam"):
            scored = list(reports(workspace, entry(stream, label), seeds).values())
            if scored:
                last = 100 * np.mean([report.matrix[-1] for report in scored], axis=0)
                named = zip(scored[0].tasks, last, strict=True)
                cells = ", ".join(f"{name} {value:.1f}" for name, value in named)
                print(f"| {stream} | {marked(label)} | {cells} |")


def show_transfer(workspace: Workspace, seeds: Sequence[int]) -> None:
    """I2I's table: knowledge transfer (%) over vanilla adapters, tasks 2 to T, of each order and of both pooled."""
    for name, orders in ORDERS.items():
        columns = [*((order,) for order in orders), orders]
        print(f"\n### knowledge transfer over vanilla adapters (%), {name}\n")
        print("| recipe | order 1 | order 2 | overall |\n| --- | ---: | ---: | ---: |")
        for label in TOLD:
            cells = [cell(_gains(workspace, label, orders, seeds), 1) for orders in columns]
            print(f"| {marked(label)} | {' | '.join(cells)} |")


def _gains(
    workspace: Workspace, label: str, streams: Sequence[str], seeds: Sequence[int]
) -> list[float]:
    """By seed, the mean knowledge transfer over tasks 2 to T of these streams."""
    by_seed = []
    for seed in seeds:
        gains: list[float] = []
        for stream in streams:
            report = reports(workspace, entry(stream, label), [seed]).get(seed)
            plain = reports(workspace, entry(stream, "adapters"), [seed]).get(seed)
            if report and plain:
                gained = transfer(report.matrix.diagonal(), plain.matrix.diagonal())
                gains += gained[1:].tolist()
        if gains:
            by_seed.append(fmean(gains))
    return by_seed


def show_pairs(workspace: Workspace, seeds: Sequence[int]) -> None:
    """Paired differences of average accuracy, seed by seed."""
    print("\n### paired differences (points of accuracy)\n")
    print("| of | over | " + " | ".join(DRAWN) + " |\n| --- | --- |" + " ---: |" * len(DRAWN))
    for of, over in PAIRS:
        cells = [paired(workspace, stream, of, over, seeds) or "-" for stream in DRAWN]
        print(f"| {marked(of)} | {marked(over)} | {' | '.join(cells)} |")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    there = [name for name in STREAMS if data_folder() or name in (*DRAWN, MIXED)]
    parser.add_argument("what", choices=["run", "show"])
    parser.add_argument("--workspace", default="workspace")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--streams", nargs="+", default=there, choices=there)
    asked = parser.parse_args()
    if asked.what == "show":
        workspace = Workspace(asked.workspace)
        show_routed(workspace, asked.seeds)
        show_tasks(workspace, asked.seeds)
        show_transfer(workspace, asked.seeds)
        show_pairs(workspace, asked.seeds)
        return
    try:
        for seed in asked.seeds:
            for stream in asked.streams:
                labels, settings = STREAMS[stream]
                source = str(Path(__file__).with_name("mixed.yaml")) if stream == MIXED else stream
                for label in labels:
                    carry_out(asked.workspace, entry(stream, label), seed, source, None, settings)
    except UserError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
