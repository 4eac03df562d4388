"""The menu under each figure, made when it is opened; and what is kept for the next visitor, which no page changes."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st

from app.base import memoized
from app.base.navigation import PAGES
from tests.app.conftest import POPOVER, Open


def test_a_menu_is_made_when_it_is_opened_and_not_before(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "popover", POPOVER)
    page = open_page("forgetting")

    def there() -> tuple[list[str], list[list[str]]]:
        heads = [list(element.value.columns) for element in page.dataframe]
        return [button.label for button in page.download_button], heads

    buttons, tables = there()
    assert "HTML" not in buttons
    assert not any("accuracy (%)" in heads for heads in tables)
    page.session_state["about-scores"] = True
    page.run()
    opened, shown = there()
    assert sorted(opened) == sorted([*buttons, "CSV", "HTML"])
    assert sum("accuracy (%)" in heads for heads in shown) == 1
    page.session_state["about-scores"] = False
    page.run()
    assert there() == (buttons, tables)


def as_text(kept: go.Figure | pd.DataFrame) -> str:
    """All that a figure or a table says."""
    return str(kept.to_json() if isinstance(kept, go.Figure) else kept.to_csv())


def test_no_page_changes_what_is_kept(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[tuple[go.Figure | pd.DataFrame, str]] = []

    class Watched(memoized._Results):
        def keep(self, key: bytes, result: object, size: int) -> None:
            assert isinstance(result, go.Figure | pd.DataFrame)
            before.append((result, as_text(result)))
            super().keep(key, result, size)

    monkeypatch.setattr(memoized, "_RESULTS", Watched(memoized.MOST, memoized.MOST_BYTES))
    for row in PAGES:
        page = open_page(row.name, ws="Demonstration", run="dam")
        page.session_state["task"] = "2 films"
        page.run()
        assert not page.exception, page.exception
    figures = [kept for kept, _ in before if isinstance(kept, go.Figure)]
    assert 20 < len(figures) < len(before)
    assert all(as_text(kept) == was for kept, was in before)
