"""Settings are bounded, each by name, before anything of their size is made."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cl_core.errors import UserError
from cl_core.limits import COUNT
from cl_core.recipes.settings import flat_names
from tests.limits.hostile_inputs import allow
from tests.limits.hostile_settings import schema
from tests.small_runs import Carry

ROOT = Path(__file__).resolve().parents[2]
Answers = dict[str, dict[str, list[str]]]
CAPS = [
    name for name in flat_names() if any(kind.get("maximum") == COUNT.most for kind in schema(name))
]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """What was said of each setting, in one process that may take 1 GiB."""
    words = [sys.executable, "-m", "tests.limits.hostile_settings"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    read: Answers = json.loads(done.stdout)
    return read


@pytest.fixture
def a_gigabyte() -> Iterator[None]:
    """The process may take so much more, as long as the test lasts."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    allow(2**30)
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", flat_names())
def test_a_setting_of_any_recipe_is_refused_by_name_with_its_bound(
    answers: Answers, name: str
) -> None:
    for kind in schema(name):
        if kind["type"] == "integer":
            sized = name not in CAPS and not name.endswith("_seed")
            for value in (10**18, *([10**9] if sized else [])):
                bound = f"at most {kind['maximum']:,} is allowed"
                assert answers[name][str(value)] == [f"refused: {name}={value}: {bound}"]
            (below,) = answers[name][str(-(10**18))]
            assert below.startswith(f"refused: {name}=-{10**18}: ")
        elif kind["type"] == "string" and "enum" not in kind:
            (long,) = answers[name]["text"]
            assert long.startswith(f"refused: {name}")
            assert len(long) < 400
        elif kind["type"] == "array":
            (long,) = answers[name]["numbers" if name == "weights" else "names"]
            assert f"at most {kind['maxItems']:,} are allowed" in long
            assert len(long) < 400
        else:
            assert kind["type"] in ("number", "boolean", "null") or "enum" in kind


@pytest.mark.parametrize("recipe", ["ewc", "l2r-wavg"])
def test_what_only_caps_makes_nothing_of_its_size(
    carry: Carry, recipe: str, a_gigabyte: None
) -> None:
    assert {"limit", "patience", "checkpoint_every", "fisher_rows", "router_patience"} <= {*CAPS}
    stream = "domains-dil:n=2,train=24,validation=8,test=12"
    small = {"epochs": 1, "router_epochs": 1}
    runs = [
        carry(stream, recipe, name=name, **dict.fromkeys(CAPS, most), **small)
        for name, most in (("few", 10_000), ("most", COUNT.most))
    ]
    few, most = (str(run.matrix.tolist()) for run in runs)
    assert few == most


def test_a_seed_is_bounded_too(carry: Carry) -> None:
    with pytest.raises(UserError, match="the seed is 1000000000000000000000; allowed are -"):
        carry(seed=10**21)
