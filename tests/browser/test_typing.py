"""What was typed last counts: a click straight after typing, at human speed, without Enter or Tab.

What was recorded is compared: a job's request, a stream's file, a slice, what was taken in. Jobs wait for ever here, as
somebody else holds the queue's lock; nothing is trained, and the hub is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from app.preferences import OFFLINE_VARIABLE
from app.stream_files import stream_files
from app.uploads import data
from cl_core.lab.jobs import Jobs
from cl_core.lab.packing import baggage, write_zip
from cl_core.lab.slices import slices
from cl_core.lab.workspace import Workspace
from cl_core.store import RunLock
from cl_core.tasks.load import find_stream
from cl_core.tasks.stream_file import dump_stream
from tests.browser.serving import Server
from tests.browser.visiting import Visitor


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("typing") / "workspace")
    data(workspace).mkdir(parents=True)
    jobs = Jobs(workspace)
    jobs.root.mkdir(parents=True)
    with RunLock(jobs.lock_path):
        yield workspace


@pytest.fixture(scope="module")
def visitor(place: Workspace, browser: Browser) -> Iterator[Visitor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(OFFLINE_VARIABLE, "1")
        server = Server(place.root, place.root.parent / "server.log")
        server.start()
    try:
        visitor = Visitor(browser, server.url)
        yield visitor
        visitor.leave()
    finally:
        server.kill()


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
    visitor.choose("preset", "dam-published")  # what was typed stays
    visitor.type_slowly("set-limit_train", "24")
    visitor.type_slowly("set-backbone-other", "/models/mine")
    visitor.click_at_once("start")
    visitor.see("Jobs, the newest first")
    (job,) = Jobs(place).all()
    assert (job.request.run, job.request.seed) == ("mine", 7)
    typed = {"learning_rate": 0.0005, "limit_train": 24, "backbone": "/models/mine"}
    assert job.request.settings == typed


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


def test_a_slice_has_the_name_on_the_screen(visitor: Visitor, place: Workspace) -> None:
    visitor.go("map", ws="Demonstration", run="dam", from_task="2 films")
    visitor.type_slowly("slice-name", "as typed")
    visitor.click_at_once("save-now")
    visitor.see("samples saved as")
    assert [each.name for each in slices(place, "dam")] == ["as typed"]


def test_what_is_taken_in_is_the_file_on_the_screen(visitor: Visitor, place: Workspace) -> None:
    text = dump_stream(find_stream("domains-dil")[0])
    for name in ("first", "typed"):
        file = place.root.parent / name / "streams" / f"came-{name}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        with (data(place) / f"{name}.zip").open("wb") as packed:
            write_zip(baggage(Workspace(file.parents[1])), packed)
    visitor.go("settings", ws="Mine")
    visitor.fill("take-in-path", "first.zip")
    visitor.type_slowly("take-in-path", "typed.zip")
    visitor.click_at_once("take-in-now")
    visitor.see("1 other new files")
    assert [file.stem for file in stream_files(place) if file.stem.startswith("came")] == [
        "came-typed"
    ]
