"""A picture from a file, bytes or an array: whole, upright, as 8-bit RGB; refused with a reason where it cannot be.

The same encoded bytes, or pixels, give the same picture, wherever they come from.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cl_core.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

Encoded = bytes | str | Path
"""One picture or clip: its bytes, or the path of a file."""
Source = Encoded | NDArray[np.uint8]
"""The same, or pixels of 0 to 255: (H, W, 3), (H, W, 4) or (H, W) of a picture, (n, H, W, 3) of a clip."""

MOST_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded: a small file can claim any size."""


def open_picture(source: Source) -> Image:
    """Decodes a picture.

    Returns:
        8-bit RGB, turned upright by its EXIF orientation.

    Raises:
        UserError: no such file, not a picture, a truncated one, an array of another shape or type, or one of more than
            MOST_PIXELS pixels.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.shape[2:] not in ((), (3,), (4,)) or not source.size:
            raise UserError(
                f"array {source.shape} of {source.dtype}: a picture is (H, W, 3), (H, W, 4) or (H, W) of uint8"
            )
        return Image.fromarray(source).convert("RGB")
    where = "bytes" if isinstance(source, bytes) else str(source)
    try:
        with warnings.catch_warnings():
            # Pillow warns at half of its own limit; ours is checked below, before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as found:
                width, height = found.size
                if width * height > MOST_PIXELS:
                    raise UserError(
                        f"picture {where} is {width} x {height}; at most {MOST_PIXELS // 10**6} million pixels "
                        "are read"
                    )
                found.load()
                upright = ImageOps.exif_transpose(found)
    except UnidentifiedImageError:
        raise UserError(f"{where}: not a picture that can be read") from None
    except FileNotFoundError:
        raise UserError(f"{where}: there is no such file") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Pillow raises SyntaxError for broken PNG chunks.
        raise UserError(f"{where}: the picture is damaged ({error})") from None
    return _eight_bit(upright).convert("RGB")


def _eight_bit(picture: Image) -> Image:
    """Sixteen bits of grey as eight; Pillow's own conversion would clip them."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.point(lambda value: value / 256).convert("L")
