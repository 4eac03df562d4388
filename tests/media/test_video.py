"""Frames of video files: which, when, which way up, and what is said of files that cannot be read."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cl_core.errors import UserError
from cl_core.tasks.task import picture_hashes, pixel_hashes
from cl_core.video import clip_has_transparency, read_clip, sample_moments, shown_at

CODECS = {"mp4": "libx264", "webm": "libvpx-vp9"}


TICKS = 1000
"""A second, in the time base of the clips written here."""


def greys(count: int, size: int = 64) -> list[NDArray[np.uint8]]:
    """Frames that brighten evenly from 0 to 255."""
    return [
        np.full((size, size, 3), round(255 * number / max(count - 1, 1)), np.uint8)
        for number in range(count)
    ]


def write_frames(path: Path, frames: Sequence[NDArray[np.uint8]], seconds: Sequence[float]) -> Path:
    """A film whose frames begin at these moments."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix[1:]], rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        for pixels, moment in zip(frames, seconds, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(moment * TICKS), Fraction(1, TICKS)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def write(path: Path, count: int) -> Path:
    """A clip whose frames brighten evenly from 0, ten a second."""
    return write_frames(path, greys(count), [number / 10 for number in range(count)])


def turn(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Gives an mp4 the display matrix (a b; c d)."""
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd") + 4
    matrix = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    struct.pack_into(">9i", content, header + 40, *matrix)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", CODECS)
def test_frames_are_evenly_spaced_and_keep_their_moments(tmp_path: Path, suffix: str) -> None:
    clip = read_clip(write(tmp_path / f"clip.{suffix}", 40), frames=8)
    assert clip.frames.shape == (8, 64, 64, 3)
    assert clip.frames.dtype == np.uint8
    moments = np.linspace(0, 3.9, 8)
    np.testing.assert_allclose(clip.seconds, moments, atol=0.02)
    wanted = np.floor(moments * 10 + 1e-3)
    np.testing.assert_allclose(clip.frames.mean(axis=(1, 2, 3)), wanted * 255 / 39, atol=6)


@pytest.mark.parametrize("suffix", CODECS)
def test_frames_of_uneven_length_are_chosen_by_time_and_not_by_number(
    tmp_path: Path, suffix: str
) -> None:
    seconds = [0.0, 5.0, *(10 + number / 20 for number in range(18))]
    clip = read_clip(write_frames(tmp_path / f"uneven.{suffix}", greys(20), seconds), frames=4)
    np.testing.assert_allclose(clip.seconds, [0, 3.617, 7.233, 10.85], atol=0.01)
    shown = np.array(
        [0, 0, 1, 19]
    )  # the first frame is shown for five seconds, and so is the second
    np.testing.assert_allclose(clip.frames.mean(axis=(1, 2, 3)), shown * 255 / 19, atol=6)


def test_an_animated_picture_is_looked_at_by_time_too(tmp_path: Path) -> None:
    pictures = [Image.fromarray(frame) for frame in greys(10, 8)]
    durations = [1000, *[100] * 9]
    for name in ("uneven.gif", "uneven.png", "uneven.webp"):
        pictures[0].save(
            tmp_path / name, save_all=True, append_images=pictures[1:], duration=durations
        )
        clip = read_clip(tmp_path / name, 3)
        np.testing.assert_allclose(clip.seconds, [0, 0.9, 1.8], atol=1e-6)
        means = clip.frames.mean(axis=(1, 2, 3))
        np.testing.assert_allclose(means, [0, 0, 255], atol=6)


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((1, 0, 0, 1), lambda pixels: pixels),
        ((0, 1, -1, 0), lambda pixels: np.rot90(pixels, -1)),
        ((0, -1, 1, 0), lambda pixels: np.rot90(pixels, 1)),
        ((-1, 0, 0, -1), lambda pixels: np.rot90(pixels, 2)),
        ((-1, 0, 0, 1), np.fliplr),
        ((0, 1, 1, 0), lambda pixels: pixels.transpose(1, 0, 2)),
    ],
    ids=["as it is", "right", "left", "upside down", "mirrored", "transposed"],
)
def test_a_film_s_frames_come_upright(tmp_path: Path, matrix, upright) -> None:
    quarters = np.zeros((64, 128, 3), np.uint8)
    quarters[:32, :64], quarters[:32, 64:], quarters[32:, :64] = 240, 160, 80
    file = write_frames(tmp_path / "film.mp4", [quarters] * 3, [0, 0.1, 0.2])
    clip = read_clip(turn(file, *matrix), 2)
    wanted = upright(quarters)
    assert clip.frames.shape == (2, *wanted.shape)
    assert np.abs(clip.frames.astype(int) - wanted).mean() < 8


def test_a_transparent_frame_is_laid_on_white(tmp_path: Path) -> None:
    clear, ink = Image.new("RGBA", (8, 8)), Image.new("RGBA", (8, 8), (200, 0, 0, 255))
    for name in ("clear.png", "clear.webp"):
        settings = {"lossless": True} if name.endswith("webp") else {}
        clear.save(tmp_path / name, save_all=True, append_images=[ink], duration=100, **settings)
        clip = read_clip(tmp_path / name, 2)
        assert clip.frames[0, 0, 0].tolist() == [255, 255, 255]
        assert clip.frames[1, 0, 0].tolist() == [200, 0, 0]
        black = read_clip(tmp_path / name, 2, "black")
        assert black.frames[:, 0, 0].tolist() == [[0, 0, 0], [200, 0, 0]]


@pytest.mark.parametrize(("codec", "pixels"), [("qtrle", "argb"), ("prores_ks", "yuva444p10le")])
def test_a_film_s_alpha_channel_is_laid_on_the_ground(
    tmp_path: Path, codec: str, pixels: str
) -> None:
    import av

    drawn = np.zeros((16, 16, 4), dtype=np.uint8)
    drawn[4:12] = 200, 0, 0, 255
    file = tmp_path / "film.mov"
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height = stream.width = 16
        stream.pix_fmt = pixels
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgba")))
        container.mux(stream.encode())
    for ground, shade in (("white", 255), ("black", 0)):
        frame = read_clip(file, 1, ground).frames[0].astype(int)
        assert np.abs(frame[0, 0] - shade).max() < 12
        assert np.abs(frame[8, 8] - (200, 0, 0)).max() < 12
    assert clip_has_transparency(file)
    assert not clip_has_transparency(write(tmp_path / "plain.mp4", 3))
    keys = {pixel_hashes("video", [str(file)], ground)[0] for ground in ("white", "black")}
    assert len(keys) == 2


def test_only_clips_that_are_seen_otherwise_than_before_have_new_fingerprints(
    tmp_path: Path,
) -> None:
    def as_ever(content: bytes) -> bool:
        """Whether the clip goes into fingerprints by its bytes alone."""
        return pixel_hashes("video", [content]) == picture_hashes([content])

    pictures = [Image.fromarray(frame) for frame in greys(10, 8)]
    for count, same in ((8, True), (10, False)):
        pictures[0].save(
            tmp_path / "a.png", save_all=True, append_images=pictures[1:count], duration=100
        )
        assert as_ever((tmp_path / "a.png").read_bytes()) == same
    assert not as_ever(write(tmp_path / "film.mp4", 3).read_bytes())


def test_a_short_clip_gives_all_its_frames(tmp_path: Path) -> None:
    clip = read_clip(write(tmp_path / "short.mp4", 3), frames=8)
    assert len(clip.frames) == len(clip.seconds) == 3
    assert read_clip(tmp_path / "short.mp4", frames=1).seconds == (clip.seconds[1],)


def test_the_same_file_gives_the_same_frames(tmp_path: Path) -> None:
    file = write(tmp_path / "clip.webm", 20)
    first, again = read_clip(file, 4), read_clip(file, 4)
    assert (first.frames == again.frames).all()
    assert first.seconds == again.seconds


@pytest.mark.parametrize(("count", "wanted"), [(40, 8), (9, 8), (8, 8), (3, 8), (1, 1), (7, 2)])
def test_moments_reach_from_the_first_frame_to_the_last(count: int, wanted: int) -> None:
    times = [1.4 + number / 30 for number in range(count)]  # as broadcast streams begin
    moments = sample_moments(times, wanted)
    assert len(moments) == min(count, wanted)
    if wanted > 1:
        assert (moments[0], moments[-1]) == (times[0], times[-1])
        np.testing.assert_allclose(np.diff(moments, 2), 0, atol=1e-9)
    shown = shown_at(times, moments)
    for frame, moment in zip(shown, moments, strict=True):
        assert times[frame] <= moment + 1e-6
        assert frame == count - 1 or times[frame + 1] > moment


def test_what_cannot_be_read_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.mp4: there is no such file"):
        read_clip(tmp_path / "none.mp4", 4)
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    with pytest.raises(UserError, match=r"text\.mp4: the video cannot be read"):
        read_clip(text, 4)
    whole = write(tmp_path / "whole.mp4", 30)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    with pytest.raises(UserError, match=r"cut\.mp4: the video cannot be read"):
        read_clip(cut, 4)


def test_frames_may_be_an_array() -> None:
    array = np.arange(10 * 4 * 4 * 3, dtype=np.uint8).reshape(10, 4, 4, 3)
    clip = read_clip(array, frames=5)
    assert clip.seconds == (0, 2.25, 4.5, 6.75, 9)
    assert (clip.frames == array[[0, 2, 4, 6, 9]]).all()
    with pytest.raises(UserError, match=r"a clip is \(frames, H, W, 3\) of uint8"):
        read_clip(array[..., 0], frames=5)
