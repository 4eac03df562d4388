"""Real journeys: the server as `adapter-lab app` starts it, a workspace with small finished runs, Chromium."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import cl_core as cl
from app.workers import projection_worker
from cl_core.analysis.embeddings import find_embeddings
from cl_core.runs.workspace import Workspace
from tests.browser.chromium import NoBrowser, provide
from tests.browser.serving import Server
from tests.browser.visiting import Visitor, launch
from tests.debian import must_have
from tests.small_runs import SMALL

Arrive = Callable[..., Visitor]


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A browser; without one the tests are skipped, which is said in the summary, or fail where CI=true."""
    try:
        return provide()
    except NoBrowser as reason:
        if must_have(os.environ):
            pytest.fail(f"no browser can be had: {reason}")
        warnings.warn(
            pytest.PytestWarning(f"the browser journeys were SKIPPED, no browser: {reason}"),
            stacklevel=1,
        )
        pytest.skip(f"no browser can be had: {reason}")


@pytest.fixture(scope="module")  # while it is open, other tests could start no event loop
def browser(chromium: Path) -> Iterator[Browser]:
    """One Chromium for a module's journeys, each of which has a context of its own."""
    with sync_playwright() as playwright:
        opened = launch(playwright, chromium)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def finished_lab(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with DAM on three domains, learnt well enough that its adapters differ, and its map by PCA.

    Nobody works in it: whoever wants it as it is made copies it.
    """
    root = tmp_path_factory.mktemp("finished") / "workspace"
    learnt = {**SMALL, "limit_train": 48, "epochs": 8}
    cl.run(
        "domains-dil",
        "dam",
        name="dam",
        backbone=str(tiny),
        device="cpu",
        workspace=root,
        **learnt,
    )
    workspace = Workspace(root)
    embeddings = find_embeddings(workspace, workspace.find("dam"))
    assert embeddings is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            projection_worker, "METHODS", ("PCA",)
        )  # UMAP would be compiled for half a minute
        projection_worker.project(workspace, workspace, embeddings)
    return root


@pytest.fixture(scope="session")
def lab(finished_lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that journeys share, and in which they leave jobs, runs and uploads."""
    return Path(shutil.copytree(finished_lab, tmp_path_factory.mktemp("browser") / "workspace"))


@pytest.fixture(scope="session")
def server(lab: Path) -> Iterator[Server]:
    """One for all journeys."""
    with Server(lab, lab.parent / "server.log") as started:
        yield started


@pytest.fixture
def arrive(browser: Browser, server: Server) -> Iterator[Arrive]:
    """arrive(dark=True) -> a new visitor; in the end nothing may have gone wrong for any of them."""
    visitors: list[Visitor] = []

    def one(**window: object) -> Visitor:
        visitors.append(Visitor(browser, server.url, **window))
        return visitors[-1]

    yield one
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.leave()
    assert not faults, faults
