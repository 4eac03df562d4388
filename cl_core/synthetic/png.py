"""Pixels as the bytes of a PNG file, still or animated: what built-in pictures and clips are kept as."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encodes (H, W, 3) sRGB pixels without loss."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", compress_level=1)
    return file.getvalue()


def animation(frames: Sequence[NDArray[np.uint8]], seconds: float) -> bytes:
    """Encodes frames, (H, W, 3) sRGB pixels each, as an animated PNG without loss that plays for ever.

    Args:
        frames: in order.
        seconds: how long each is shown.
    """
    from PIL import Image

    file = io.BytesIO()
    first, *others = map(Image.fromarray, frames)
    # Pillow writes equal neighbours as one frame unless they blend differently; opaque ones look the same either way.
    blend = [frame % 2 for frame in range(len(frames))]
    first.save(
        file,
        "png",
        save_all=True,
        append_images=others,
        duration=round(1000 * seconds),
        blend=blend,
        loop=0,
        compress_level=1,
    )
    return file.getvalue()
