"""What was typed last counts: a click straight after typing, at human speed, without Enter or Tab.

What the job's request recorded is compared. Jobs wait for ever here, as somebody else holds the queue's lock.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from cl_core.lab.jobs import Jobs
from cl_core.lab.workspace import Workspace
from cl_core.store import RunLock
from tests.browser.serving import Server
from tests.browser.visiting import Visitor


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("typing") / "workspace")
    jobs = Jobs(workspace)
    jobs.root.mkdir(parents=True)
    with RunLock(jobs.lock_path):
        yield workspace


@pytest.fixture(scope="module")
def visitor(place: Workspace, browser: Browser) -> Iterator[Visitor]:
    with Server(place.root, place.root.parent / "server.log") as server:
        visitor = Visitor(browser, server.url)
        yield visitor
        visitor.leave()


@pytest.fixture(autouse=True)
def faultless(visitor: Visitor) -> Iterator[None]:
    yield
    assert not visitor.faults, visitor.faults


def test_a_run_has_the_rate_the_seed_and_the_name_on_the_screen(
    visitor: Visitor, place: Workspace
) -> None:
    visitor.go("train", ws="Mine", on="domains-dil", show="New run")
    visitor.type_slowly("seed", "7")
    visitor.type_slowly("run-name", "mine")
    visitor.type_slowly("set-learning_rate", "0.0005")
    visitor.click_at_once("start")
    visitor.see("Jobs, the newest first")
    (job,) = Jobs(place).all()
    assert (job.request.run, job.request.seed) == ("mine", 7)
    assert job.request.settings == {"learning_rate": 0.0005}


def test_a_run_again_has_the_name_and_the_seed_on_the_screen(
    visitor: Visitor, place: Workspace
) -> None:
    (first,) = [job for job in Jobs(place).all() if job.request.run == "mine"]
    visitor.go("train", ws="Mine", show="Jobs", job="mine")
    visitor.press("Run again")
    visitor.type_slowly(f"again-name-{first.id}", "other")
    visitor.type_slowly(f"again-seed-{first.id}", "8")
    visitor.click_at_once("again-start")
    visitor.see("seed 8")
    newest = Jobs(place).of("other")
    assert newest is not None
    assert newest.request.seed == 8
