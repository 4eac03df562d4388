"""Real processes, really killed: what they leave is whole or nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cl_core.store import LockHeldError, RunLock, Store, is_held, key
from tests.patience import PATIENCE

# Writes artifact after artifact, 1 MiB each, without importing torch, so that it starts fast.
WRITER = """
import sys
from pathlib import Path
from cl_core.store import Store, key
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    inputs = {"number": number}
    store.write("blob", key("blob", inputs), inputs, data={"text": chr(97 + number % 26) * 2**20})
"""

HOLDER = """
import os, sys, time
from pathlib import Path
from cl_core.store import RunLock
lock = RunLock(Path(sys.argv[1]))
lock.acquire()
if len(sys.argv) == 2 or os.fork() == 0:  # the child says when it is there
    print("ready", flush=True)
time.sleep(60)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_writer_killed_at_random_moments_leaves_whole_artifacts_or_none(tmp_path: Path) -> None:
    moments = random.Random(0)
    whole = 0
    for attempt in range(12):
        messages: list[str] = []
        root = tmp_path / str(attempt)
        process = start(WRITER, root, 10_000)
        time.sleep(moments.random() * 0.08)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        store = Store(root, on_damage=messages.append)
        for name in store.keys("blob"):
            artifact = store.read("blob", name)
            assert artifact is not None
            assert len(artifact.data["text"]) == 2**20
            whole += 1
        assert messages == []
    assert whole > 0


def test_two_processes_write_the_same_keys_and_all_are_whole(tmp_path: Path) -> None:
    writers = [start(WRITER, tmp_path, 15) for _ in range(2)]
    for writer in writers:
        assert writer.wait(timeout=PATIENCE) == 0
        assert writer.stdout is not None
        writer.stdout.close()
    messages: list[str] = []
    store = Store(tmp_path, on_damage=messages.append)
    assert set(store.keys("blob")) == {key("blob", {"number": number}) for number in range(15)}
    assert all(store.read("blob", name) is not None for name in store.keys("blob"))
    assert messages == []
    assert list((tmp_path / ".partial").iterdir()) == []


def test_a_lock_is_held_while_its_process_lives_and_free_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    process = start(HOLDER, path)
    assert is_held(path)
    with pytest.raises(LockHeldError, match=f"is held by process {process.pid}"):
        RunLock(path).acquire()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert not is_held(path)
    with RunLock(path):
        assert is_held(path)
    assert not is_held(path)


def test_a_forked_child_does_not_keep_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = start(HOLDER, path, "fork")
    process.kill()
    process.wait()
    held = is_held(path)
    os.killpg(process.pid, signal.SIGKILL)  # the child, which is in the group of its dead parent
    assert process.stdout is not None
    process.stdout.close()
    assert not held


def test_asking_whether_a_lock_is_held_never_makes_its_owner_fail(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    poller = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from cl_core.store import is_held\n"
            "print('ready', flush=True)\nwhile True: is_held(Path(sys.argv[1]))",
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert poller.stdout is not None
        poller.stdout.readline()
        for _ in range(200):
            with RunLock(path):
                pass
    finally:
        poller.kill()
        poller.wait()
        if poller.stdout is not None:
            poller.stdout.close()
