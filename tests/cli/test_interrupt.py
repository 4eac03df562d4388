"""Stopping a run from another terminal or by Ctrl-C, while it trains or loads: what is said, and it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from cl_core.cli import follow_run
from cl_core.cli.output import TerminalWatcher
from cl_core.engine.launch import prepare
from cl_core.runs.events import EpochEvent, StartEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream import Stream
from tests.patience import PATIENCE


def start(workspace: Path, *words: str) -> subprocess.Popen[str]:
    """`adapter-lab` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cl_core.cli", *words, "--workspace", str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for_training(workspace: Workspace, starts: int) -> None:
    """Until the run was started that often and has finished an epoch since."""
    folder = workspace.run("first")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        kinds = [type(event) for event in folder.events] if folder.exists else []
        begun = [at for at, kind in enumerate(kinds) if kind is StartEvent]
        if len(begun) == starts and EpochEvent in kinds[begun[-1] :]:
            return
        time.sleep(0.05)
    pytest.fail("the run did not begin to train")


@pytest.mark.slow
def test_a_run_stopped_from_another_terminal_and_by_ctrl_c_says_how_to_go_on(
    tiny: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    settings = [
        "limit=40",
        "epochs=4000",
        "patience=null",
        "batch_size=4",
        "max_length=16",
        "layer=-2",
    ]
    options = [word for setting in settings for word in ("--set", setting)]
    first = start(
        tmp_path,
        "run",
        "--stream",
        "domains-dil",
        "--name",
        "first",
        "--backbone",
        str(tiny),
        *options,
    )
    wait_for_training(workspace, starts=1)
    assert workspace.run("first").status == "running"
    asked = start(tmp_path, "stop", "first")
    assert "resume it with: adapter-lab resume first" in asked.communicate(timeout=PATIENCE)[0]
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 130
    assert f"Resume with: adapter-lab resume first --workspace {tmp_path}" in said
    assert "Traceback" not in said
    assert workspace.run("first").status == "stopped"

    before = max(
        event.epoch for event in workspace.run("first").events if isinstance(event, EpochEvent)
    )
    second = start(tmp_path, "resume", "first")
    wait_for_training(workspace, starts=2)
    second.send_signal(signal.SIGINT)
    _, said = second.communicate(timeout=PATIENCE)
    assert second.returncode == 130
    assert "Resume with: adapter-lab resume first" in said
    events = workspace.run("first").events
    resumed = next(event for event in reversed(events) if isinstance(event, EpochEvent))
    assert resumed.epoch > before, "the second process went on where the first had stopped"


def interrupt(*_: object) -> int:
    """As Ctrl-C does, wherever it comes."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["opening", "starts", "carry_out"])
def test_ctrl_c_says_the_same_wherever_loading_is(
    where: str,
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workspace = Workspace(tmp_path)

    def open_run() -> tuple[RunFolder, Stream]:
        opened = prepare(workspace, "domains-dil", "dam", name="first", settings=settings)
        if where == "opening":
            raise KeyboardInterrupt
        return opened

    settings = {"backbone": str(tiny), "limit": 40, "layer": -2}
    with monkeypatch.context() as patched:
        if where == "starts":
            calls, asked = iter([interrupt]), RunFolder.starts.fget
            patched.setattr(RunFolder, "starts", property(lambda run: next(calls, asked)(run)))
        elif where == "carry_out":
            patched.setattr(follow_run, where, interrupt)
        with pytest.raises(typer.Exit) as ended:
            follow_run.follow(workspace, open_run, TerminalWatcher(quiet=True))
    assert ended.value.exit_code == 130
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "while it was loading" in said
    assert "everything so far is kept" in said
    assert workspace.run("first").exists
