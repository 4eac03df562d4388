"""A worker whose imports are done: the same answers as from a process of its own, alone, and gone with its answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.data.stream_checks import CHECKS
from app.shell.preferences import OFFLINE_VARIABLE
from app.workers import tether
from app.workers.preloaded import FORKS, KILLED, Preloaded
from tests.patience import PATIENCE, wait_for

ODD = "tests.app.workers.odd_worker"
pytestmark = pytest.mark.skipif(not FORKS, reason="processes cannot be forked here")


@pytest.fixture(scope="module")
def odd() -> Iterator[Preloaded]:
    preloaded = Preloaded(ODD)
    yield preloaded
    preloaded.stop()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def waiting(folder: Path) -> int:
    """The process of a request that waits in a folder."""
    wait_for(lambda: (folder / "begun").is_file() and (folder / "begun").read_text())
    return int((folder / "begun").read_text())


@pytest.mark.parametrize("asked", [{"say": "one"}, {"say": "ö\n" * 10**6}, {"fail": "as asked"}])
def test_it_answers_as_a_process_of_its_own_does(odd: Preloaded, asked: dict[str, str]) -> None:
    request = json.dumps(asked)
    ours, theirs = odd.run(request, PATIENCE), tether.run(ODD, said=request)
    assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)
    assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]


def test_who_asks_already_does_not_wait_for_what_a_request_may_not_want(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORTED_ONCE", str(tmp_path))
    preloaded = Preloaded(ODD, ("tests.app.workers.odd_import",))
    try:
        assert preloaded.run(json.dumps({"say": "at once"}), PATIENCE).stdout == "at once"
        wait_for(lambda: (tmp_path / "begun").exists())  # then it is imported, for who asks later
    finally:
        preloaded.stop()


def test_a_stream_is_read_alike(small_workspace: Path) -> None:
    for asked in ({"source": "domains-dil"}, {"text": "tasks: 7", "folder": str(small_workspace)}):
        request = json.dumps(asked)
        theirs = tether.run("app.workers.check_worker", said=request)
        for _ in range(2):
            ours = CHECKS.run(request, PATIENCE)
            assert json.loads(ours.stdout) == json.loads(theirs.stdout)


def test_a_request_that_waits_is_in_nobodys_way_and_leaves_no_process(
    odd: Preloaded, tmp_path: Path
) -> None:
    answers = []
    request = json.dumps({"wait": str(tmp_path)})
    first = threading.Thread(target=lambda: answers.append(odd.run(request, PATIENCE).stdout))
    first.start()
    process = waiting(tmp_path)
    assert odd.run(json.dumps({"say": "second"}), PATIENCE).stdout == "second"
    assert answers == []
    (tmp_path / "go on").touch()
    first.join(PATIENCE)
    assert answers == ["went on"]
    wait_for(lambda: not alive(process))


def test_one_that_dies_says_so_and_the_next_is_answered(odd: Preloaded) -> None:
    died = odd.run(json.dumps({"die": True}), PATIENCE)
    assert (died.returncode, died.stdout) == (KILLED, "")
    assert odd.run(json.dumps({"say": "next"}), PATIENCE).stdout == "next"


def test_one_that_takes_too_long_is_ended(odd: Preloaded, tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        odd.run(json.dumps({"wait": str(tmp_path)}), timeout=0.0)
    if (tmp_path / "begun").is_file():
        wait_for(lambda: not alive(waiting(tmp_path)))


def test_where_the_process_that_forks_was_killed_another_takes_its_place() -> None:
    preloaded = Preloaded(ODD)
    assert preloaded.run(json.dumps({"say": "one"}), PATIENCE).stdout == "one"
    before = preloaded.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert preloaded.run(json.dumps({"say": "two"}), PATIENCE).stdout == "two"
    assert preloaded.pid not in (None, before)
    preloaded.stop()
    assert preloaded.pid is None


def test_a_switch_that_is_turned_holds_from_the_next_request_on(
    odd: Preloaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = json.dumps({"variable": OFFLINE_VARIABLE})
    for turned in ("1", "0", None):
        if turned is None:
            monkeypatch.delenv(OFFLINE_VARIABLE)
        else:
            monkeypatch.setenv(OFFLINE_VARIABLE, turned)
        before = odd.pid
        assert odd.run(request, PATIENCE).stdout == (turned or "")
        assert odd.pid != before
        assert odd.run(request, PATIENCE).stdout == (turned or "")


def test_what_cannot_be_imported_is_an_error_and_no_wait_for_ever() -> None:
    with pytest.raises(OSError, match="ended"):
        Preloaded("tests.app.workers.no_such_worker").run("", PATIENCE)


def test_they_all_end_with_the_server_that_asked(tmp_path: Path) -> None:
    asks = (
        "import json, sys; from app.workers.preloaded import Preloaded\n"
        f"preloaded = Preloaded('{ODD}'); preloaded.start()\n"
        "print(preloaded.pid, flush=True)\n"
        f"preloaded.run(json.dumps({{'wait': {str(tmp_path)!r}}}), {PATIENCE})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", asks], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        forks = int(server.stdout.readline())
        process = waiting(tmp_path)
        assert alive(forks)
        server.kill()
        server.wait()
    wait_for(lambda: not alive(process))
    wait_for(lambda: not alive(forks))
