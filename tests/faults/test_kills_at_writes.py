"""Killed at a write, whichever it is, a run or a sweep that is begun again ends with the bytes of one left alone.

`benchmarks/checks/kill_and_resume.py` kills at moments; here a process dies before the n-th time that it opens a file
for writing, renames, makes or removes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.backbones.small_vision import write_vision
from tests.faults.environments import Terminal
from tests.faults.kill_trials import KillTrials, Trial

TEXTS = pytest.mark.fault("killed at a write, resumed to the same bytes: texts, each family")
SEEN = pytest.mark.fault("killed at a write, resumed to the same bytes: pictures and clips")
SWEEPS = pytest.mark.fault("a sweep killed at a write, begun again: the same bytes")
FAMILIES = ("dam", "l2r-wavg", "i2i-ff", "epi", "sequential", "replay", "ewc")
SWEPT = ["--recipe", "dam", "--recipe", "sequential"]
ONE_IN = 25
"""Of the writes of the whole, that which a process is really killed at."""
SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 4,
    "max_length": 24,
    "layer": -2,
    "learning_rate": 1e-2,
    "checkpoint_every": 2,
}
SEEING: dict[str, Any] = {
    "router_epochs": 1,
    "memory": 0.3,
    "image_grid": 2,
    "clip_grid": 1,
    "frames": 2,
}
TWO_TASKS = "domains-dil:n=4,train=12,validation=4,test=6"
SIZES = "train=8,validation=4,test=4"
Begin = Callable[..., KillTrials]


def assignments(**settings: Any) -> list[str]:
    """As a command line has them."""
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture
def texts(terminal: Terminal, tiny: Path, tmp_path: Path) -> Begin:
    """texts(recipe, finished_only) -> trials of a run on two tasks of texts."""

    def begin(recipe: str, finished_only: bool = False) -> KillTrials:
        words = ["run", "--name", "run", "--stream", TWO_TASKS, "--recipe", recipe]
        words += ["--backbone", str(tiny), "--device", "cpu", *assignments(**SETTINGS)]
        return KillTrials(terminal, words, tmp_path, finished_only)

    return begin


@pytest.fixture
def seen(terminal: Terminal, tiny: Path, tmp_path: Path) -> Begin:
    """seen(recipe) -> trials of a run on a task of pictures and one of clips."""
    vision = write_vision(tmp_path / "vit")
    stream = tmp_path / "seen.yaml"
    stream.write_text(
        "name: seen\nprotocol: dil\ntasks:\n"
        f"  - {{name: shape, kind: image-qa, builtin: 'questions/shape:{SIZES}'}}\n"
        f"  - {{name: which-way, kind: video-qa, builtin: 'questions/which-way:{SIZES}'}}\n"
    )

    def begin(recipe: str) -> KillTrials:
        words = ["run", "--name", "run", "--stream", str(stream), "--recipe", recipe]
        words += ["--backbone", str(tiny), "--device", "cpu"]
        words += assignments(**SETTINGS, **SEEING, vision=vision)
        return KillTrials(terminal, words, tmp_path, finished_only=True)

    return begin


@pytest.fixture
def swept(terminal: Terminal, tiny: Path, tmp_path: Path) -> Begin:
    """swept(seeds) -> trials of a sweep of two recipes with these seeds."""

    def begin(seeds: str) -> KillTrials:
        words = ["sweep", TWO_TASKS, *SWEPT, "--seeds", seeds, "--device", "cpu"]
        words += assignments(**SETTINGS, backbone=tiny)
        return KillTrials(terminal, words, tmp_path, finished_only=True)

    return begin


@TEXTS
def test_a_run_that_is_killed_at_a_write_is_resumed_to_the_same_bytes(
    texts: Begin, record_property: Any
) -> None:
    trials = texts("dam")
    assert trials.writes > 100
    tell(record_property, (trials.killed(number) for number in spread(trials.writes, 3)))


@SEEN
def test_a_run_on_pictures_and_clips_that_is_killed_at_a_write_is_resumed_to_the_same_bytes(
    seen: Begin, record_property: Any
) -> None:
    trials = seen("dam")
    tell(record_property, (trials.killed(number) for number in spread(trials.writes, 2)))


@SWEEPS
def test_a_sweep_that_is_killed_at_a_write_comes_to_the_same_bytes_when_it_is_begun_again(
    swept: Begin, record_property: Any
) -> None:
    trials = swept("0")
    tell(record_property, (trials.killed(number) for number in spread(trials.writes, 2)))


@TEXTS
@pytest.mark.whole
@pytest.mark.parametrize("recipe", FAMILIES)
def test_killed_at_whichever_write_a_run_is_resumed_to_the_same_bytes(
    recipe: str, texts: Begin, record_property: Any
) -> None:
    tell(record_property, at_every_write(texts(recipe, finished_only=recipe != FAMILIES[0])))


@SEEN
@pytest.mark.whole
@pytest.mark.parametrize("recipe", ["dam", "l2r-merge"])
def test_killed_at_whichever_write_a_run_on_pictures_and_clips_is_resumed_to_the_same_bytes(
    recipe: str, seen: Begin, record_property: Any
) -> None:
    tell(record_property, at_every_write(seen(recipe)))


@SWEEPS
@pytest.mark.whole
def test_killed_at_whichever_write_a_sweep_comes_to_the_same_bytes(
    swept: Begin, record_property: Any
) -> None:
    tell(record_property, at_every_write(swept("0")))


def spread(writes: int, few: int) -> range:
    """A few writes, evenly among all."""
    return range(writes // few // 2, writes, writes // few)


def at_every_write(trials: KillTrials) -> Iterable[Trial]:
    """One in `ONE_IN` with a process that is really killed, then all."""
    for number in range(ONE_IN // 2, trials.writes, ONE_IN):
        yield trials.killed(number)
    yield from trials.killed_at_each()


def tell(record_property: Any, trials: Iterable[Trial]) -> None:
    """Carries them out and notes how many there were."""
    carried_out = list(trials)
    faults = [trial for trial in carried_out if trial.fault]
    record_property("tried", len(carried_out))
    record_property("failed", len(faults))
    assert not faults
