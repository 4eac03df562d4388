"""The demonstration, on a tiny backbone: what it shows, and that the second time is read, not computed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cl_core.cli import demonstration
from tests.cli.conftest import Command


def test_the_demonstration_shows_a_report_and_three_routed_sentences(
    lab: Command, monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    small = {"limit": 12, "epochs": 1, "max_length": 24, "layer": -2, "backbone": str(tiny)}
    monkeypatch.setattr(demonstration, "SETTINGS", small)
    first = lab("demo", "--device", "cpu")
    assert first.status == 0, first.err
    assert "Average accuracy" in first.out
    assert first.out.count("alone:") == 3 * 6
    for sentence in demonstration.SENTENCES:
        assert sentence in first.out
    assert "epoch 1/1" in first.err
    second = lab("demo", "--device", "cpu")
    assert "epoch" not in second.err
    assert second.out == first.out
    machine = json.loads(lab("demo", "--json").out)
    assert [routed["sample"] for routed in machine["routed"]] == list(demonstration.SENTENCES)
    assert machine["report"]["status"] == "finished"


def test_commands_are_told_as_they_can_be_typed_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the checkout, whose environment is on nobody's path, and in one that is."""
    script = tmp_path / ".venv" / "bin" / "adapter-lab"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [".venv/bin/adapter-lab", "demo"])
    assert demonstration.command_here() == ".venv/bin/adapter-lab"
    monkeypatch.setenv("PATH", str(script.parent))
    monkeypatch.setattr("sys.argv", [str(script), "demo"])
    assert demonstration.command_here() == "adapter-lab"
