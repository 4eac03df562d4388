"""Text from outside does not steer the terminal: what would is shown as its escape, and JSON stays JSON."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cl_core.cli.output import TerminalWatcher, json_text, table, warn
from cl_core.jobs.job import Job, Outcome, Request
from cl_core.runs.events import PhaseEvent, StartEvent, WarningEvent
from cl_core.runs.workspace import Workspace
from cl_core.store.atomic_writes import write_json
from cl_core.visible_text import visible
from tests.cli.conftest import Command, machine_readable
from tests.remade_runs import remade

HOSTILE = "lost\x1b[2J\x1b]0;pwned\x07\r\x00\x9b1m\x7f\u202eme"
SHOWN = r"lost\x1b[2J\x1b]0;pwned\x07\x0d\x00\x9b1m\x7f\u202eme"


def test_a_warning_of_a_stranger_s_run_is_shown_not_obeyed(lab: Command) -> None:
    run = remade(Workspace(), "dam", "first")
    events = (run.path / "events.jsonl").read_text().splitlines()
    warning = WarningEvent(message=HOSTILE).model_dump_json()
    (run.path / "events.jsonl").write_text("\n".join([*events[:-1], warning, events[-1]]) + "\n")
    assert lab("pack", "first.zip", "--run", "first").status == 0
    assert lab("unpack", "first.zip", "--workspace", "other").status == 0
    said = lab("report", "first", "--workspace", "other").out
    assert SHOWN in said
    assert visible(said) == said
    answer = machine_readable(lab("report", "first", "--workspace", "other", "--json").out)
    assert HOSTILE in answer["warnings"]


def test_the_log_of_a_job_and_its_stream_are_shown_in_their_row(lab: Command) -> None:
    workspace = Workspace()
    job = Job(workspace.root / "jobs" / "a", workspace)
    job.path.mkdir(parents=True)
    request = Request(run="first", stream=f"two\nlines {HOSTILE}", recipe="dam")
    write_json(job.path / "job.json", request.model_dump(mode="json"))
    job.begin()
    job.log_path.write_text(f"loading\n{HOSTILE.replace(chr(13), '')}\n", encoding="utf-8")
    said = lab("jobs").out
    assert SHOWN.replace(r"\x0d", "") in said.splitlines()[-1]
    assert rf"two\nlines {SHOWN}" in said.splitlines()[1]
    assert visible(said) == said
    job.end(Outcome(state="failed", message=HOSTILE))
    assert SHOWN in lab("jobs").out
    assert machine_readable(lab("jobs", "--json").out)[0]["message"] == HOSTILE


def test_a_mistake_and_a_warning_of_the_lab_s_own_are_shown(
    lab: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = lab("report", f"no{HOSTILE}".replace("\x00", ""))
    assert refused.status == 2
    assert SHOWN.replace(r"\x00", "") in refused.err
    warn(HOSTILE)
    assert capsys.readouterr().err == f"adapter-lab: {SHOWN}\n"


def test_columns_are_as_wide_as_what_they_show() -> None:
    assert table(["name", "rows"], [["\x1b[2J", "1"], ["b\tc", "2"]]).splitlines() == [
        "name     rows",
        r"\x1b[2J  1",
        r"b\tc     2",
    ]


def test_half_a_letter_is_shown_in_text_and_kept_in_json() -> None:
    assert visible("a\ud800") == r"a\ud800"
    text = json_text({"a\ud800": HOSTILE})
    assert visible(text) == text
    assert json.loads(text) == {"a\ud800": HOSTILE}


@pytest.mark.parametrize(
    "text", ["two\nlines\tand a tab", r"C:\x1b", "äöü, τ, 日本語, עברית, 👍🏽"]
)
def test_what_steers_nothing_stays(text: str) -> None:
    assert visible(text) == text


WATCHED = """
import sys
from tests.cli.test_visible_text import HOSTILE, watched
watched(HOSTILE)
"""


def watched(task: str) -> None:
    """What the terminal shows of a run that does a step."""
    watcher = TerminalWatcher()
    watcher.event(StartEvent(process=1, device="cpu", steps=2))
    watcher.event(PhaseEvent(step=1, phase="train", stage=1, task=task))
    watcher.event(WarningEvent(message=task))
    watcher.progress(1, 2)
    watcher.finish()


def test_lines_of_progress_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    watched(HOSTILE)
    assert f"warning: {SHOWN}" in capsys.readouterr().err


def test_the_bar_of_a_terminal_moves_and_what_is_beside_it_steers_nothing() -> None:
    terminal, side = pty.openpty()
    surroundings = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    root = Path(__file__).resolve().parents[2]
    words = [sys.executable, "-c", WATCHED]
    with subprocess.Popen(words, stderr=side, env=surroundings, cwd=root) as process:
        os.close(side)
        said = b""
        while True:
            try:
                said += os.read(terminal, 4096)
            except OSError:  # its end
                break
    os.close(terminal)
    assert process.returncode == 0
    text = said.decode()
    assert text.count(SHOWN) > 1
    assert "\x1b[" in text, "the bar is drawn by codes of its own"
    assert [code for code in ("\x1b[2J", "\x1b]0;", "\x07", "\x9b") if code in text] == []
