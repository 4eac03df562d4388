"""A run that failed, in the terminal: it is listed with what it said, and its name can be used again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cl_core.jobs.job import Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.events import FailureEvent, KillEvent, StopEvent
from cl_core.runs.kill_words import kill_words
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.cli.conftest import Command
from tests.remade_runs import remade

SAID = "UserError: the loss is no number"


@pytest.fixture
def broken(lab: Command, small: list[str], tmp_path: Path) -> RunFolder:
    """A run that had scores when it failed."""
    answer = lab("run", "--stream", "domains-dil", "--name", "broken", *small)
    assert answer.status == 0, answer.err
    run = Workspace(tmp_path / "workspace").find("broken")
    run.record(FailureEvent(message=SAID))
    return run


def test_a_killed_one_says_by_what_and_what_to_do_in_the_list_of_runs(
    lab: Command, broken: RunFolder
) -> None:
    broken.record(KillEvent(signal="SIGKILL"))
    said = lab("runs").out
    assert "broken interrupted: its process was killed from outside (SIGKILL), as a system" in said
    assert "resume it with: adapter-lab resume broken" in said


def test_a_killed_job_says_by_what_in_the_queue(
    lab: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jobs, "wake", lambda self: None)
    job = Jobs(Workspace(tmp_path / "workspace")).submit(
        Request(run="long", stream="domains-dil", recipe="dam")
    )
    assert "interrupted" not in lab("jobs").out
    job.begin()
    job.end(Outcome(state="interrupted", message=kill_words("SIGHUP")))
    head, row, _, why = lab("jobs").out.splitlines()
    assert head.split() == ["run", "state", "stream", "recipe", "seed", "submitted"]
    assert row.split()[:2] == ["long", "interrupted"]
    assert why == "long interrupted: its process was killed from outside (SIGHUP)"


def test_every_command_that_names_it_says_why_it_failed(lab: Command, broken: RunFolder) -> None:
    assert f"broken failed: {SAID}" in lab("runs").out
    (listed,) = json.loads(lab("runs", "--json").out)
    assert (listed["status"], listed["message"]) == ("failed", SAID)

    assert SAID in lab("report", "broken").out.splitlines()
    report = json.loads(lab("report", "broken", "--json").out)
    assert (report["status"], report["message"]) == ("failed", SAID)

    for form in ((), ("--json",)):
        answer = lab("compare", "broken", *form)
        assert answer.status == 2
        assert f"broken: failed: {SAID}" in answer.err


def test_a_comparison_of_others_says_why_it_left_it_out(
    lab: Command, small: list[str], broken: RunFolder
) -> None:
    assert lab("run", "--stream", "domains-dil", "--name", "sound", *small).status == 0
    assert f"left out: broken (failed: {SAID})" in lab("compare", "broken", "sound").out
    comparison = json.loads(lab("compare", "broken", "sound", "--json").out)
    assert comparison["left_out"] == {"broken": f"failed: {SAID}"}


def test_a_comparison_of_everything_leaves_nothing_out_in_silence(lab: Command) -> None:
    assert "there are no runs in" in lab("compare").err
    workspace = Workspace()
    remade(workspace, "dam", "sound")
    remade(workspace, "dam", "broken").record(FailureEvent(message=SAID))
    remade(workspace, "adapters", "halfway").record(StopEvent())
    failed, stopped = f"broken (failed: {SAID})", "halfway (stopped)"
    said = lab("compare")
    assert f"left out: {failed}; {stopped}" in said.out
    assert said.err == ""
    for words in (("--format", "csv"), ("--format", "latex"), ("--output", "table.txt")):
        said = lab("compare", *words)
        assert f"left out: {failed}\n" in said.err
        assert f"left out: {stopped}\n" in said.err
        assert "broken" not in said.out
    comparison = json.loads(lab("compare", "--json").out)
    assert comparison["left_out"] == {"broken": f"failed: {SAID}", "halfway": "stopped"}


def test_a_name_is_free_again_where_nothing_was_learnt_under_it(
    lab: Command, small: list[str], tmp_path: Path
) -> None:
    backbone = small[small.index("--backbone") + 1]
    missing = [word if word != backbone else str(tmp_path / "missing") for word in small]
    asked = ("run", "--stream", "domains-dil", "--name", "mine")
    failed = lab(*asked, *missing)
    assert failed.status == 2
    run = Workspace(tmp_path / "workspace").find("mine")
    assert run.status == "failed"
    assert run.failure in lab("runs").out
    nothing = lab("report", "mine")
    assert nothing.status == 2
    assert f"it is failed: {run.failure}" in nothing.err

    again = lab(*asked, *small, "--set", "temperature=0.3")
    assert again.status == 0, again.err
    run = Workspace(tmp_path / "workspace").find("mine")
    assert (run.status, run.failure) == ("finished", "")
    assert run.config.settings.backbone.name == backbone
    assert run.config.settings.router.temperature == 0.3

    other = lab(*asked, *small, "--set", "temperature=0.5")
    assert other.status == 2
    assert "exists with other settings" in other.err
