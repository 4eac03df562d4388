"""The stream `digits`: scikit-learn's handwritten digits (Alpaydin and Kaynak 1998), one style of showing them a task.

The 1,797 digits are 8 x 8 pixels; shown are 64 x 64. Training, validation and test digits are other digits, the same
ones in every style **(ours)**.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cl_core.errors import UserError, did_you_mean
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import png
from cl_core.tasks.builtin import BUILTIN_STREAMS, BuiltinSource, BuiltinTask, sizes_of
from cl_core.tasks.spec import StreamSpec, TaskSpec

SIDE = 64
_MARGIN = 8
TASK_KNOBS: dict[str, type] = {"seed": int, "train": int, "validation": int, "test": int}
STREAM_KNOBS: dict[str, type] = TASK_KNOBS
_SIZES = {"train": 300, "validation": 100, "test": 200}
_LABELS = tuple(str(digit) for digit in range(10))

Array = NDArray[np.float64]
Style = Callable[[Array, Draw], Array]
"""((64, 64) ink in 0..1, lots) -> (64, 64, 3) colours in 0..1."""


def stream(source: BuiltinSource) -> StreamSpec:
    """One task for each style."""
    return StreamSpec(
        name="digits",
        title=BUILTIN_STREAMS["digits"],
        protocol="dil",
        tasks=tuple(
            TaskSpec(
                name=style,
                kind="image",
                builtin=str(BuiltinSource(f"digits/{style}", source.knobs)),
            )
            for style in STYLES
        ),
    )


def task(name: str, knobs: Mapping[str, Any]) -> BuiltinTask:
    """The digits in a style.

    Raises:
        UserError: there is no such style, or a split is to be empty or larger than there are digits.
    """
    if name not in STYLES:
        raise UserError(
            f"there is no style '{name}' of digits; styles are {', '.join(STYLES)}.{did_you_mean(name, STYLES)}"
        )
    sizes = sizes_of(f"digits/{name}", knobs, _SIZES)
    images, labels = _digits()
    if sum(sizes.values()) > len(labels):
        raise UserError(
            f"digits/{name}: {sum(sizes.values())} rows are asked for and there are {len(labels)} digits"
        )
    seed = knobs.get("seed", 0)
    order = _order(labels, Draw(seed, "digits"))
    rows: dict[str, list[tuple[str | bytes, int]]] = {}
    begin = 0
    for split, count in sizes.items():
        rows[split] = [
            (png(_show(images[row], name, Draw(seed, name, row))), labels[row])
            for row in order[begin : begin + count]
        ]
        begin += count
    return BuiltinTask.labelled(_LABELS, "image", rows)


def _order(labels: Sequence[int], draw: Draw) -> list[int]:
    """All rows by lot, one of each class in turn as long as there are some."""
    shuffled = draw.shuffled(range(len(labels)))
    turns: dict[int, int] = {}
    ranked = []
    for row in shuffled:
        turn = turns.get(labels[row], 0)
        turns[labels[row]] = turn + 1
        ranked.append((turn, labels[row], row))
    return [row for _, _, row in sorted(ranked)]


@cache
def _digits() -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """(1797, 64, 64) ink in 0..255, with a margin and a crisp edge, and the labels."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = (digits.images * (255 / 16)).astype(np.uint8)
    inner = SIDE - 2 * _MARGIN
    grown = np.stack(
        [
            np.asarray(Image.fromarray(picture).resize((inner, inner), Image.Resampling.BICUBIC))
            for picture in small
        ]
    )
    crisp = np.clip((grown / 255.0 - 0.25) * 2, 0, 1)
    edge = ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN))
    inked = np.pad(np.rint(255 * crisp).astype(np.uint8), edge)
    return inked, tuple(int(label) for label in digits.target)


def _show(ink: NDArray[np.uint8], style: str, draw: Draw) -> NDArray[np.uint8]:
    shown = STYLES[style](ink / 255.0, draw)
    return np.clip(np.rint(255 * shown), 0, 255).astype(np.uint8)


def _mix(ink: Array, paper: tuple[float, ...], pen: tuple[float, ...]) -> Array:
    mixed: Array = np.array(paper) + (np.array(pen) - np.array(paper)) * ink[..., None]
    return mixed


def _plain(ink: Array, draw: Draw) -> Array:
    return _mix(ink, (0.97, 0.96, 0.93), (0.12, 0.12, 0.2))


def _inverted(ink: Array, draw: Draw) -> Array:
    return _mix(ink, (0.05, 0.06, 0.1), (0.95, 0.95, 0.9))


def _rotated(ink: Array, draw: Draw) -> Array:
    """Turned by 25 to 60 degrees, to the left or to the right."""
    from PIL import Image

    angle = draw.between(25, 60) * (1 if draw.chance(0.5) else -1)
    picture = Image.fromarray((255 * ink).astype(np.uint8))
    turned = np.asarray(picture.rotate(angle, Image.Resampling.BICUBIC)) / 255.0
    return _plain(turned, draw)


def _coloured(ink: Array, draw: Draw) -> Array:
    """Paper and pen of any two colours that differ enough to be told apart."""
    while True:
        paper, pen = (tuple(draw.between(0, 1) for _ in range(3)) for _ in range(2))
        if abs(sum(paper) - sum(pen)) > 0.9:
            return _mix(ink, paper, pen)


def _noisy(ink: Array, draw: Draw) -> Array:
    """Every pixel's brightness moved by up to 0.35."""
    # numpy promises that the numbers of this older generator never change.
    noise = np.random.RandomState(draw.below(2**31)).uniform(-0.35, 0.35, ink.shape)
    noisy: Array = np.clip(_plain(ink, draw) + noise[..., None], 0, 1)
    return noisy


def _blurred(ink: Array, draw: Draw) -> Array:
    """Out of focus."""
    from PIL import Image, ImageFilter

    picture = Image.fromarray((255 * ink).astype(np.uint8))
    seen = np.asarray(picture.filter(ImageFilter.GaussianBlur(4.0))) / 255.0
    return _plain(np.clip(1.3 * seen, 0, 1), draw)


STYLES: dict[str, Style] = {
    "plain": _plain,
    "inverted": _inverted,
    "rotated": _rotated,
    "coloured": _coloured,
    "noisy": _noisy,
    "blurred": _blurred,
}
"""Ways to show a digit."""
