"""A minus before a number that people read is a minus sign: a hyphen is shorter than a plus, and breaks lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.base.theme import LIGHT
from app.figures import comparison_figures
from app.figures.heatmap import heatmap
from app.figures.routing_diagram import routing_diagram
from app.figures.similarity import similarity
from app.shell.figure_table import figure_table
from app.shell.widgets import csv, readable
from cl_core.evaluate.statistics import MINUS, paired_difference, summarise
from tests.app.conftest import ROOT

HYPHEN = re.compile(r"(?<![\w.-])-\d")


def texts(part: object) -> Iterator[str]:
    """Every text in a figure as it is sent."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for name, value in part.items():
            if name not in ("colorscale", "color", "symbol", "path"):
                yield from texts(value)
    elif isinstance(part, list | tuple):
        for element in part:
            yield from texts(element)


def said(figure: go.Figure) -> list[str]:
    """Its texts with a negative number."""
    strings = list(texts(figure.to_plotly_json()))
    assert not [text for text in strings if HYPHEN.search(text)]
    return [text for text in strings if re.search(f"{MINUS}\\d", text)]


def test_figures_write_a_minus_sign() -> None:
    scores = {"1 a": [-3.0, -5.0]}
    summary = summarise(scores["1 a"])
    gap = paired_difference({0: 1.0, 1: 2.0}, {0: 3.0, 1: 5.0})
    square = np.array([[1.0, -0.4], [-0.4, 1.0]])
    names = {"row_title": "row", "column_title": "column", "value_title": "change"}
    assert len(said(comparison_figures.spread(scores, {"1 a": summary}, LIGHT, "change"))) == 3
    assert said(comparison_figures.differences({"1 a": gap}, LIGHT, "change"))
    assert said(comparison_figures.against_cost({"1 a": (1.0, summary)}, LIGHT, "cost", "change"))
    ways = {"answer": "x", "confidence": 0.5, "scores": [-0.4, -20.0], "before": [0.9, 0.1]}
    assert len(said(routing_diagram(["1 a", "2 b"], [0.7, 0.3], LIGHT, **ways))) >= 3
    assert said(similarity(square, ["1 a", "2 b"], LIGHT))
    assert said(heatmap(100 * square, ["a", "b"], ["a", "b"], LIGHT, signed=True, **names))


def test_no_number_of_a_figure_that_can_be_negative_is_written_by_plotly() -> None:
    """Its hover formats have a hyphen."""
    hover = [
        f"{file.name}: {line.strip()}"
        for file in (ROOT / "app" / "figures").glob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"%\{+[xyz]:\+", line)
    ]
    assert hover == []


def test_no_signed_number_is_written_but_by_decimal() -> None:
    lines = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for folder in ("app", "pages", "cl_core")
        for file in (ROOT / folder).rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"\{[^{}]+:\+[^{}]*\}", line) and file.name != "statistics.py"
    ]
    assert lines == []


def test_a_table_shows_minus_signs_and_keeps_its_numbers() -> None:
    table = pd.DataFrame({"change": [-33.3, 2.5, np.nan], "n": [1, 2, 3]}, ["a", "b", "c"])
    html = readable(table).to_html()
    assert f"{MINUS}33.3" in html
    assert "2.5<" in html
    assert "2.500" not in html
    assert csv(table).decode("utf-8-sig").splitlines()[1].endswith("-33.3,1")
    assert readable(table.abs()).equals(table.abs())


def test_a_figures_table_has_no_minus_before_0() -> None:
    table = figure_table([[-0.001, -3.0]], ["a"], ["x", "y"], "points", "row")
    assert table.to_csv() == "row,x (points),y (points)\na,0.0,-3.0\n"
