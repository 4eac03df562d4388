"""YAML that libyaml reads is what PyYAML's own reader makes of it, and refusals show the line."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml

from cl_core import bounded_files
from cl_core.limits import TooLarge

SCALARS = [
    *("a text", "1 films", "ж", "no", "null", "2026-11-30", "", " x", "#", "a: b", "line\nline"),
    *(0, 17, -1.5, 1e-2, True, None, float("inf")),
]


def drawn(draw: random.Random, level: int = 0) -> Any:
    """A nested value."""
    kind = draw.choice(("scalar", "list", "mapping")) if level < 5 else "scalar"
    if kind == "scalar":
        return draw.choice(SCALARS)
    parts = [drawn(draw, level + 1) for _ in range(draw.randrange(4))]
    return parts if kind == "list" else {f"name {at}": part for at, part in enumerate(parts)}


@pytest.mark.parametrize("seed", range(20))
def test_it_reads_what_the_slow_reader_reads(seed: int) -> None:
    draw = random.Random(seed)
    for flow in (None, True, False):
        text = yaml.safe_dump(drawn(draw), default_flow_style=flow, allow_unicode=True)
        assert bounded_files.load_yaml(text) == yaml.load(text, Loader=yaml.SafeLoader)


@pytest.mark.parametrize(
    "text", ["a: b: c", "rate: [1, 2", "ok: 1\n\tname: 2", "- \x00", "- \ud800"]
)
def test_a_refusal_is_the_slow_readers_which_shows_the_line(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as slow:
        yaml.compose(text, Loader=yaml.SafeLoader)
    with pytest.raises(yaml.YAMLError) as fast:
        bounded_files.load_yaml(text)
    assert str(fast.value) == str(slow.value)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_refused_before_nodes_are_made(opening: str) -> None:
    with pytest.raises(TooLarge, match="101 levels of nesting"):
        bounded_files.load_yaml(opening * 20_000)
