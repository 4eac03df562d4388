"""Frames of a video file: at most F of them, evenly spaced in time, each with its moment.

mp4, webm and whatever else PyAV's FFmpeg reads. The same file gives the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cl_core.decode import MOST_PIXELS
from cl_core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Clip:
    """Frames of a video.

    Attributes:
        frames: (F, H, W, 3) uint8 sRGB.
        seconds: F moments, ascending, as the file has them.
    """

    frames: NDArray[np.uint8]
    seconds: tuple[float, ...]


def sample_places(count: int, wanted: int) -> list[int]:
    """Which of `count` frames are taken: the middles of `wanted` equal parts; all where there are no more.

    Uniform sampling as in DAM's video backbones; the middle of each part is ours, the papers do not say.
    """
    if count <= wanted:
        return list(range(count))
    return [(2 * part + 1) * count // (2 * wanted) for part in range(wanted)]


def read_clip(path: str | Path, frames: int) -> Clip:
    """Decodes a video once and keeps at most `frames` of its frames.

    Frames are counted by decoding them: a file's own count may be missing or wrong. No more than the frames that are
    kept is in memory, whatever the file's length.

    Args:
        path: of the file.
        frames: F, at least 1.

    Raises:
        UserError: no such file, no video in it, a damaged one, or frames that are too large.
    """
    if frames < 1:
        raise ValueError(f"frames is {frames}; at least one is needed")
    file = Path(path)
    if not file.is_file():
        raise UserError(f"{path}: there is no such file")
    times = [time for time, _ in _decode(file, pixels=False)]
    if not times:
        raise UserError(f"{path}: the video has no frames")
    places = set(sample_places(len(times), frames))
    kept = [
        (time, frame.to_ndarray(format="rgb24"))
        for place, (time, frame) in enumerate(_decode(file, pixels=True))
        if place in places
    ]
    return Clip(np.stack([pixels for _, pixels in kept]), tuple(time for time, _ in kept))


def _decode(file: Path, pixels: bool) -> Iterator[tuple[float, Any]]:
    """All frames in the order in which they are shown, with their moments in seconds."""
    av = _av()
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise UserError(f"{file}: there is no video in this file")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            width, height = stream.codec_context.width, stream.codec_context.height
            if width * height > MOST_PIXELS:
                raise UserError(
                    f"{file}: frames are {width} x {height}; at most {MOST_PIXELS // 10**6} million pixels are read"
                )
            for number, frame in enumerate(container.decode(stream)):
                yield float(frame.time if frame.time is not None else number), frame
    except av.FFmpegError as error:
        raise UserError(f"{file}: the video cannot be read ({error})") from None


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise UserError(
            "video files need PyAV, which is not installed; run: pip install av"
        ) from None
    return av
