"""What `scene-clip` is trained on: drawn scenes, sentences about each, and where in the picture each thing lies.

None is in a built-in stream: streams draw their lots under other names. The same seed and number give the same scene.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cl_core.synthetic.draw import Draw
from cl_core.synthetic.scenes.captions import caption
from cl_core.synthetic.scenes.figures import FIGURES, SHAPES, THINGS
from cl_core.synthetic.scenes.painter import SIDE, paint
from cl_core.synthetic.scenes.scene import COLOURS, Scene, Thing, draw_scene

CAPTIONS = 4
"""Sentences about each scene; every epoch sees another."""
PATCH = 8
"""Side of a patch in pixels."""
PATCHES = SIDE // PATCH
"""Patches in a row."""
WORDS = [f"{colour} {figure}" for colour in COLOURS for figure in FIGURES]
"""What a thing may be called where it lies."""
MOST_THINGS = 5


@dataclass(frozen=True)
class SceneBatch:
    """N scenes.

    Attributes:
        pixels: (N, 3, 64, 64) uint8.
        captions: CAPTIONS sentences about each.
        regions: (N, MOST_THINGS, PATCHES^2) bool, the patches where each thing lies.
        things: (N, MOST_THINGS) places in WORDS; -1 where there is no further thing.
    """

    pixels: Tensor
    captions: list[list[str]]
    regions: Tensor
    things: Tensor


def lot(seed: int, number: int) -> tuple[Scene, list[str]]:
    """A scene and sentences about it: shapes to count and compare, or things to name."""
    draw = Draw("scene-clip", seed, number)
    match draw.below(4):
        case 0:
            figure = draw.choice(tuple(FIGURES))
            scene = draw_scene(draw, 1, figures=[figure], sizes=("big", "huge"))
        case 1:
            scene = draw_scene(draw, 1 + draw.below(2), figures=tuple(THINGS))
        case 2:  # several of a kind
            few = draw.shuffled(tuple(SHAPES))[: 1 + draw.below(2)]
            scene = draw_scene(draw, 2 + draw.below(4), figures=few, sizes=("small",))
        case _:
            scene = draw_scene(draw, 1 + draw.below(4))
    return scene, [caption(scene, draw) for _ in range(CAPTIONS)]


def region(thing: Thing) -> NDArray[np.bool_]:
    """(PATCHES^2,) the patches whose middle it covers, the one under its own middle at least."""
    middles = (np.arange(PATCHES) + 0.5) / PATCHES
    covered = np.hypot(middles[None] - thing.x, middles[:, None] - thing.y) <= thing.radius
    covered[min(int(thing.y * PATCHES), PATCHES - 1), min(int(thing.x * PATCHES), PATCHES - 1)] = (
        True
    )
    return covered.reshape(-1)


def draw_part(
    asked: tuple[int, int, int],
) -> tuple[NDArray[np.uint8], list[list[str]], NDArray[np.bool_], NDArray[np.int64]]:
    """Pixels, captions, regions and things of the scenes numbered begin..end - 1."""
    seed, begin, end = asked
    drawn = [lot(seed, number) for number in range(begin, end)]
    regions = np.zeros((len(drawn), MOST_THINGS, PATCHES**2), dtype=np.bool_)
    things = np.full((len(drawn), MOST_THINGS), -1, dtype=np.int64)
    for row, (scene, _) in enumerate(drawn):
        for index, thing in enumerate(scene.things):
            regions[row, index] = region(thing)
            things[row, index] = WORDS.index(f"{thing.colour} {thing.figure}")
    pixels = np.stack([paint(scene) for scene, _ in drawn])
    return pixels, [sentences for _, sentences in drawn], regions, things


def scenes(seed: int, begin: int, count: int) -> SceneBatch:
    """Scenes and captions, made by all cores."""
    step = 500
    parts = [(seed, b, min(b + step, begin + count)) for b in range(begin, begin + count, step)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        lots = list(pool.map(draw_part, parts))
    pixels, captions, regions, things = zip(*lots, strict=True)
    return SceneBatch(
        torch.from_numpy(np.concatenate(pixels)).permute(0, 3, 1, 2).contiguous(),
        [caption for part in captions for caption in part],
        torch.from_numpy(np.concatenate(regions)),
        torch.from_numpy(np.concatenate(things)),
    )
