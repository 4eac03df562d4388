"""Fixtures that several parts share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from tests.backbones.checkpoints import write_checkpoint

torch.set_num_threads(1)  # tiny tensors: a second thread only adds waiting

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> torch.device:
    """Every device of this machine: a test that takes it runs on each."""
    return torch.device(request.param)


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
