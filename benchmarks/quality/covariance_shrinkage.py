"""EPI's router against the number of rows that it is made of, by how its covariance is shrunk.

    python benchmarks/quality/covariance_shrinkage.py         the table, on four languages of afrisenti and on wos
    python benchmarks/quality/covariance_shrinkage.py --keep  and the figure of docs/results.md; needs matplotlib

Needs `CL_DATA`. Rows are drawn from the training samples of each task, three times; the share of test samples that are
routed to their own task is their mean. Rules: none (EPI's own pseudo-inverse), degrees of freedom (ours until now: f/d
of the covariance where f < d), fixed (0.7 of the sphere), Ledoit-Wolf (what the router does).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the results that are kept

from curves import _canvas
from results import Table, keep

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.features import extract_features
from cl_core.backbones.settings import BackboneSettings
from cl_core.route.mahalanobis import MahalanobisRouter, whitening
from cl_core.route.settings import RouterSettings
from cl_core.tasks.stream_loader import load_stream

FIGURE = Path(__file__).resolve().parents[2] / "docs" / "covariance-shrinkage.svg"
LANGUAGES = ("hau", "ibo", "swa", "yor")
STREAMS = {"afrisenti": 4, "wos": 7}
ROWS = (24, 40, 56, 72, 88, 96, 100, 104, 112, 128, 192, 256, 384)
DRAWS, TEST = 3, 200
RULES: dict[str, Callable[[MahalanobisRouter, int], float]] = {
    "none": lambda router, freedom: 0.0,
    "degrees of freedom": lambda router, freedom: max(0.0, 1 - freedom / 384),
    "fixed 0.7": lambda router, freedom: 0.7,
    "Ledoit-Wolf": lambda router, freedom: router.shrinkage,
}
"""By name, the share of the sphere."""


@dataclass(frozen=True)
class Rows:
    """Features (N, d) and labels (N,) of a split of a task."""

    features: Tensor
    labels: Tensor


def read(source: str) -> list[tuple[Rows, Rows]]:
    """Training and test samples of the tasks of a stream, under MiniLM as a run has them."""
    backbone = load_backbone(BackboneSettings(), torch.device("cpu"))
    stream = load_stream(source, limits={"train": max(ROWS), "test": TEST})
    tasks = []
    for task in stream.tasks:
        if source == "afrisenti" and not task.name.endswith(LANGUAGES):
            continue
        splits = []
        for split in ("train", "test"):
            rows = task.splits[split]
            features = extract_features(backbone, backbone.encode({"text": rows["text"][:]}))
            splits.append(Rows(features, torch.tensor(rows["label"][:])))
        tasks.append((splits[0], splits[1]))
    assert len(tasks) == STREAMS[source], [task.name for task in stream.tasks]
    return tasks


def right(tasks: list[tuple[Rows, Rows]], rows: int, draw: int) -> dict[str, float]:
    """Share (%) of test samples that are routed to their own task, by rule."""
    generator = torch.Generator().manual_seed(draw)
    router, freedom = MahalanobisRouter(RouterSettings()), 0
    for train, _ in tasks:
        chosen = torch.randperm(len(train.labels), generator=generator)[:rows]
        router.add_task(train.features[chosen], train.labels[chosen])
        freedom += len(chosen) - len(set(train.labels[chosen].tolist()))
    covariance = router.state()["covariance"]
    shares = {}
    for rule, share in RULES.items():
        router._whitening = whitening(covariance, share(router, freedom))
        hits = [
            (router.route(test.features).weights.argmax(dim=1) == index).double().mean()
            for index, (_, test) in enumerate(tasks)
        ]
        shares[rule] = 100 * float(torch.stack(hits).mean())
    return shares


def walk(source: str) -> dict[int, dict[str, float]]:
    """By rows of each task, `right` as a mean over the draws."""
    tasks = read(source)
    most = min(len(train.labels) for train, _ in tasks)
    walked = {}
    for rows in (rows for rows in ROWS if rows <= most):
        draws = [right(tasks, rows, draw) for draw in range(DRAWS)]
        walked[rows] = {rule: sum(draw[rule] for draw in draws) / DRAWS for rule in RULES}
    return walked


def draw_figure(walks: dict[str, dict[int, dict[str, float]]]) -> None:
    """Routing accuracy against rows, a line a rule, a panel a stream."""
    figure, axes = _canvas(len(walks))
    for axis, (source, walked) in zip(axes, walks.items(), strict=True):
        for rule in RULES:
            axis.plot(list(walked), [shares[rule] for shares in walked.values()], label=rule)
        axis.set(xlabel="training samples of each task", ylabel="routed to their own task (%)")
        axis.set_title(f"{source}, {STREAMS[source]} tasks")
        axis.legend(fontsize=8)
    figure.savefig(FIGURE, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="write the result and the figure")
    asked = parser.parse_args()
    walks = {source: walk(source) for source in STREAMS}
    lines = [
        [source, str(rows), *(f"{shares[rule]:.1f}" for rule in RULES)]
        for source, walked in walks.items()
        for rows, shares in walked.items()
    ]
    table = Table(["stream", "rows", *RULES], ["---", *["---:"] * (1 + len(RULES))], lines)
    print(table.markdown())
    if asked.keep:
        draw_figure(walks)
        print(keep("quality/covariance_shrinkage", {"right": table}))


if __name__ == "__main__":
    main()
