"""Frames of a video file: at most F of them, evenly spaced in time and upright, each with its moment.

mp4, webm and whatever else PyAV's FFmpeg reads, and animated pictures (PNG, GIF, WebP), which need no PyAV. The same
file gives the same frames.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cl_core.errors import UserError
from cl_core.limits import CLIP_FRAMES, CLIP_PIXELS, PICTURE_PIXELS
from cl_core.picture_decoder import (
    MOST_PIXELS,
    WHITE,
    EncodedMedium,
    Source,
    first_bytes,
    has_transparency,
    laid_on,
    picture_version,
)


@dataclass(frozen=True)
class Clip:
    """Frames of a video.

    Attributes:
        frames: (F, H, W, 3) uint8 sRGB, each what is shown at its moment.
        seconds: F moments on the file's own clock, ascending.
    """

    frames: NDArray[np.uint8]
    seconds: tuple[float, ...]


FEW_FRAMES = 8
"""Whoever looks at that many frames or more of a clip of at most that many has always seen all of them."""


def sample_moments(times: Sequence[float], wanted: int) -> list[float]:
    """At which moments a clip is looked at: evenly spaced from its first frame to its last, both among them.

    Uniform sampling as in DAM's video backbones, in time and not by number: frames of uneven length are common where
    screens and phones are recorded. A clip of no more frames than are wanted is looked at once a frame, and a single
    moment is the middle **(ours)**.

    Args:
        times: when each frame begins to be shown, in seconds, ascending.
        wanted: F, at least 1.

    >>> sample_moments([0.0, 0.1, 0.2, 3.0], wanted=3)
    [0.0, 1.5, 3.0]
    >>> shown_at([0.0, 0.1, 0.2, 3.0], [0.0, 1.5, 3.0])
    [0, 2, 3]
    """
    if len(times) <= wanted:
        return list(times)
    if wanted == 1:
        return [(times[0] + times[-1]) / 2]
    return [float(moment) for moment in np.linspace(times[0], times[-1], wanted)]


def shown_at(times: Sequence[float], moments: Sequence[float]) -> list[int]:
    """Which frame is shown at each moment: the last that has begun; a long one may be shown at several."""
    # Frames begin at whole ticks of the file's clock, moments in between are rounded.
    return [int(np.searchsorted(times, moment + 1e-6, side="right")) - 1 for moment in moments]


def read_clip(source: Source, frames: int, ground: str = WHITE) -> Clip:
    """Decodes a video and keeps at most `frames` of its frames.

    Frames are counted by decoding them: a file's own count may be missing or wrong. No more than the frames that are
    kept is in memory, whatever the file's length.

    Args:
        source: the encoded bytes, the path of a file, or frames (n, H, W, 3) of 0 to 255, whose moments are their
            numbers.
        frames: F, at least 1.
        ground: what shows where frames are transparent; see `decode.ground_name`.

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
        numbers = [float(number) for number in range(len(source))]
        moments = sample_moments(numbers, frames)
        return Clip(source[shown_at(numbers, moments)], tuple(moments))
    where = "bytes" if isinstance(source, bytes) else str(source)
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise UserError(f"{where}: there is no such file")
    decode = partial(_animated if _is_picture(source) else _film, ground=ground)
    times = []
    for time, _ in decode(source, where):
        times.append(time)
        CLIP_FRAMES.check(f"{where}: the video", len(times))
    if not times:
        raise UserError(f"{where}: the video has no frames")
    times = [float(time) for time in np.maximum.accumulate(times)]
    moments = sample_moments(times, frames)
    places = list(range(len(times))) if len(times) <= frames else shown_at(times, moments)
    wanted = set(places)
    kept: dict[int, NDArray[np.uint8]] = {}
    for index, (_, pixels) in enumerate(decode(source, where)):
        if index in wanted:
            kept[index] = pixels()
            # By the first one: later ones are of its size, or refused for it.
            CLIP_PIXELS.check(f"{where}: the video", kept[index].size // 3 * len(wanted))
    if len({pixels.shape for pixels in kept.values()}) > 1:
        raise UserError(f"{where}: the video's frames are of several sizes")
    return Clip(np.stack([kept[index] for index in places]), tuple(moments))


def clip_version(source: EncodedMedium) -> int:
    """Which way of choosing and decoding its frames a clip's pixels come from: part of fingerprints.

    2 for films, which have come upright since, and for what has transparent pixels or more than `FEW_FRAMES` frames,
    which are chosen by time since. 3 for films with an alpha channel, which was dropped before.
    """
    from PIL import Image

    if not _is_picture(source):
        return 3 if _film_has_alpha(source) else 2
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if getattr(picture, "n_frames", 1) > FEW_FRAMES:
                return 2
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return 1  # nothing is made of what cannot be read
    return picture_version(source)


Frames = Iterator[tuple[float, Callable[[], NDArray[np.uint8]]]]
"""Frames in the order in which they are shown: the moment in seconds, and what makes the (H, W, 3) pixels."""


def _is_picture(source: EncodedMedium) -> bool:
    """Whether Pillow reads it: an animated PNG, GIF or WebP."""
    head = first_bytes(source)
    return head.startswith((b"\x89PNG", b"GIF8")) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _animated(source: EncodedMedium, where: str, ground: str) -> Frames:
    """Frames of an animated picture; each begins when those before it have been shown for as long as it says."""
    from PIL import Image, ImageSequence

    now = 0.0
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            _check_size(where, *picture.size)
            for frame in ImageSequence.Iterator(picture):
                if picture.format == "WEBP":
                    frame.load()  # only then does Pillow know how long it is shown
                yield now, partial(_rgb, frame, ground)
                now += float(frame.info.get("duration", 0)) / 1000
    except Image.DecompressionBombError:
        most = PICTURE_PIXELS.shown
        raise UserError(
            f"{where}: frames have far too many pixels; at most {most} are read: {PICTURE_PIXELS.todo}"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"{where}: the video cannot be read ({error})") from None


def _rgb(frame: Any, ground: str) -> NDArray[np.uint8]:
    return np.asarray(laid_on(frame, ground), dtype=np.uint8)


def clip_has_transparency(source: EncodedMedium) -> bool:
    """Whether a clip has transparent parts, or room for them; False for what is no clip."""
    return has_transparency(source) if _is_picture(source) else _film_has_alpha(source)


def _film_has_alpha(source: EncodedMedium) -> bool:
    """Whether a film has an alpha channel (ProRes 4444, PNG or animation in mov, ...).

    FFmpeg's own decoders of VP8 and VP9 give none, whatever the file has.
    """
    try:
        av = _av()
    except UserError:
        return False  # whoever reads it says so
    try:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as container:
            streams = container.streams.video
            return bool(streams) and _has_alpha(streams[0].codec_context.format)
    except av.FFmpegError:
        return False


def _has_alpha(form: Any) -> bool:
    """Whether a format of pixels has a channel for what is transparent."""
    return form is not None and any(part.is_alpha for part in form.components)


def _film(source: EncodedMedium, where: str, ground: str) -> Frames:
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
                yield time, partial(_upright, frame, ground)
    except av.FFmpegError as error:
        raise UserError(f"{where}: the video cannot be read ({error})") from None


def _upright(frame: Any, ground: str) -> NDArray[np.uint8]:
    """(H, W, 3) pixels on a ground, turned and mirrored as the file's display matrix says, by quarter turns."""
    from PIL import Image

    pixels: NDArray[np.uint8]
    if _has_alpha(frame.format):
        pixels = np.asarray(laid_on(Image.fromarray(frame.to_ndarray(format="rgba")), ground))
    else:
        pixels = frame.to_ndarray(format="rgb24")
    matrix = next((item for item in frame.side_data if item.type.name == "DISPLAYMATRIX"), None)
    if matrix is None:
        return pixels
    # FFmpeg's display.h: a point (x, y) is shown at (a x + c y, b x + d y), y downwards, in native byte order.
    a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5]
    across, down = a, d
    if abs(int(b)) > abs(int(a)):
        pixels, across, down = pixels.transpose(1, 0, 2), c, b
    pixels = pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]
    return np.ascontiguousarray(pixels)


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
