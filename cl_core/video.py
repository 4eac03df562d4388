"""Frames of a video file: at most F of them, evenly spaced in time, each with its moment.

mp4, webm and whatever else PyAV's FFmpeg reads, and animated pictures (PNG, GIF, WebP), which need no PyAV. The same
file gives the same frames.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cl_core.decode import MOST_PIXELS, Encoded, Source
from cl_core.errors import UserError


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


def read_clip(source: Source, frames: int) -> Clip:
    """Decodes a video and keeps at most `frames` of its frames.

    Frames are counted by decoding them: a file's own count may be missing or wrong. No more than the frames that are
    kept is in memory, whatever the file's length.

    Args:
        source: the encoded bytes, the path of a file, or frames (n, H, W, 3) of 0 to 255, whose moments are their
            numbers.
        frames: F, at least 1.

    Raises:
        UserError: no such file, no video in it, a damaged one, frames that are too large, or of several sizes; an array
            of another shape or type.
    """
    if frames < 1:
        raise ValueError(f"frames is {frames}; at least one is needed")
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 4 or source.shape[3] != 3 or not source.size:
            raise UserError(
                f"array {source.shape} of {source.dtype}: a clip is (frames, H, W, 3) of uint8"
            )
        chosen = sample_places(len(source), frames)
        return Clip(source[chosen], tuple(float(place) for place in chosen))
    where = "bytes" if isinstance(source, bytes) else str(source)
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise UserError(f"{where}: there is no such file")
    decode = _animated if _is_picture(source) else _film
    times = [time for time, _ in decode(source, where)]
    if not times:
        raise UserError(f"{where}: the video has no frames")
    places = set(sample_places(len(times), frames))
    decoded = enumerate(decode(source, where))
    kept = [(time, pixels()) for place, (time, pixels) in decoded if place in places]
    if len({pixels.shape for _, pixels in kept}) > 1:
        raise UserError(f"{where}: the video's frames are of several sizes")
    return Clip(np.stack([pixels for _, pixels in kept]), tuple(time for time, _ in kept))


Frames = Iterator[tuple[float, Callable[[], NDArray[np.uint8]]]]
"""Frames in the order in which they are shown: the moment in seconds, and what makes the (H, W, 3) pixels."""


def _is_picture(source: Encoded) -> bool:
    """Whether Pillow reads it: an animated PNG, GIF or WebP."""
    if isinstance(source, bytes):
        head = source[:12]
    else:
        with Path(source).open("rb") as file:
            head = file.read(12)
    return head.startswith((b"\x89PNG", b"GIF8")) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _animated(source: Encoded, where: str) -> Frames:
    """Frames of an animated picture; each begins when those before it have been shown for as long as it says."""
    from PIL import Image, ImageSequence

    now = 0.0
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            _check_size(where, *picture.size)
            for frame in ImageSequence.Iterator(picture):
                yield now, partial(_rgb, frame)
                now += float(frame.info.get("duration", 0)) / 1000
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"{where}: the video cannot be read ({error})") from None


def _rgb(frame: Any) -> NDArray[np.uint8]:
    return np.asarray(frame.convert("RGB"), dtype=np.uint8)


def _film(source: Encoded, where: str) -> Frames:
    """Frames of a video file."""
    av = _av()
    try:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as container:
            if not container.streams.video:
                raise UserError(f"{where}: there is no video in this file")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            _check_size(where, stream.codec_context.width, stream.codec_context.height)
            for number, frame in enumerate(container.decode(stream)):
                time = float(frame.time if frame.time is not None else number)
                yield time, partial(frame.to_ndarray, format="rgb24")
    except av.FFmpegError as error:
        raise UserError(f"{where}: the video cannot be read ({error})") from None


def _check_size(where: str, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise UserError(
            f"{where}: frames are {width} x {height}; at most {MOST_PIXELS // 10**6} million pixels are read"
        )


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise UserError(
            "video files need PyAV, which is not installed; run: pip install av"
        ) from None
    return av
