"""Pages of docs/ that show the rows of a table of the package: written from them, never by hand.

    python benchmarks/documented_rows.py    write docs/metrics.md, and the tables of routers and architectures

docs/metrics.md is made whole. A page names another table between two marks, `<!-- rows: NAME -->` and
`<!-- end -->`; what stands there is made from the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from cl_core.backbones.sites import ARCHITECTURES
from cl_core.evaluate.metric import Group
from cl_core.evaluate.table import METRICS
from cl_core.route import ROUTERS

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- rows: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
METRICS_PAGE = "metrics.md"
_HEAD = """# Metrics

Made from `cl_core/evaluate/table.py` by `make tables`; a test keeps it so.

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


def metrics_page() -> str:
    """All metrics, by group."""
    parts = [_HEAD]
    for group, title in _TITLES.items():
        rows = [
            [
                f"{metric.title} (`{metric.name}`)",
                f"`{_cell(metric.formula)}`",
                metric.direction or "neither",
                metric.unit,
                metric.note,
            ]
            for metric in METRICS.values()
            if metric.group == group
        ]
        columns = ["number", "formula", "better", "unit", ""]
        parts.append(f"\n## {title}\n\n{_table(columns, rows)}")
    return "".join([*parts, _TAIL])


def routers() -> str:
    """All routers: what they do, which settings they read, and whose they are."""
    rows = []
    for name, choice in ROUTERS.items():
        reads = ", ".join(f"`{setting}`" for setting in choice.traits.settings)
        answer = "is told the task" if "task id" in choice.needs else ""
        rows.append(
            [
                f"`{name}`",
                _cell(choice.summary),
                choice.traits.weights,
                "; ".join(part for part in (reads, answer) if part) or "nothing",
                _cell(choice.source),
            ]
        )
    return _table(["router", "a sample gets", "weights", "reads", "from"], rows)


def architectures() -> str:
    """All text encoders, and where their sites are."""
    rows = [
        [
            f"{row.title} (`{row.model_type}`)",
            *(f"`{path}`" for path in (row.blocks, row.attention, row.ffn)),
        ]
        for row in ARCHITECTURES.values()
    ]
    return _table(["architecture (`model_type`)", "blocks", "attention site", "FFN site"], rows)


TABLES: Mapping[str, Callable[[], str]] = {"routers": routers, "architectures": architectures}
"""By the name between a page's marks."""


def documented(page: str, text: str) -> str:
    """A page's text as the rows say.

    Raises:
        KeyError: its marks name no table.
    """
    if page == METRICS_PAGE:
        return metrics_page()
    return MARKED.sub(lambda marks: f"{marks[1]}{TABLES[marks[2]]()}{marks[3]}", text)


def main() -> None:
    """Writes the pages that differ."""
    for page in sorted(ROOT.glob("docs/*.md")):
        text = page.read_text("utf-8")
        if documented(page.name, text) != text:
            page.write_text(documented(page.name, text), encoding="utf-8")
            print(f"written: {page.name}")


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    padded = ([f" {cell} " if cell else " " for cell in line] for line in lines)
    return "".join(f"|{'|'.join(cells)}|\n" for cells in padded)


def _cell(text: str) -> str:
    """As a cell of a Markdown table has it."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
