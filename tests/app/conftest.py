"""The app under Streamlit's AppTest, on a workspace with small finished runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import cl_core as cl
from tests.patience import PATIENCE
from tests.small_runs import SMALL

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., AppTest]
POPOVER, EXPANDER = st.popover, st.expander
"""Streamlit's own, which are closed until they are opened."""


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """For each AppTest Streamlit reads the metadata of all that is installed, which takes as long as drawing a page."""
    scan = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def menus_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn once it is opened is open, so that it is looked at too: menus under figures, all settings."""

    def opened(container: Callable[..., Any]) -> Callable[..., Any]:
        def draw(*args: Any, **kwargs: Any) -> Any:
            drawn = container(*args, **kwargs)
            drawn.open = True
            return drawn

        return draw

    monkeypatch.setattr(st, "popover", opened(POPOVER))
    monkeypatch.setattr(st, "expander", opened(EXPANDER))


@pytest.fixture(scope="session")
def small_workspace(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DAM and L2R on three domains."""
    root = tmp_path_factory.mktemp("app") / "workspace"
    options = {**SMALL, "backbone": str(tiny), "epochs": 1, "device": "cpu", "workspace": root}
    cl.run("domains-dil", "dam", name="dam", **options)
    cl.run("domains-dil", "l2r-wavg", name="l2r", memory=0.5, router_epochs=1, **options)
    return root


@pytest.fixture
def open_page(small_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """open_page("forgetting", ws="Mine", run="dam") -> the page, with the sidebar's choices made."""

    def open_it(
        page: str = "start", ws: str = "Mine", run: str = "dam", workspace: Path = small_workspace
    ) -> AppTest:
        monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(workspace))
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
        # AppTest reads bound widgets from the address and from themselves: both must say the same.
        test.query_params["ws"], test.query_params["run"] = ws, run
        if page != "start":  # as by a link: without the first page before it
            test.switch_page(f"../pages/{page}.py")
        test.run()
        if test.segmented_control(key="ws").value != ws:
            test.segmented_control(key="ws").set_value(ws).run()
        runs = [box for box in test.selectbox if box.key == "run"]
        if runs and run in runs[0].options and runs[0].value != run:
            runs[0].set_value(run).run()
        assert not test.exception, test.exception
        return test

    return open_it
