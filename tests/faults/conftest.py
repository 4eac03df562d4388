"""A finished run to do harm to, the terminal to do it with, and what only `make faults` tries."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.faults.environments import Terminal
from tests.small_runs import SMALL

WHOLE = "FAULTS"
"""Environment variable: set by `make faults`, which tries everything."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves to `make faults` what is marked as the whole of it, and notes for it of which kind each test is."""
    for item in items:
        if mark := item.get_closest_marker("fault"):
            item.user_properties.append(("fault", mark.args[0]))
    if not os.environ.get(WHOLE):
        for item in items:
            if item.get_closest_marker("whole"):
                item.add_marker(pytest.mark.skip(reason="part of the whole harness: make faults"))


@pytest.fixture(scope="session")
def terminal() -> Terminal:
    """The command line in processes that have imported everything."""
    return Terminal()


@pytest.fixture(scope="session")
def options(tiny: Path) -> list[str]:
    """Of a run that takes a second."""
    settings = {**SMALL, "epochs": 1}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    return ["--stream", "domains-dil", "--backbone", str(tiny), "--device", "cpu", *words]


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, terminal: Terminal, options: list[str]
) -> Path:
    """A workspace with one finished run, `first`, and a zip of it; to be copied."""
    root = tmp_path_factory.mktemp("finished")
    done = terminal.carry_out(["run", "--name", "first", *options], root / "workspace")
    assert done.status == 0, done.err
    packed = terminal.carry_out(["pack", str(root / "workspace.zip")], root / "workspace")
    assert packed.status == 0, packed.err
    return root


@pytest.fixture
def workspace(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, of the test's own."""
    shutil.copytree(finished / "workspace", tmp_path / "workspace")
    return tmp_path / "workspace"
