"""Train, as a visitor meets it: the form, the queue, a job in each state."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.base.escaped_text import plain
from app.data.training import duration, way_out
from cl_core.jobs.job import Job, Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.recipes.named import load_recipe
from cl_core.recipes.recipe import Recipe
from cl_core.runs.events import FailureEvent, StartEvent
from cl_core.runs.kill_words import kill_words
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.app.conftest import EXPANDER, Open
from tests.long_runs import standing_still
from tests.patience import wait_for

MINE = Recipe(name="mine", initialise="random", train="isolated", route="uniform", compose="merge")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose queue nobody works off, so that jobs stay in the state that a test gives them."""
    monkeypatch.setattr(Jobs, "wake", lambda self: None)
    return Workspace(tmp_path / "workspace")


def submit(workspace: Workspace, run: str = "first", **changed: object) -> Job:
    return Jobs(workspace).submit(Request(run=run, stream="domains-dil", recipe="dam", **changed))


def box(page: AppTest, key: str) -> object:
    return next(element for element in page.selectbox if element.key == key)


def button(page: AppTest, key: str) -> object:
    return next(element for element in page.button if element.key == key)


def show(page: AppTest, what: str) -> None:
    page.segmented_control(key="show").set_value(what)
    page.run()
    assert not page.exception, page.exception


def test_a_named_recipe_fills_the_four_slots(open_page: Open, workspace: Workspace) -> None:
    page = open_page("train", workspace=workspace.root)
    box(page, "recipe").set_value("ewc")
    page.run()
    slots = [
        box(page, f"slot-{slot}").value for slot in ("initialise", "train", "route", "compose")
    ]
    assert slots == ["previous", "ewc", "uniform", "select"]


def test_an_impossible_mix_is_refused_with_its_reason(
    open_page: Open, workspace: Workspace
) -> None:
    page = open_page("train", workspace=workspace.root)
    box(page, "slot-compose").set_value("fusion")
    page.run()
    assert "fusion belongs to one task" in page.error[0].value
    button(page, "start").click()
    page.run()
    assert "Not started" in page.error[1].value
    assert Jobs(workspace).all() == []


def test_what_was_put_together_is_what_is_queued(open_page: Open, workspace: Workspace) -> None:
    page = open_page("train", workspace=workspace.root)
    box(page, "on").set_value("domains-dil")
    box(page, "slot-route").set_value("oracle")
    page.run()
    epochs = next(element for element in page.number_input if element.key.endswith("-epochs"))
    epochs.set_value(2)
    page.run()
    button(page, "start").click()
    page.run()
    assert not page.exception, page.exception
    (job,) = Jobs(workspace).all()
    assert job.request.stream == "domains-dil"
    assert job.request.settings == {"epochs": 2}
    assert (job.path / "recipe.yaml").is_file()
    assert page.session_state["show"] == "Jobs"
    assert page.radio(key="job").options == [job.request.run]


def test_what_was_typed_stays_when_the_recipe_or_the_preset_changes(
    open_page: Open, workspace: Workspace
) -> None:
    page = open_page("train", workspace=workspace.root)
    page.number_input(key="set-batch_size").set_value(8)
    page.number_input(key="set-clip").set_value(0.5)
    page.text_input(key="set-backbone-other").set_value("/models/mine")
    page.run()
    box(page, "preset").set_value("dam-published")
    page.number_input(key="set-warmup").set_value(0.2)  # typed last, and not sent before
    page.run()
    fields = {element.key: element.value for element in page.number_input}
    assert (fields["set-batch_size"], fields["set-clip"], fields["set-warmup"]) == (8, 0.5, 0.2)
    assert (fields["set-epochs"], fields["set-learning_rate"]) == (20, 5e-5)  # the preset's own
    assert fields["set-patience"] is None
    box(page, "recipe").set_value("l2r-wavg")
    page.run()
    assert page.number_input(key="set-batch_size").value == 8
    button(page, "start").click()
    page.run()
    (job,) = Jobs(workspace).all()
    typed = {"batch_size": 8, "clip": 0.5, "warmup": 0.2, "backbone": "/models/mine"}
    assert job.request.settings == typed


def test_what_was_typed_stays_where_it_is_what_a_preset_would_say(
    open_page: Open, workspace: Workspace
) -> None:
    """Preset dam-published has 20 epochs and no patience."""
    page = open_page("train", workspace=workspace.root)
    initial = page.number_input(key="set-batch_size").value
    page.number_input(key="set-epochs").set_value(20)
    page.number_input(key="set-patience").set_value(None)
    page.number_input(key="set-batch_size").set_value(initial + 1)
    page.run()
    page.number_input(key="set-batch_size").set_value(initial)  # as it was, but typed
    page.run()
    for preset in ("dam-published", "l2r-published", "default"):
        box(page, "preset").set_value(preset)
        page.run()
        assert page.number_input(key="set-epochs").value == 20
        assert page.number_input(key="set-patience").value is None
        assert page.number_input(key="set-batch_size").value == initial
    box(page, "recipe").set_value("l2r-wavg")
    page.run()
    box(page, "recipe").set_value("dam")
    page.run()
    captions = " ".join(element.value for element in page.caption)
    words = "Yours, though they are the recipe's and the preset's own: batch size"
    assert plain(words) in captions
    button(page, "start").click()
    page.run()
    (job,) = Jobs(workspace).all()
    assert job.request.settings == {"epochs": 20, "patience": None}


def test_what_was_typed_is_taken_back_by_emptying_the_field_or_all_at_once(
    open_page: Open, workspace: Workspace
) -> None:
    page = open_page("train", workspace=workspace.root)
    initial = page.number_input(key="set-epochs").value
    assert "take-back" not in {element.key for element in page.button}
    page.number_input(key="set-epochs").set_value(20)
    page.number_input(key="set-batch_size").set_value(8)
    page.text_input(key="set-hold_out").set_value("films")
    page.run()
    page.number_input(key="set-epochs").set_value(None)
    page.run()
    assert page.number_input(key="set-epochs").value == initial, "what it means is shown"
    box(page, "preset").set_value("dam-published")
    page.run()
    assert page.number_input(key="set-epochs").value == 20, "which is the preset's"
    assert page.number_input(key="set-batch_size").value == 8
    box(page, "preset").set_value("default")
    page.run()
    assert page.number_input(key="set-epochs").value == initial
    button(page, "take-back").click()
    page.run()
    assert not page.exception, page.exception
    assert page.number_input(key="set-batch_size").value == 16
    assert page.text_input(key="set-hold_out").value == ""
    button(page, "start").click()
    page.run()
    (job,) = Jobs(workspace).all()
    assert job.request.settings == {}


def test_no_emptied_number_is_taken_for_0(open_page: Open, workspace: Workspace) -> None:
    page = open_page("train", workspace=workspace.root)
    initial = {field.key: field.value for field in page.number_input if field.key != "seed"}
    assert len(initial) > 20
    for field in page.number_input:
        field.set_value(None)
    page.run()
    said = {field.key: field.value for field in page.number_input if field.key != "seed"}
    for key, value in initial.items():
        assert said[key] in (value, None), key
    button(page, "start").click()
    page.run()
    empty = "The seed is empty: it is a whole number from 0 on"
    assert plain(f"Not started. {empty}") in page.error[-1].value
    assert Jobs(workspace).all() == []
    page.number_input(key="seed").set_value(3)
    page.run()
    button(page, "start").click()
    page.run()
    (job,) = Jobs(workspace).all()
    assert job.request.seed == 3
    job.begin()
    job.end(Outcome(state="stopped"))
    show(page, "Jobs")
    page.number_input(key=f"again-seed-{job.id}").set_value(None)
    button(page, "again-start").click()
    page.run()
    assert plain(empty) in page.error[0].value
    assert len(Jobs(workspace).all()) == 1


def test_what_was_typed_under_all_settings_holds_when_they_are_closed(
    open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "expander", EXPANDER)
    page = open_page("train", workspace=workspace.root)

    def drawn() -> set[str]:
        return {element.key for element in (*page.number_input, *page.text_input)}

    assert "set-epochs" in drawn()
    assert "set-clip" not in drawn()
    page.session_state["all-settings"] = True
    page.run()
    page.number_input(key="set-clip").set_value(0.5)
    page.text_input(key="set-hold_out").set_value("films, books")
    page.session_state["all-settings"] = False
    page.run()
    assert "set-clip" not in drawn()
    captions = " ".join(element.value for element in page.caption)
    assert plain("clip 0.5, hold out films, books") in captions
    box(page, "recipe").set_value("l2r-wavg")
    page.run()
    page.switch_page("../pages/start.py").run()
    page.switch_page("../pages/train.py").run()
    page.session_state["all-settings"] = True
    page.run()
    assert page.number_input(key="set-clip").value == 0.5
    assert page.number_input(key="set-warmup").value is not None
    page.session_state["all-settings"] = False
    page.run()
    button(page, "start").click()
    page.run()
    (job,) = Jobs(workspace).all()
    assert job.request.settings == {"clip": 0.5, "hold_out": ["films", "books"]}


def test_what_was_typed_for_another_run_is_not_in_a_form_that_a_job_fills(
    open_page: Open, workspace: Workspace
) -> None:
    job = submit(workspace, settings={"epochs": 7, "hold_out": ["films", "books"]})
    job.begin()
    job.end(Outcome(state="failed", message="odd"))
    page = open_page("train", workspace=workspace.root)
    page.number_input(key="set-batch_size").set_value(8)
    page.run()
    show(page, "Jobs")
    button(page, "change").click()
    page.run()
    assert page.number_input(key="set-batch_size").value == 16
    assert page.text_input(key="set-hold_out").value == "films, books"


def test_a_setting_may_be_yes_no_or_left_to_the_backbone(
    open_page: Open, workspace: Workspace
) -> None:
    page = open_page("train", workspace=workspace.root)
    field = next(element for element in page.selectbox if element.key.endswith("-clip_changes"))
    assert list(field.options) == ["as it comes", "yes", "no"]
    assert field.value is None
    assert field.placeholder == "as it comes", "which is what is seen of it"
    field.set_value(False)
    page.run()
    button(page, "start").click()
    page.run()
    (job,) = Jobs(workspace).all()
    assert job.request.settings == {"clip_changes": False}


def test_settings_that_cannot_be_are_refused(open_page: Open, workspace: Workspace) -> None:
    page = open_page("train", workspace=workspace.root)
    next(element for element in page.number_input if element.key.endswith("-epochs")).set_value(0)
    page.run()
    assert "epochs" in page.error[0].value
    button(page, "start").click()
    page.run()
    assert "Not started" in page.error[0].value
    assert Jobs(workspace).all() == []


def test_a_waiting_job_can_be_cancelled_and_go_on(open_page: Open, workspace: Workspace) -> None:
    job = submit(workspace)
    page = open_page("train", workspace=workspace.root)
    show(page, "Jobs")
    button(page, "stop").click()
    page.run()
    assert job.state == "cancelled"
    button(page, "go-on").click()
    page.run()
    assert not page.exception, page.exception
    assert [listed.state for listed in Jobs(workspace).all()] == ["cancelled", "queued"]


def test_a_guest_looks_on_and_changes_nothing(
    open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(workspace)
    page = open_page("train", workspace=workspace.root)
    monkeypatch.setattr("app.train.new_run.is_guest", lambda: True)
    monkeypatch.setattr("app.train.train_jobs.is_guest", lambda: True)
    show(page, "New run")
    show(page, "Jobs")
    assert not {"start", "stop", "again-start", "change"} & {element.key for element in page.button}


def test_an_unknown_job_in_a_link_is_said(open_page: Open, workspace: Workspace) -> None:
    submit(workspace)
    page = open_page("train", workspace=workspace.root)
    page.query_params["job"] = "gone"
    show(page, "Jobs")
    assert any("no job" in element.value for element in page.warning)


def test_a_job_that_was_killed_says_by_what(open_page: Open, workspace: Workspace) -> None:
    job = submit(workspace)
    job.begin()
    job.end(Outcome(state="interrupted", message=kill_words("SIGKILL")))
    page = open_page("train", workspace=workspace.root)
    show(page, "Jobs")
    (said,) = (element.value for element in page.warning)
    assert said.startswith("Its process was killed from outside \\(SIGKILL\\), as a system that")
    assert said.endswith("*Resume* continues from its last checkpoint.")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are read from /proc")
def test_a_job_that_was_stopped_by_a_signal_stands_still_on_the_page(
    open_page: Open, workspace: Workspace
) -> None:
    job = submit(workspace)
    job.begin()
    line = "import sys, time; from cl_core.store import RunLock; RunLock(sys.argv[1]).acquire(); time.sleep(600)"
    holder = subprocess.Popen([sys.executable, "-c", line, str(job.lock_path)])
    try:
        wait_for(lambda: job.state == "running")
        with standing_still(holder.pid):
            wait_for(lambda: job.standstill)
            page = open_page("train", workspace=workspace.root)
            show(page, "Jobs")
            assert page.radio(key="job").proto.captions == [":material/pause_circle: stands still"]
            assert any("kill \\-CONT" in warning.value for warning in page.warning)
        wait_for(lambda: not job.standstill)
        page.run()
        assert page.radio(key="job").proto.captions == [":material/play_circle: training"]
        assert not page.warning
    finally:
        holder.kill()
        holder.wait()


def test_a_failed_job_says_why_and_what_to_do(open_page: Open, workspace: Workspace) -> None:
    job = submit(workspace)
    job.begin()
    job.log_path.write_text("loading\ntorch.OutOfMemoryError: CUDA out of memory")
    job.end(Outcome(state="failed", message="torch.OutOfMemoryError: CUDA out of memory"))
    page = open_page("train", workspace=workspace.root)
    show(page, "Jobs")
    assert "smaller batch size" in page.error[0].value
    assert any("OutOfMemoryError" in element.value for element in page.code)
    button(page, "remove").click()
    page.run()
    assert Jobs(workspace).all() == []
    assert any("Nothing has been trained" in element.value for element in page.markdown)


def test_what_a_run_said_when_it_failed_is_over_as_soon_as_a_job_goes_on_with_it(
    open_page: Open, workspace: Workspace, small_workspace: Path
) -> None:
    """Its own events say so seconds later, when its process has begun."""
    run = workspace.run("first")
    shutil.copytree(small_workspace / "runs" / "dam", run.path)
    run.record(FailureEvent(message="UserError: the disk is full"))
    job = submit(workspace)
    job.begin()
    job.end(Outcome(state="failed", message="the disk is full"))
    page = open_page("train", run="first", workspace=workspace.root)
    show(page, "Jobs")
    assert len([error for error in page.error if "the disk is full" in error.value]) == 2
    assert page.selectbox(key="run").options == ["first · failed"]
    button(page, "go-on").click()
    page.run()
    assert not page.error
    assert page.selectbox(key="run").options == ["first · queued"]
    again = Jobs(workspace).of("first")
    assert again is not None
    again.begin()
    with RunLock(again.lock_path):
        page.run()
        assert not page.error
        assert page.selectbox(key="run").options == ["first · running"]
        (bar,) = (element.proto.text for element in page.get("progress"))
        assert bar.startswith("Preparing"), "not where the attempt before came to"
        run.record(StartEvent(process=1, device="cpu", steps=9))
        page.run()
        (bar,) = (element.proto.text for element in page.get("progress"))
        assert "loading the stream" in bar
    run.record(FailureEvent(message="UserError: the disk is full"))
    again.end(Outcome(state="failed", message="the disk is full"))
    page.run()
    assert len([error for error in page.error if "the disk is full" in error.value]) == 2


@pytest.mark.parametrize("run", ["dam", "l2r"])
def test_a_finished_job_shows_its_matrix_and_runs_again_under_another_name(
    open_page: Open, small_workspace: Path, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    monkeypatch.setattr(Jobs, "wake", lambda self: None)
    workspace = Workspace(small_workspace)
    job = submit(workspace, run)
    try:
        job.begin()
        job.end(Outcome(state="finished"))
        page = open_page("train")
        show(page, "Jobs")
        assert any("Score matrix" in header.value for header in page.header)
        if run == "l2r":
            box(page, "curves-of").set_value("training the routers")
            page.run()
            assert not page.exception, page.exception
        button(page, "again-start").click()
        page.run()
        assert {listed.request.run for listed in Jobs(workspace).all()} == {run, f"{run}-2"}
    finally:
        for listed in Jobs(workspace).all():
            listed.stop()
            Jobs(workspace).remove(listed)


def test_a_recipe_of_ones_own_outlives_the_job_that_it_came_with(workspace: Workspace) -> None:
    jobs = Jobs(workspace)
    first = jobs.submit(Request(run="first", stream="domains-dil", recipe="mine"), MINE)
    first.stop()
    again = jobs.again(first, run="second", seed=1)
    jobs.remove(first)
    assert (again.request.run, again.request.seed) == ("second", 1)
    assert load_recipe(again.request.recipe) == MINE


def test_the_form_is_filled_with_what_a_job_was_asked_to_do(
    open_page: Open, workspace: Workspace
) -> None:
    job = submit(workspace, settings={"epochs": 7, "backbone": "/models/mine"}, seed=3)
    job.begin()
    job.end(Outcome(state="failed", message="odd"))
    page = open_page("train", workspace=workspace.root)
    show(page, "Jobs")
    button(page, "change").click()
    page.run()
    assert not page.exception, page.exception
    assert (
        next(element for element in page.number_input if element.key.endswith("-epochs")).value == 7
    )
    assert page.number_input(key="seed").value == 3
    assert page.text_input(key="set-backbone-other").value == "/models/mine"
    assert box(page, "on").value == "domains-dil"


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (170, "3 min"), (7500, "2 h 5 min"), (-1, "0 s")]
)
def test_durations_are_as_exact_as_estimates_are(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_an_unknown_failure_points_to_the_log() -> None:
    assert "log" in way_out("ValueError: odd")


@pytest.mark.parametrize("typed", ["[", "a: b: c", "*x", "[" * 3000, "\x00"])
def test_a_list_that_is_none_is_refused_or_taken_as_it_is(
    open_page: Open, workspace: Workspace, typed: str
) -> None:
    page = open_page("train", workspace=workspace.root)
    page.text_input(key="set-hold_out").set_value(typed)
    page.text_input(key="set-weights").set_value(typed)
    page.run()
    assert not page.exception, page.exception
    assert any("weights" in error.value for error in page.error)
