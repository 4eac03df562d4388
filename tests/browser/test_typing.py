"""What was typed last counts: a click straight after typing, at human speed, without Enter or Tab.

What was recorded is compared: a job's request, a stream's file, a slice, what was taken in. Jobs wait for ever here, as
somebody else holds the queue's lock; nothing is trained, and the hub is not asked.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from app.base.links import PINNED
from app.data.server_paths import uploaded
from app.data.stream_edits import copied
from app.data.stream_files import drafts, file_of, save, stream_files
from app.shell.preferences import OFFLINE_VARIABLE
from app.shell.uploads import waiting
from cl_core.archive.pack import archive_contents, write_zip
from cl_core.jobs.queue import Jobs
from cl_core.runs.slices import slices
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.stream_file import dump_stream, read_stream_file
from cl_core.tasks.stream_loader import find_stream
from tests.browser.serving import Server
from tests.browser.visiting import Visitor
from tests.patience import wait_for


@pytest.fixture(scope="module")
def workspace(finished_lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("typing") / "workspace")
    shutil.copytree(finished_lab, workspace.root)  # with its run, whose samples can be asked about
    uploaded(workspace).mkdir(parents=True)
    jobs = Jobs(workspace)
    jobs.root.mkdir(parents=True)
    with RunLock(jobs.lock_path):
        yield workspace


@pytest.fixture(scope="module")
def visitor(workspace: Workspace, browser: Browser) -> Iterator[Visitor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(OFFLINE_VARIABLE, "1")
        server = Server(workspace.root, workspace.root.parent / "server.log")
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
    visitor: Visitor, workspace: Workspace
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
    (job,) = Jobs(workspace).all()
    assert (job.request.run, job.request.seed) == ("mine", 7)
    typed = {"learning_rate": 0.0005, "limit_train": 24, "backbone": "/models/mine"}
    assert job.request.settings == typed


def test_a_number_that_is_emptied_or_taken_back_is_the_presets_own_on_the_screen(
    visitor: Visitor,
) -> None:
    visitor.go("train", ws="Mine", on="domains-dil", show="New run")
    epochs = visitor.by("set-epochs").locator("input")
    initial = epochs.input_value()
    visitor.fill("set-epochs", "7")
    expect(epochs).to_have_value("7")
    visitor.fill("set-epochs", "")
    expect(epochs).to_have_value(initial)
    visitor.fill("set-epochs", "7")
    visitor.press_key("take-back")
    expect(epochs).to_have_value(initial)
    visitor.fill("seed", "")
    visitor.click_at_once("start")
    visitor.see("Not started. The seed is empty")


def test_a_run_again_has_the_name_and_the_seed_on_the_screen(
    visitor: Visitor, workspace: Workspace
) -> None:
    (first,) = [job for job in Jobs(workspace).all() if job.request.run == "mine"]
    visitor.go("train", ws="Mine", show="Jobs", job="mine")
    visitor.press("Run again")
    visitor.type_slowly(f"again-name-{first.id}", "other")
    visitor.type_slowly(f"again-seed-{first.id}", "8")
    visitor.click_at_once("again-start")
    visitor.see("seed 8")
    expect(visitor.page.get_by_test_id("stPopoverBody")).to_have_count(0)
    newest = Jobs(workspace).of("other")
    assert newest is not None
    assert newest.request.seed == 8


def test_a_slice_has_the_name_on_the_screen(visitor: Visitor, workspace: Workspace) -> None:
    visitor.go("map", ws="Mine", run="dam", projection="PCA", from_task="2 films")
    visitor.type_slowly("slice-name", "as typed")
    visitor.click_at_once("save-now")
    visitor.see("samples saved as")
    assert [saved_slice.name for saved_slice in slices(workspace, "dam")] == ["as typed"]


def test_what_is_taken_in_is_the_file_on_the_screen(visitor: Visitor, workspace: Workspace) -> None:
    text = dump_stream(find_stream("domains-dil")[0])
    for name in ("first", "typed"):
        file = workspace.root.parent / name / "streams" / f"came-{name}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        with (uploaded(workspace) / f"{name}.zip").open("wb") as packed:
            write_zip(archive_contents(Workspace(file.parents[1])), packed)
    visitor.go("settings", ws="Mine")
    visitor.fill("take-in-path", "first.zip")
    visitor.type_slowly("take-in-path", "typed.zip")
    visitor.click_at_once("take-in-now")
    visitor.see("1 other new file")
    assert [file.stem for file in stream_files(workspace) if file.stem.startswith("came")] == [
        "came-typed"
    ]


@pytest.fixture(scope="module")
def changed_stream(workspace: Workspace) -> str:
    """A stream that is changed by one test after another, as addresses name it."""
    spec, folder = find_stream("domains-dil")
    return f"streams/{save(workspace, copied(spec, 'own', folder), '').name}"


def adding(visitor: Visitor, label: str, way: str) -> None:
    """Goes where tasks are added to a stream; a page that is open already is not fetched again."""
    if urlsplit(visitor.page.url).path == "/stream" and asked(visitor).get("stream") == [label]:
        visitor.option(way).click()
        visitor.settle()
    else:
        visitor.go("stream", ws="Mine", stream=label, add_from=way)


def tasks(workspace: Workspace, name: str = "own") -> list[str]:
    return [task.name for task in stream(workspace, name).tasks]


def stream(workspace: Workspace, name: str = "own") -> StreamSpec:
    return read_stream_file(file_of(workspace, name))


def asked(visitor: Visitor) -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(visitor.page.url).query)


def closed(visitor: Visitor) -> None:
    """No popover is left open."""
    expect(visitor.page.get_by_test_id("stPopoverBody")).to_have_count(0)


def table(folder: Path, name: str) -> Path:
    """Forty rows of two classes."""
    rows = [f"row {row} goes {'up' if row % 2 else 'down'},{row % 2}" for row in range(40)]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("\n".join(["text,label", *rows]))
    return file


def test_a_new_stream_and_a_copy_have_the_names_on_the_screen(
    visitor: Visitor, workspace: Workspace
) -> None:
    visitor.go("stream", ws="Mine", stream="domains-dil")
    visitor.button("New stream").click()
    visitor.type_slowly("new-name", "begun")
    visitor.click_at_once("new-create")
    visitor.see("A new stream. Add its first task from here:")
    assert list(drafts(workspace)) == ["begun"]
    closed(visitor)
    visitor.choose("stream", "domains-dil")
    visitor.button("Copy and change").click()
    visitor.type_slowly("copy-name", "taken-over")
    visitor.click_at_once("copy-create")
    visitor.see("Add tasks from")
    assert tasks(workspace, "taken-over") == ["restaurants", "films", "products"]
    closed(visitor)
    visitor.choose("stream", "domains-dil")
    with visitor.page.expect_download() as taken:
        visitor.click_at_once("yaml-stream")
    assert taken.value.suggested_filename == "domains-dil.yaml"
    assert taken.value.path().read_text() == dump_stream(find_stream("domains-dil")[0])


def test_a_task_has_the_name_on_the_screen_and_the_one_removed_is_gone(
    visitor: Visitor, workspace: Workspace, changed_stream: str
) -> None:
    visitor.go("stream", ws="Mine", stream=changed_stream)
    visitor.by("change-films-0").get_by_role("button").first.click()
    visitor.type_slowly(f"name-{changed_stream}-films", "pictures")
    visitor.click_at_once("rename-films")
    visitor.see("2 pictures")
    assert tasks(workspace) == ["restaurants", "pictures", "products"]
    closed(visitor)
    visitor.by("change-restaurants-0").get_by_role("button").first.click()
    visitor.type_slowly(f"name-{changed_stream}-restaurants", "never sent")
    visitor.click_at_once("remove-restaurants")
    visitor.see("1 pictures")
    assert tasks(workspace) == ["pictures", "products"]
    closed(visitor)


def test_tasks_from_the_gallery_are_those_picked_on_the_screen(
    visitor: Visitor, workspace: Workspace, changed_stream: str
) -> None:
    before = tasks(workspace)
    adding(visitor, changed_stream, "Gallery")
    visitor.choose("gallery", "domains")
    visitor.by("gallery-tasks-domains").get_by_text("products", exact=True).click()
    visitor.click_at_once("add-gallery")
    visitor.see(re.compile(r"^\d products-2$"))
    assert tasks(workspace) == [*before, "products-2"]


def test_an_upload_outlives_a_reload_and_becomes_a_task_of_the_name_on_the_screen(
    visitor: Visitor, workspace: Workspace, changed_stream: str
) -> None:
    adding(visitor, changed_stream, "File")
    visitor.give("upload", table(workspace.root.parent, "lifts.csv"))
    visitor.see(re.compile(r"2 classes: ready\."))
    visitor.page.reload()
    visitor.settle()
    visitor.see("Received before, and not added yet")
    (received,) = waiting(workspace)
    visitor.type_slowly(f"map-name-{received.path}", "lifts")
    visitor.click_at_once("add-mapped")
    visitor.see(re.compile(r"^\d lifts$"))
    assert stream(workspace).tasks[-1].path == "../data/lifts/lifts.csv"
    assert not waiting(workspace)


def test_a_task_from_a_path_has_the_name_on_the_screen_and_is_not_of_another_path(
    visitor: Visitor, workspace: Workspace, changed_stream: str
) -> None:
    first, other = (table(uploaded(workspace), f"{name}.csv") for name in ("first", "other"))
    before = tasks(workspace)
    adding(visitor, changed_stream, "Path on the server")
    visitor.fill("server-path", first.name)
    visitor.see(re.compile(r"2 classes: ready\."))
    visitor.type_slowly("server-path", other.name)
    visitor.click_at_once("add-mapped")
    refusal = visitor.page.get_by_text(re.compile("nothing was done"))
    wait_for(lambda: refusal.count() or tasks(workspace) != before)
    pointed = other
    if tasks(workspace) != before:  # while the mouse was down the other's columns had come
        assert stream(workspace).tasks[-1].path == "../data/other.csv"
        adding(visitor, changed_stream, "Path on the server")
        visitor.fill("server-path", first.name)
        visitor.see(re.compile(r"2 classes: ready\."))
        pointed = first
    visitor.type_slowly(f"map-name-../data/{pointed.name}", "pointed")
    visitor.click_at_once("add-mapped")
    visitor.see(re.compile(r"^\d pointed$"))
    assert stream(workspace).tasks[-1].path == f"../data/{pointed.name}"


def test_the_hub_is_asked_for_the_data_set_on_the_screen(
    visitor: Visitor, changed_stream: str
) -> None:
    adding(visitor, changed_stream, "Hub")
    visitor.type_slowly("hub-name", "somebody/typed")
    visitor.click_at_once("hub-ask")
    visitor.see(re.compile("^somebody/typed: the hub cannot be reached"))
    visitor.type_slowly("hub-revision", "0" * 40)
    visitor.click_at_once("hub-load")
    expect(visitor.by("map-name-somebody/typed")).to_be_visible()


def test_what_is_pinned_is_the_text_on_the_screen_and_outlives_reload_and_back(
    visitor: Visitor, workspace: Workspace
) -> None:
    visitor.go("sample", ws="Mine", run="dam", **{"from": "my own", "own": "the soup was cold"})
    visitor.type_slowly("own", "dull, dull film")
    visitor.click_at_once("pin")
    pinned = visitor.by("figure-side-by-side").locator(".ytick text", has_text="dull, dull film")
    expect(pinned).to_have_count(1)
    assert [json.loads(pin) for pin in asked(visitor)[PINNED]] == [{"text": "dull, dull film"}]
    visitor.page.reload()
    visitor.settle()
    expect(pinned).to_have_count(1)
    visitor.turn_to("Settings")
    visitor.go_back()
    expect(pinned).to_have_count(1)
    visitor.press("Unpin all")
    expect(pinned).to_have_count(0)


def test_the_text_of_ones_own_that_is_on_the_map_is_the_one_that_is_asked_about(
    visitor: Visitor, workspace: Workspace
) -> None:
    visitor.go("map", ws="Mine", run="dam", projection="PCA", mine="the soup was cold")
    visitor.button("Add my own sample").click()
    visitor.type_slowly("mine", "a dull film")
    visitor.click_at_once("ask-own")
    visitor.see("How was this sample answered?")
    assert asked(visitor)["own"] == ["a dull film"]
