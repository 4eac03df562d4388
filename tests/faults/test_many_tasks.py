"""Two hundred tasks, killed ten times: the bytes of a run that was left alone."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.checks.kill_and_resume import NAME, compare
from tests.faults.environments import Terminal
from tests.faults.writes import CountedWrites, KilledAtWrite

TASKS, KILLS, SEED = 200, 10, 0
MOST_SECONDS = 3600.0
"""Of one process, on a machine that does other things."""
SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 4,
    "max_length": 16,
    "layer": -2,
    "learning_rate": 1e-2,
}


@pytest.mark.whole
@pytest.mark.fault("200 tasks, killed ten times at writes drawn at random: the same bytes")
def test_two_hundred_tasks_with_ten_kills_end_with_the_same_bytes(
    terminal: Terminal, tiny: Path, tmp_path: Path, record_property: Any
) -> None:
    stream = f"domains:n={TASKS},train=4,validation=2,test=2"
    words = ["run", "--name", NAME, "--stream", stream, "--recipe", "dam", "--device", "cpu"]
    words += ["--backbone", str(tiny), "--protocol", "til"]
    words += [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    left_alone, workspace = tmp_path / "left-alone", tmp_path / "killed"
    done = terminal.start(words, left_alone, CountedWrites(tmp_path / "writes")).end(MOST_SECONDS)
    assert done.status == 0, done.err[-2000:]
    writes = (tmp_path / "writes").stat().st_size
    moments = 1 + np.sort(np.random.default_rng(SEED).choice(writes, KILLS, replace=False))
    for number in np.diff(moments, prepend=0):
        killed = terminal.start(words, workspace, KilledAtWrite(int(number))).end(MOST_SECONDS)
        assert killed.status == -signal.SIGKILL, killed.err[-2000:]
    again = terminal.start(words, workspace).end(MOST_SECONDS)
    assert again.status == 0, again.err[-2000:]
    differing = compare(workspace, left_alone)
    record_property("tried", KILLS)
    record_property("failed", len(differing))
    assert not differing
