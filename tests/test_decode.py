"""Pictures with transparency, and greys of other depths than eight bits: what is seen of them, and under which key."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cl_core.decode import open_picture
from cl_core.tasks.task import picture_hashes, pixel_hashes

DRAWN = np.zeros((6, 8), dtype=bool)
DRAWN[2:4, 2:6] = True


def transparent(mode: str) -> Image.Image:
    """Black ink on nothing: what lies under the nothing is black too, as drawing programs save it."""
    if mode in ("P", "L with one value hidden"):
        values = Image.fromarray(np.where(DRAWN, 1, 0).astype(np.uint8))
        if mode == "P":
            values.putpalette([0, 0, 0, 0, 0, 0])
        return values
    alpha = Image.fromarray((255 * DRAWN).astype(np.uint8))
    picture = Image.new("L" if mode == "LA" else "RGB", alpha.size)
    picture.putalpha(alpha)
    return picture


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L with one value hidden"])
def test_what_is_transparent_shows_white_whatever_lies_under_it(mode: str) -> None:
    file = io.BytesIO()
    picture = transparent(mode)
    hidden = {} if picture.mode in ("RGBA", "LA") else {"transparency": 0}
    picture.save(file, "png", **hidden)
    content = file.getvalue()
    seen = np.asarray(open_picture(content)).mean(axis=2)
    np.testing.assert_allclose(seen, np.where(DRAWN, 0, 255), atol=1)
    assert pixel_hashes("image", [content]) != picture_hashes([content])  # no old feature is met


def test_half_transparent_ink_is_mixed_with_white_and_an_array_s_too() -> None:
    half = np.full((4, 4, 4), (0, 0, 0, 128), dtype=np.uint8)
    assert np.asarray(open_picture(half))[0, 0].tolist() == [127, 127, 127]


RAMP = np.linspace(0, 1, 64).reshape(8, 8)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ((RAMP * 4095).astype(np.uint16), False),
        ((RAMP * 65535).astype(np.uint16), True),
        ((RAMP * 255).astype(np.uint16), False),
        ((RAMP * 65535).astype(np.int32), False),
        ((RAMP * (2**31 - 1)).astype(np.int32), False),
        (RAMP.astype(np.float32), False),
        ((RAMP * 255).astype(np.float32), False),
        ((RAMP * 3 - 1.5).astype(np.float32), False),
    ],
    ids=["12 in 16", "16", "8 in 16", "16 in 32", "32", "0 to 1", "0 to 255", "negative"],
)
def test_greys_of_any_depth_use_the_whole_range(values: np.ndarray, kept: bool) -> None:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "tiff")
    content = file.getvalue()
    seen = np.asarray(open_picture(content))[..., 0]
    assert np.abs(seen - RAMP * 255).max() <= 2
    assert (pixel_hashes("image", [content]) == picture_hashes([content])) == kept


def test_a_float_that_is_no_number_is_black_and_stops_nothing() -> None:
    values = RAMP.astype(np.float32)
    values[0, :2] = np.nan, np.inf
    file = io.BytesIO()
    Image.fromarray(values).save(file, "tiff")
    seen = np.asarray(open_picture(file.getvalue()))[..., 0]
    assert seen[0, :2].tolist() == [0, 0]
    assert np.abs(seen - RAMP * 255)[1:].max() <= 2
