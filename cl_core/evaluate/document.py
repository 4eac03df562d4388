"""Prints docs/metrics.md from the table of metrics: `python -m cl_core.evaluate.document >
docs/metrics.md`.
"""

from __future__ import annotations

import sys

from cl_core.evaluate.metric import Group
from cl_core.evaluate.table import METRICS

_HEAD = """# Metrics

Made from `cl_core/evaluate/table.py` by `python -m cl_core.evaluate.document`; a test keeps it so.

`R[i, j]` is the score on task j's test split after learning task i (i, j = 1..T); `b[j]` is the
score of the untrained model on task j. In the tables of a run, stage i is "after learning i tasks"
and stage 0 is the untrained model, so b is row 0. An entry that was not evaluated is NaN, and so is
a metric that needs it. With one task only the two averages are defined. In CIL answers are among the
labels learnt so far: before a task is learnt its cell is a score only where all its labels are those
of earlier tasks too, and forward transfer is not defined. Reports say the reason of each metric that
a run has none of (`undefined` in JSON).

Libraries give these names to different formulas. Compare numbers only after comparing formulas.
"""
_TITLES: dict[Group, str] = {
    "matrix": "Of the score matrix",
    "score": "Of one test split",
    "router": "Of the router",
    "oracle": "Of a run against the oracle's route (`adapter-lab explain`; the split is ours)",
    "cost": "Cost",
}


_TAIL = """
## Adding a number

One file and one row: [extending/metric.md](extending/metric.md).
"""


def page() -> str:
    """Returns the page as Markdown."""
    parts = [_HEAD]
    for group, title in _TITLES.items():
        parts.append(
            f"\n## {title}\n\n| number | formula | better | unit | |\n"
            "| --- | --- | --- | --- | --- |\n"
        )
        for metric in METRICS.values():
            if metric.group == group:
                formula = metric.formula.replace("|", "\\|")
                better = metric.direction or "neither"
                name = f"{metric.title} (`{metric.name}`)"
                parts.append(
                    f"| {name} | `{formula}` | {better} | {metric.unit} | {metric.note} |\n"
                )
    return "".join([*parts, _TAIL])


if __name__ == "__main__":
    sys.stdout.write(page())
