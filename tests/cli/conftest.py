"""The command line in this process: its output, which is JSON wherever it says so, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cl_core.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]


def machine_readable(text: str) -> Any:
    """What JSON says; NaN and Infinity, which Python would read, are none."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture
def lab(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Command:
    """lab("report", "first") -> what it said, in a workspace of the test's own."""
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> Answer:
        monkeypatch.setattr("sys.argv", ["adapter-lab", *words])
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        said = capsys.readouterr()
        if "--json" in words and status == 0:
            machine_readable(said.out)
        return Answer(status, said.out, said.err)

    return command


@pytest.fixture
def small(tiny: Path) -> list[str]:
    """Options that make a run small."""
    settings = ["limit=12", "epochs=1", "batch_size=6", "max_length=24", "layer=-2"]
    return [
        "--device",
        "cpu",
        "--backbone",
        str(tiny),
        *(w for s in settings for w in ("--set", s)),
    ]
