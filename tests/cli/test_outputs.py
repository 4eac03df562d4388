"""Where something is written, a device or a pipe stays one; a link stays one, and what it leads to is written."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cl_core.output_files import write_output
from cl_core.runs.workspace import Workspace
from tests.cli.conftest import Command
from tests.remade_runs import remade

WORDS = {
    "report": ["report", "first", "--output"],
    "compare": ["compare", "--output"],
    "recipes": ["recipes", "dam", "--output"],
    "html": ["report", "first", "--html"],
    "pack": ["pack"],
}


def a_pipe(file: Path) -> None:
    os.mkfifo(file)


def a_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(file.name)  # from the folder that it lies in: whole paths may be too long


def a_device(file: Path) -> None:
    """One of the test's own that swallows all, where it may make one."""
    try:
        os.mknod(file, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root may make a device")


def a_link_to_a_pipe(file: Path) -> None:
    os.mkfifo(f"{file}.pipe")
    file.symlink_to(f"{file}.pipe")


@pytest.mark.parametrize("command", WORDS)
@pytest.mark.parametrize("node", [a_pipe, a_socket, a_device, a_link_to_a_pipe])
def test_what_is_no_file_is_refused_and_stays(
    lab: Command, tmp_path: Path, command: str, node: Callable[[Path], None]
) -> None:
    if command == "html" and node is not a_pipe:
        pytest.skip("a process of its own, which writes as the others do: once is enough")
    remade(Workspace(), "dam", "first")
    node(tmp_path / "out")
    before = os.lstat("out")
    refused = lab(*WORDS[command], "out")
    assert refused.status == 74
    assert refused.err.startswith("adapter-lab: 'out' is a pipe or a device, where a file")
    assert refused.err.count("\n") == 1
    after = os.lstat("out")
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("command", [name for name in WORDS if name != "html"])
@pytest.mark.parametrize("there", [True, False], ids=["there", "not there yet"])
def test_what_a_link_leads_to_is_written(
    lab: Command, tmp_path: Path, command: str, there: bool
) -> None:
    remade(Workspace(), "dam", "first")
    target = tmp_path / "far" / "target"
    target.parent.mkdir()
    if there:
        target.write_text("before")
    (tmp_path / "between").symlink_to("far/target")
    (tmp_path / "out").symlink_to("between")
    assert lab(*WORDS[command], "out").status == 0
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "between").is_symlink()
    assert target.is_file()
    assert target.stat().st_size > 20
    assert [file.name for file in target.parent.iterdir()] == ["target"]


SHOWN = "from pathlib import Path; from cl_core.output_files import write_output; "


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_is_written_to(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    words = [
        sys.executable,
        "-c",
        f"{SHOWN}print('a', flush=True); write_output(Path({name!r}), 'b')",
    ]
    piped = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert piped.stdout == "a\nb"
    with (tmp_path / "kept").open("w") as kept:
        subprocess.run(words, cwd=tmp_path, stdout=kept, check=True)
    assert (tmp_path / "kept").read_text() == "a\nb"


def test_a_report_on_standard_output_is_nothing_but_the_report(lab: Command) -> None:
    remade(Workspace(), "dam", "first")
    whole = lab("report", "first", "--format", "csv").out
    words = [sys.executable, "-m", "cl_core.cli", "report", "first", "--format", "csv"]
    said = subprocess.run([*words, "--output", "/dev/stdout"], capture_output=True, check=True)
    assert said.stdout.decode().split() == whole.split()
    words = [sys.executable, "-m", "cl_core.cli", "recipes", "dam", "--output", "/dev/stdout"]
    said = subprocess.run(words, capture_output=True, check=True)
    assert said.stdout.decode().split() == lab("recipes", "dam").out.split()
    refused = subprocess.run(
        [sys.executable, "-m", "cl_core.cli", "pack", "/dev/stdout"],
        capture_output=True,
        check=False,
    )
    assert (refused.returncode, refused.stdout) == (74, b"")


def test_a_write_that_fails_leaves_what_the_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="out"):
        write_output(tmp_path / "out", b"data")
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(OSError, match="round"):
        write_output(tmp_path / "round", b"data")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder", "out", "round"]


def test_what_a_killed_process_left_beside_the_file_is_removed_and_what_is_being_written_is_not(
    tmp_path: Path,
) -> None:
    old, new, other = (
        tmp_path / f".{name}.partial" for name in ("a.zip.0123", "a.zip.4567", "b.zip.0123")
    )
    for partial in (old, new, other):
        partial.touch()
    for partial in (old, other):
        os.utime(partial, (0, 0))
    write_output(tmp_path / "a.zip", b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([new, other, tmp_path / "a.zip"])
