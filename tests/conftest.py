"""Fixtures that several parts share."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import cl_core as cl
from tests.backbones.checkpoints import write_checkpoint
from tests.small_runs import SMALL, Carry

torch.set_num_threads(1)  # tiny tensors: a second thread only adds waiting

LONGEST = (
    "app/test_demonstration_assets.py",
    "docs/test_readme.py",
    "browser/test_crowded.py",
    "browser/test_accessibility.py",
    "cli/test_interrupt.py",
    "extending/test_pages.py",
    "browser/test_journeys.py",
    "browser/test_training_journeys.py",
    "pretraining/test_scripts.py",
    "jobs/test_queue.py",
)
"""Files of a minute and more, the longest first; journeys before those that leave runs behind."""

MAIN = sys.modules["__main__"]

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of the user's own in it
ROOM = 6 * 2**30
"""Bytes free that the tests' folders may lie in memory: several times what they all leave there."""

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def pytest_configure() -> None:
    """Folders of tests lie in memory where it has room: a third of the suite's time would be waits for the disk.

    A run writes some forty small files a task, each brought to the disk before the next.
    """
    chosen = {"TMPDIR", "PYTEST_DEBUG_TEMPROOT", "PYTEST_XDIST_WORKER"} & set(os.environ)
    if not chosen and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)
    # A test's process reads two hundred modules of ours: the next one finds them compiled, whatever the shell says.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # As the lab's server has it; the tests' processes have a million objects, to be looked at after each drawing.
    os.environ.setdefault("STREAMLIT_RUNNER_POST_SCRIPT_GC", "false")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first: of the processes that share the tests by file none is alone with one at the end."""
    folder = Path(__file__).parent
    order = {folder / name: rank for rank, name in enumerate(LONGEST)}
    assert all(file.is_file() for file in order), "a file of LONGEST is elsewhere"
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(autouse=True)
def main_module_comes_back() -> Iterator[None]:
    """An AppTest leaves its page as `__main__`, and each process that `multiprocessing` starts imports that first."""
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> torch.device:
    """Every device of this machine: a test that takes it runs on each."""
    return torch.device(request.param)


@pytest.fixture
def beside_names_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test is where somebody has a `cl_core` and an `app` of their own."""
    folder = tmp_path / "where-the-user-is"
    for name in ("cl_core", "app"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit('not the lab')\n")
    monkeypatch.chdir(folder)


@pytest.fixture(scope="session")
def cl_data() -> Path:
    """The folder of real data, or a skip that says why."""
    folder = os.environ.get("CL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the real data sets: set CL_DATA to their folder")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of three blocks, as a checkpoint on disk."""
    return write_checkpoint("bert", tmp_path_factory.mktemp("tiny") / "bert")


@pytest.fixture
def carry(tiny: Path, tmp_path: Path) -> Carry:
    """carry(stream, recipe, **settings) -> a finished run of the test's own workspace."""

    def run(stream: str = "domains-dil", recipe: str = "dam", **options: Any) -> cl.Run:
        common = {"workspace": tmp_path / "workspace", "device": "cpu", "backbone": str(tiny)}
        return cl.run(stream, recipe, **{**common, **SMALL, **options})

    return run
