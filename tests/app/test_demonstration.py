"""The bundled demonstration: what a newcomer meets, that it stays as it is, and the copy to work with."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.base.escaped_text import plain
from app.data.bundled import NAMES, RUNS
from app.data.runs import DEMONSTRATION
from app.demonstration_assets import LARGEST_MB, NOTE
from app.shell import own_copy
from cl_core.archive.prune import folder_bytes
from cl_core.runs.workspace import READ_ONLY, Workspace
from tests.app.conftest import ROOT
from tests.patience import PATIENCE

Visit = Callable[..., AppTest]
OF_A_RUN = ("start", "map", "routing", "sample", "forgetting", "compare")
"""Pages that show the run that is chosen; the others are the same whichever it is."""
OTHERS = sorted({page.stem for page in (ROOT / "pages").glob("[a-z]*.py")} - set(OF_A_RUN))


def files(root: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below a folder."""
    return {
        str(file.relative_to(root)): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def untouched() -> Iterator[None]:
    """Whatever these tests do in the app: not one file of the demonstration changes."""
    before = files(DEMONSTRATION)
    yield
    assert files(DEMONSTRATION) == before


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The visitor's own workspace, which is not there yet."""
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(tmp_path / "mine"))
    return Workspace(tmp_path / "mine")


@pytest.fixture
def visit(mine: Workspace) -> Visit:
    """visit("forgetting", run="dam") -> the page in a fresh browser, as a link to the demonstration opens it."""

    def open_it(page: str = "start", run: str | None = None) -> AppTest:
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
        if run is not None:
            test.query_params["ws"], test.query_params["run"] = "Demonstration", run
        test.run()
        if page != "start":
            test.switch_page(f"../pages/{page}.py").run()
        if run is not None:
            box = next(element for element in test.selectbox if element.key == "run")
            box.set_value(run)
            test.run()
        assert not test.exception, test.exception
        return test

    return open_it


def workspace_shown(page: AppTest) -> str:
    return str(page.segmented_control(key="ws").value)


def button(page: AppTest, label: str) -> object:
    return next(element for element in page.button if element.label == label)


def test_the_bundle_is_whole_small_and_marked() -> None:
    bundle = Workspace(DEMONSTRATION)
    assert (DEMONSTRATION / READ_ONLY).read_text(encoding="utf-8") == NOTE
    assert folder_bytes(DEMONSTRATION) < LARGEST_MB * 1e6
    assert {run.name for run in bundle.runs()} == set(NAMES)
    for bundled_run in RUNS:
        run = bundle.find(bundled_run.name)
        assert run.status == "finished"
        assert (run.config.stream, run.config.recipe.name) == (
            bundled_run.stream,
            bundled_run.recipe,
        )
    for kind in (DEMONSTRATION / "store").iterdir():
        for key in bundle.store.keys(kind.name):
            assert bundle.store.read(kind.name, key) is not None, (kind.name, key)


ABSOLUTE = re.compile(r"(?<![\w.:/])/(?!/)\w[\w.-]*/\w|\b[A-Z]:\\\\")
"""A path from a machine's root; none of the bundled files needs one."""


def test_it_names_no_place_of_the_machine_that_made_it() -> None:
    assert ABSOLUTE.search("made in /somewhere/else")
    for file in DEMONSTRATION.rglob("*"):
        if file.suffix in (".json", ".jsonl", ".yaml"):
            absolute_path = ABSOLUTE.search(file.read_text(encoding="utf-8"))
            assert absolute_path is None, (file, absolute_path)


def test_a_newcomer_begins_at_the_demonstration(visit: Visit) -> None:
    page = visit()
    assert workspace_shown(page) == "Demonstration"
    heads = [element.value for element in page.header]
    assert heads[0] == "Explore the demonstration"
    assert "The demonstration's runs" in heads
    shown = [element.value for element in page.markdown]
    assert [name for name in NAMES if f"**{plain(name)}**" not in shown] == []


def test_its_runs_are_listed_in_their_order_whatever_the_times_of_the_files(visit: Visit) -> None:
    page = visit()
    box = next(element for element in page.selectbox if element.key == "run")
    assert tuple(box.options) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("run", NAMES)
def test_every_page_opens_on_every_run_of_it(visit: Visit, run: str) -> None:
    test = visit(run=run)
    for page in OF_A_RUN[1:]:
        test.switch_page(f"../pages/{page}.py").run()
        box = next(element for element in test.selectbox if element.key == "run")
        assert box.value == run
        assert not test.exception, (page, test.exception)
        assert not test.error, (page, [element.value for element in test.error])


@pytest.mark.parametrize("page", OTHERS)
def test_the_other_pages_open_on_it(visit: Visit, page: str) -> None:
    test = visit(page, run="dam")
    assert workspace_shown(test) == "Demonstration"
    assert not test.error


@pytest.mark.parametrize("run", ["dam", "sequential", "clips-dam"])
def test_its_maps_are_there_before_anybody_asks(
    visit: Visit, run: str, mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.data import projections

    def refuse(*_: object) -> None:
        raise AssertionError("a map is being computed")

    monkeypatch.setattr(projections.Worker, "ensure", refuse)
    page = visit("map", run=run)
    assert any(element.value.startswith("UMAP of the router features") for element in page.header)
    assert not mine.root.exists()


def test_looking_around_makes_no_workspace_of_ones_own(visit: Visit, mine: Workspace) -> None:
    for page in ("forgetting", "routing", "compare", "learn"):
        visit(page, run="dam")
    assert not mine.root.exists()


def test_one_button_copies_it_and_turns_to_the_copy(visit: Visit, mine: Workspace) -> None:
    page = visit("forgetting", run="adapters")
    button(page, "Work with a copy").click()
    page.run()
    assert not page.exception
    assert workspace_shown(page) == "Mine"
    assert next(element for element in page.selectbox if element.key == "run").value == "adapters"
    assert [run.name for run in mine.runs()] == list(NAMES)
    assert not mine.read_only
    before = files(mine.root / "runs"), files(mine.root / "store")
    again = visit("forgetting", run="adapters")
    button(again, "Go to my copy").click()
    again.run()
    assert workspace_shown(again) == "Mine"
    assert (files(mine.root / "runs"), files(mine.root / "store")) == before


def test_a_run_of_ones_own_of_the_same_name_stays(visit: Visit, mine: Workspace) -> None:
    config = Workspace(DEMONSTRATION).find("dam").config.model_copy(update={"seed": 7})
    mine.run("dam").create(config)
    page = visit("forgetting", run="adapters")
    button(page, "Work with a copy").click()
    page.run()
    assert not page.exception
    assert mine.find("dam").config.seed == 7
    assert mine.find("adapters").status == "finished"


def test_a_disk_that_takes_no_copy_is_said_in_the_houses_words(
    visit: Visit, mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(mine.root))

    monkeypatch.setattr(own_copy, "copy_runs", refused)
    page = visit("forgetting", run="adapters")
    button(page, "Work with a copy").click()
    page.run()
    assert not page.exception
    assert workspace_shown(page) == "Demonstration"
    (said,) = [element.value for element in page.warning if "copied" in element.value]
    assert "is on a file system that may only be read" in said
    assert "Errno" not in said


def test_who_has_runs_of_their_own_begins_with_them(visit: Visit, mine: Workspace) -> None:
    page = visit("forgetting", run="adapters")
    button(page, "Work with a copy").click()
    page.run()
    assert workspace_shown(visit()) == "Mine"


def test_a_slice_of_it_is_kept_in_the_copy(visit: Visit, mine: Workspace) -> None:
    page = visit("map", run="dam")
    page.selectbox(key="from_task").set_value("1 restaurants")
    page.run()
    page.text_input(key="slice-name").set_value("all restaurants")
    button(page, "Save").click()
    page.run()
    assert not page.exception
    assert not page.error
    assert "the demonstration is read\\-only" in page.success[0].value.lower()
    assert (mine.root / "slices" / "all restaurants.json").is_file()
    assert mine.find("dam").exists


def test_training_from_it_takes_its_store_along(
    visit: Visit, mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cl_core.jobs.queue import Jobs

    monkeypatch.setattr(Jobs, "wake", lambda self: None)  # queued, and nobody works
    page = visit("train", run="dam")
    next(element for element in page.button if element.key == "start").click()
    page.run()
    assert not page.exception
    assert workspace_shown(page) == "Mine"
    assert len(Jobs(mine).all()) == 1
    assert mine.find("dam").exists
