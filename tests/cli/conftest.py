"""The command line in this process: its output, its exit status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cl_core.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]


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
