"""Pictures as a browser shows them: large ones made smaller, small ones grown by whole pixels and so crisp."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def png(picture: Image, side: int) -> str:
    """Base64 of a PNG file.

    Args:
        picture: of any size.
        side: pixels of its longer side at most; a picture of half of them or fewer is grown by a whole factor.
    """
    from PIL import Image as Pillow

    grow = max(1, side // max(picture.size))
    if grow > 1:  # a digit of 8 pixels is to be seen
        size = picture.width * grow, picture.height * grow
        picture = picture.resize(size, Pillow.Resampling.NEAREST)
    picture.thumbnail((side, side))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return b64encode(file.getvalue()).decode()
