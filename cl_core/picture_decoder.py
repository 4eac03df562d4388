"""A picture from a file, bytes or an array: whole, upright, on a ground, as 8-bit RGB; or refused with the reason.

The same encoded bytes, or pixels, give the same picture, wherever they come from.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cl_core.errors import UserError, short
from cl_core.limits import PICTURE_BYTES, PICTURE_PIXELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

EncodedMedium = bytes | str | Path
"""One picture or clip: its bytes, or the path of a file."""
Source: TypeAlias = "EncodedMedium | NDArray[np.uint8]"
"""The same, or pixels of 0 to 255: (H, W, 3), (H, W, 4) or (H, W) of a picture, (n, H, W, 3) of a clip."""

MOST_PIXELS = PICTURE_PIXELS.most
"""Larger pictures are refused before they are decoded: a small file can claim any size."""

SEVERAL_PIXELS = 4_000_000
"""Of pictures that may be decoded at once, in threads of one process."""
_ONE_AT_A_TIME = threading.Lock()

DEPTHS = (8, 12, 16)
"""Bits that whole numbers in a wider type are taken to use."""

WHITE = "white"
"""What shows where a picture is transparent, unless it is told otherwise **(ours)**.

What a file keeps under transparent pixels is nobody's drawing: black as a rule, and black ink would vanish on it.
"""
_GROUNDS = {"#ffffff": WHITE, "#000000": "black"}


def ground_name(value: object) -> str:
    """The one name of a ground: white, black, or "#rrggbb" in small letters.

    Raises:
        ValueError: it is none.

    >>> ground_name(" White"), ground_name("#FF0000")
    ('white', '#ff0000')
    """
    plain = value.strip().lower() if isinstance(value, str) else ""
    if plain not in _GROUNDS.values() and not re.fullmatch("#[0-9a-f]{6}", plain):
        raise ValueError(
            f"is {'nothing' if value is None else short(value)}; a ground is white, black or a colour, '#rrggbb' in "
            "quotes (YAML takes what follows a bare # for a remark)"
        )
    return _GROUNDS.get(plain, plain)


def open_picture(source: Source, ground: str = WHITE) -> Image:
    """Decodes a picture.

    Args:
        source: where it is.
        ground: what shows where it is transparent, as `ground_name` calls it.

    Returns:
        8-bit RGB, turned upright by its EXIF orientation, laid on the ground.

    Raises:
        UserError: no such file, not a picture, a truncated one, an array of another shape or type, or one of more than
            MOST_PIXELS pixels.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.shape[2:] not in ((), (3,), (4,)) or not source.size:
            raise UserError(
                f"array {source.shape} of {source.dtype}: a picture is (H, W, 3), (H, W, 4) or (H, W) of uint8"
            )
        return laid_on(Image.fromarray(source), ground)
    where = "bytes" if isinstance(source, bytes) else str(source)
    if not isinstance(source, bytes) and Path(source).exists():
        if not Path(source).is_file():
            raise UserError(f"{where}: it is no regular file")
        PICTURE_BYTES.check(f"picture {where}", Path(source).stat().st_size)
    try:
        with warnings.catch_warnings():
            # Pillow warns at half of its own limit; ours is checked below, before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise UserError(
                        f"picture {where} is {width} x {height}; at most {MOST_PIXELS // 10**6} million pixels "
                        "are read"
                    )
                # Several that are decoded at once may be small; large ones wait for each other.
                with _ONE_AT_A_TIME if width * height > SEVERAL_PIXELS else nullcontext():
                    picture.load()
                    return laid_on(ImageOps.exif_transpose(picture), ground)
    except UnidentifiedImageError:
        raise UserError(f"{where}: not a picture that can be read") from None
    except FileNotFoundError:
        raise UserError(f"{where}: there is no such file") from None
    except Image.DecompressionBombError:
        raise UserError(
            f"picture {where} has far too many pixels; at most {PICTURE_PIXELS.shown} are read: {PICTURE_PIXELS.todo}"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow raises SyntaxError for broken PNG chunks.
        raise UserError(f"{where}: the picture is damaged ({error})") from None


def laid_on(picture: Image, ground: str = WHITE) -> Image:
    """A decoded picture as 8-bit RGB; what is transparent shows the ground behind it."""
    from PIL import Image

    if picture.mode[0] in "IF":
        return _eight_bit(picture, ground)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, ground), seen).convert("RGB")


def _eight_bit(picture: Image, ground: str) -> Image:
    """Whole numbers of more than eight bits, or floating-point ones, as eight bits of grey, in RGB.

    No file says how many of its bits are used: the range is the least that holds the greatest value, of 0 to 1
    (floating point alone), 8, 12 and 16 bits; what is negative or larger is stretched from least to greatest
    **(ours)**. Pillow's own conversion would clip them.
    """
    import numpy as np
    from PIL import Image

    values = np.asarray(picture, dtype=np.float64)
    values = np.where(np.isfinite(values), values, 0)
    least, greatest = values.min(), values.max()
    bits = next((bits for bits in DEPTHS if greatest < 2**bits), None)
    if least < 0 or bits is None:
        grey = 255 * (values - least) / max(greatest - least, 1e-300)
    elif picture.mode == "F" and greatest <= 1:
        grey = 255 * values
    else:
        grey = values / 2 ** (bits - 8)
    seen = Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    hidden = picture.info.get("transparency")
    if isinstance(hidden, int):  # the one value that a PNG names as transparent
        seen.paste(ground, mask=Image.fromarray(values == hidden))
    return seen


def has_transparency(source: EncodedMedium) -> bool:
    """Whether a picture, or the first frame of an animated one, has transparent parts or room for them.

    Its header says so; no pixel is decoded. False for what is no picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            return bool(picture.has_transparency_data)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def picture_version(source: EncodedMedium) -> int:
    """Which way of decoding a picture's pixels come from: part of the fingerprint of what is made of them.

    2 where they are not what they were at first: transparent ones, and greys that are not of sixteen full bits.
    """
    import numpy as np
    from PIL import Image

    if first_bytes(source).startswith(b"\xff\xd8"):  # JPEG, which has neither
        return 1
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return 1
            narrow = picture.mode.startswith("I;16") and np.asarray(picture).max() < 2 ** DEPTHS[1]
            other = narrow or picture.mode in ("I", "F") or picture.has_transparency_data
            return 2 if other else 1
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 1  # nothing is made of what cannot be read


def first_bytes(source: EncodedMedium, count: int = 12) -> bytes:
    """What a file begins with, which says what it is."""
    if isinstance(source, bytes):
        return source[:count]
    with Path(source).open("rb") as file:
        return file.read(count)
