"""A workspace that leaves no room: many tasks, many classes, several runs, and long names of all of them.

    python -m tests.app.crowded WORKSPACE

makes one, for `benchmarks/speed/screenshots.py --workspace`. What pages make of it is looked at in
`tests/browser/test_crowded.py`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
import yaml

import cl_core as cl
from app.workers import projection_worker
from cl_core.analysis.embeddings import find_embeddings
from cl_core.runs.workspace import Workspace

TASKS = 22
CLASSES = {3: 77, 9: 150, 15: 1000}
"""Of the tasks at these places; the others have two."""
GOODS = ("refrigerators", "dishwashers", "lawnmowers", "typewriters", "telescopes", "sandwiches")
TOWNS = ("Aldermaston", "Bournemouth", "Cirencester", "Dunfermline")
STREAM = "what-customers-of-twenty-two-shops-in-four-towns-ask-about"
RUNS = {
    "dam-three-of-twenty-two-adapters-at-temperature-0.05-first-seed": ("dam", {"k": 3}),
    "average-merge-of-all-adapters-whatever-the-sample-is-first-seed": ("average-merge", {}),
    "l2r-wavg-with-half-of-the-rows-of-every-task-remembered-seed-0": (
        "l2r-wavg",
        {"memory": 0.5, "router_epochs": 1},
    ),
    "s-prompts-five-centres-of-every-task-the-nearest-of-them-wins": ("s-prompts", {}),
    "input-weighted-every-adapter-by-how-near-its-task-is-seed-0": ("input-weighted", {}),
}
"""Five lines of a comparison."""
TINY = {"epochs": 1, "batch_size": 64, "max_length": 24, "layer": -2, "learning_rate": 1e-2}


def task_name(index: int) -> str:
    """Of 60 characters, told apart by what stands in the middle."""
    goods, town = GOODS[index % len(GOODS)], TOWNS[index // len(GOODS)]
    return f"questions about {goods} that people who live in {town} ask".ljust(60, "-")[:60]


def class_names(index: int) -> list[str]:
    """Long ones, alike at both ends."""
    many = CLASSES.get(index, 2)
    return [
        f"card payment {number} in shop {index} not recognised by its owner"
        for number in range(many)
    ]


def write_stream(folder: Path) -> Path:
    """A stream file with a CSV file for each split of each task."""
    tasks = []
    for index in range(TASKS):
        names, task_folder = class_names(index), folder / f"task-{index}"
        task_folder.mkdir(parents=True)
        for split, rows in (("train", max(8, len(names))), ("validation", 4), ("test", 6)):
            with (task_folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(("text", "label"))
                for row in range(rows):
                    label = names[row % len(names)]
                    text = f"{split} {row} about {GOODS[index % 6]} in {TOWNS[row % 4]}: {label}"
                    writer.writerow((text, label))
        tasks.append({"name": task_name(index), "path": task_folder.name, "label_names": names})
    file = folder / f"{STREAM}.yaml"
    file.write_text(yaml.safe_dump({"name": STREAM, "protocol": "cil", "tasks": tasks}))
    return file


def crowd(root: Path, backbone: Path) -> Path:
    """Fills a workspace: the stream, its runs, and the map of the first one by PCA; returns it."""
    stream = write_stream(root / "streams")
    for name, (recipe, settings) in RUNS.items():
        options = {**TINY, **settings, "backbone": str(backbone), "device": "cpu"}
        cl.run(str(stream), recipe, name=name, workspace=root, **options)
    workspace = Workspace(root)
    embeddings = find_embeddings(workspace, workspace.find(next(iter(RUNS))))
    if embeddings is None:
        raise ValueError("the run has made no features")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            projection_worker, "METHODS", ("PCA",)
        )  # UMAP would be compiled for half a minute
        projection_worker.project(workspace, workspace, embeddings)
    return root


if __name__ == "__main__":
    from tests.backbones.checkpoints import write_checkpoint

    target = Path(sys.argv[1])
    crowd(target, write_checkpoint("bert", target / "backbone"))
