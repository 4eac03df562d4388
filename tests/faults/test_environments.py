"""Whatever the system refuses, a command says in a sentence what is wrong, what is safe and what to do, and ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cl_core.runs.events import EpochEvent
from cl_core.runs.workspace import Workspace
from cl_core.system_faults import SAFE, explained
from tests.faults import environments
from tests.faults.environments import Surround, Terminal, can_mount
from tests.patience import PATIENCE, wait_for

pytestmark = pytest.mark.fault("the system refuses: disk, rights, memory, output")
COMMANDS = {
    "runs": ["runs"],
    "jobs": ["jobs"],
    "clean": ["clean", "--yes"],
    "report": ["report", "first"],
    "report to a file": ["report", "first", "--output", "{workspace}/report.txt"],
    "report as a page": ["report", "first", "--html", "{workspace}/report.html"],
    "compare": ["compare", "*"],
    "resume": ["resume", "first"],
    "stop": ["stop", "first"],
    "run": ["run", "--name", "second", "--seed", "1"],
    "pack": ["pack", "{workspace}/packed.zip"],
    "unpack": ["unpack", "{finished}/workspace.zip"],
    "explain": ["explain", "first"],
    "vary": ["vary", "first", "-k", "1"],
    "route": ["route", "first", "--text", "the soup was cold"],
    "merge": ["merge", "first", "--output", "{workspace}/merged"],
    "export": ["export", "first", "restaurants", "--output", "{workspace}/restaurants"],
    "recipes": ["recipes", "dam"],
}
ENVIRONMENTS = {
    surround.__name__.replace("_", " "): surround
    for surround in (
        environments.no_larger_files,
        environments.full_disk,
        environments.read_only_disk,
        environments.no_memory,
        environments.nobody_reads,
        environments.full_output,
        environments.closed_output,
    )
}
WITHOUT_WORKSPACE = ("recipes",)
REFUSED = [
    ("no larger files", "report to a file"),
    ("no larger files", "run"),
    ("no larger files", "pack"),
    ("full disk", "export"),
    ("read only disk", "resume"),
    ("full output", "runs"),
]
"""Tried always; all others by `make faults`."""
HARMLESS = [("read only disk", "runs"), ("closed output", "runs"), ("nobody reads", "recipes")]
GRID = [
    pytest.param(
        name,
        command,
        id=f"{name}-{command}",
        marks=[] if (name, command) in REFUSED + HARMLESS else [pytest.mark.whole],
    )
    for name in ENVIRONMENTS
    for command in COMMANDS
]


@pytest.mark.parametrize(("name", "command"), GRID)
def test_a_command_ends_politely_where_the_system_refuses(
    name: str,
    command: str,
    workspace: Path,
    finished: Path,
    terminal: Terminal,
    options: list[str],
) -> None:
    surround = ENVIRONMENTS[name]
    needs_mounts = surround in (environments.full_disk, environments.read_only_disk)
    if needs_mounts and not can_mount():
        pytest.skip("a process may not have mounts of its own here")
    words = [word.format(workspace=workspace, finished=finished) for word in COMMANDS[command]]
    words += options if command == "run" else []
    if command == "unpack":
        shutil.rmtree(workspace)
        workspace.mkdir()
    ending = carry_out(terminal, words, command, workspace, surround)
    assert ending.fault == "", ending.err
    if (name, command) in REFUSED:
        assert ending.status == 74
        assert SAFE in ending.err.splitlines()[-1]
    if (name, command) in HARMLESS:
        assert ending.status == (141 if name == "nobody reads" else 0)
        assert ending.err == ""
    if ending.status and name != "nobody reads" and command != "stop":
        again = carry_out(terminal, words, command, workspace, environments.nothing)
        assert again.status == 0, f"what was refused goes on once it may: {again.err}"


def carry_out(
    terminal: Terminal, words: list[str], command: str, workspace: Path, surround: Surround
) -> environments.Ending:
    """A command, in the workspace where it takes one."""
    return terminal.carry_out(
        words, None if command in WITHOUT_WORKSPACE else workspace, surround, beside=workspace
    )


@pytest.mark.parametrize("name", ["run.lock", "events.jsonl", "run.yaml", "scores.parquet"])
def test_a_pipe_where_a_file_is_expected_is_not_waited_for(
    name: str, workspace: Path, terminal: Terminal
) -> None:
    file = workspace / "runs" / "first" / name
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    for words in (["runs"], ["report", "first"], ["resume", "first"]):
        ending = terminal.carry_out(words, workspace)
        assert ending.fault == "", (words, ending.err)


@pytest.mark.parametrize("kind", ["pipe", "file", "device"])
def test_a_workspace_that_is_no_folder_is_refused(
    kind: str, tmp_path: Path, terminal: Terminal, options: list[str]
) -> None:
    path = tmp_path / "workspace"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "file":
        path.touch()
    else:
        path.symlink_to("/dev/null")
    for words in (["runs"], ["run", "--name", "first", *options]):
        ending = terminal.carry_out(words, path)
        assert ending.status == 2, ending.err
        assert f"'{path}' is no folder" in ending.err
        assert "Traceback" not in ending.err


@pytest.mark.parametrize(
    "name", ["\udcff", "x" * 300, f"{'y' * 300}.yaml", "\udcff.yaml", "a/" * 3000]
)
def test_names_that_no_file_can_have_are_answered(
    name: str, tmp_path: Path, terminal: Terminal
) -> None:
    for words in (
        ["report", name],
        ["run", "--stream", name],
        ["run", "--stream", "domains", "--recipe", name],
        ["unpack", name],
        ["check", name],
    ):
        ending = terminal.carry_out(words, None if words[0] == "check" else tmp_path / "workspace")
        assert ending.fault == "", (words[0], ending.err[-300:])
        assert ending.status in (2, 74)
    ending = terminal.carry_out(["runs"], tmp_path / name)
    assert ending.fault == "", ending.err


def test_a_workspace_that_is_moved_meanwhile_ends_its_run_which_goes_on_where_it_is_now(
    tmp_path: Path, terminal: Terminal, options: list[str]
) -> None:
    old, new = tmp_path / "workspace", tmp_path / "moved"
    endless = [*options, "--set", "epochs=4000", "--set", "patience=null"]
    process = terminal.start(["run", "--name", "first", *endless], old)
    wait_for_epochs(old, 1)
    old.rename(new)
    ending = process.end(PATIENCE)
    assert ending.fault == ""
    assert ending.status == 74
    assert "was removed or moved" in ending.err.splitlines()[-1]
    assert not old.exists(), "nothing is made anew where it was"
    epochs = count_epochs(new)
    process = terminal.start(["resume", "first"], new)
    wait_for_epochs(new, epochs + 1)
    process.process.kill()
    process.end()


def heed_ctrl_c() -> None:
    """Whoever runs the tests may ignore it, in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_while_a_run_loads_says_so_and_how_to_go_on(
    tmp_path: Path, options: list[str]
) -> None:
    line = [sys.executable, "-P", "-m", "cl_core.cli", "run", "--name", "first", *options]
    process = subprocess.Popen(
        [*line, "--workspace", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    run = Workspace(tmp_path).run("first")
    wait_for(lambda: run.exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert "while it was loading" in said
    assert "everything so far is kept" in said
    assert Workspace(tmp_path).run("first").learnt is False
    assert "Traceback" not in said


def test_memory_that_ran_out_is_called_so_whoever_says_it() -> None:
    answers: list[BaseException] = [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
        OSError(12, "Cannot allocate memory"),
    ]
    for ask in (lambda: bytes(2**60), lambda: torch.empty(2**50)):
        with pytest.raises((MemoryError, RuntimeError)) as caught:
            ask()
        answers.append(caught.value)
    for answer in answers:
        assert "memory" in explained(answer).split(".")[0]
        assert "batch_size" in explained(answer)
    assert "GPU" in explained(answers[0])
    assert explained(ValueError("shapes differ")) == ""


@pytest.mark.parametrize("command", ["vary", "explain"])
@pytest.mark.parametrize("kib", [512, 8 * 1024, 64 * 1024])
def test_a_command_without_the_memory_to_compute_says_so_at_once(
    kib: int, command: str, finished: Path, terminal: Terminal
) -> None:
    ending = terminal.carry_out(
        COMMANDS[command], finished / "workspace", environments.MemoryLeft(kib), beside=finished
    )
    assert ending.status == 74, ending
    assert ending.fault == ""
    (line,) = ending.err.splitlines()
    assert line.startswith("adapter-lab: memory ran out. " + SAFE)


@pytest.mark.parametrize(
    ("command", "surround"),
    [("explain", environments.read_only_disk), ("vary", environments.no_larger_files)],
)
def test_an_answer_that_cannot_be_kept_is_said_nevertheless(
    command: str, surround: Surround, workspace: Path, terminal: Terminal
) -> None:
    if surround is environments.read_only_disk and not can_mount():
        pytest.skip("a process may not have mounts of its own here")
    words = [*COMMANDS[command], "--json"]
    before = contents_of(workspace)
    refused = terminal.carry_out(words, workspace, surround)
    assert refused.status == 0, refused.err
    assert refused.err.startswith("adapter-lab: what was computed is not kept: ")
    assert SAFE in refused.err
    assert contents_of(workspace) == before
    kept = terminal.carry_out(words, workspace)
    assert kept.err == ""
    assert json.loads(kept.out) == json.loads(refused.out)
    assert contents_of(workspace) != before


def wait_for_epochs(workspace: Path, count: int) -> None:
    """Until the run `first` has ended so many epochs."""
    wait_for(lambda: count_epochs(workspace) >= count)


def count_epochs(workspace: Path) -> int:
    """Of the run `first`."""
    run = Workspace(workspace).run("first")
    return sum(isinstance(event, EpochEvent) for event in run.events) if run.exists else 0


def contents_of(workspace: Path) -> dict[str, bytes]:
    """Of every file, but for the index, which says nothing of its own."""
    return {
        str(file.relative_to(workspace)): file.read_bytes()
        for file in workspace.rglob("*")
        if file.is_file() and not file.name.startswith("index.sqlite")
    }
