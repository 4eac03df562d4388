"""The page about metrics is the table of metrics."""

from __future__ import annotations

from pathlib import Path

from cl_core.evaluate.document import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    shown = (DOCS / "metrics.md").read_text(encoding="utf-8")
    assert shown == page(), "run: python -m cl_core.evaluate.document > docs/metrics.md"
