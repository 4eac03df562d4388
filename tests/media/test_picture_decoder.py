"""Pictures with transparency, and greys of other depths than eight bits: what is seen of them, and under which key."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cl_core.picture_decoder import ground_name, has_transparency, open_picture
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


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L with one value hidden", "I;16"])
def test_another_ground_shows_behind_it_and_is_part_of_its_fingerprint(mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.where(DRAWN, 0, 9).astype(np.uint16))
        hidden = {"transparency": 9}
    else:
        picture = transparent(mode)
        hidden = {} if picture.mode in ("RGBA", "LA") else {"transparency": 0}
    file = io.BytesIO()
    picture.save(file, "png", **hidden)
    content = file.getvalue()
    seen = np.asarray(open_picture(content, "#204060"))
    wanted = np.where(DRAWN[..., None], 0, [0x20, 0x40, 0x60])
    np.testing.assert_allclose(seen, wanted, atol=1)
    keys = {pixel_hashes("image", [content], ground)[0] for ground in ("white", "black", "#204060")}
    assert len(keys) == 3
    assert pixel_hashes("image", [content]) == pixel_hashes("image", [content], "white")


def test_a_picture_without_transparency_has_one_key_on_every_ground() -> None:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(file, "png")
    content = file.getvalue()
    assert pixel_hashes("image", [content], "black") == picture_hashes([content])
    assert not has_transparency(content)


@pytest.mark.parametrize(
    ("given", "name"),
    [("White", "white"), ("#FFFFFF", "white"), ("#000000", "black"), ("#A0b0C0", "#a0b0c0")],
)
def test_a_ground_has_one_name(given: str, name: str) -> None:
    assert ground_name(given) == name


@pytest.mark.parametrize("given", [None, "", "blue", "#12", 0, "#12345g"])
def test_what_is_no_ground_is_refused_with_what_is_allowed(given: object) -> None:
    with pytest.raises(
        ValueError, match="a ground is white, black or a colour, '#rrggbb' in quote"
    ):
        ground_name(given)


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
