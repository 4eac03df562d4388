"""Frames of video files: which, when, and what is said of files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cl_core.errors import UserError
from cl_core.video import read_clip, sample_places

CODECS = {"mp4": "libx264", "webm": "libvpx-vp9"}


def write(path: Path, count: int, rate: int = 10, size: int = 64) -> Path:
    """A clip whose frames brighten evenly from 0."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix[1:]], rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(count):
            grey = np.full((size, size, 3), round(255 * number / max(count - 1, 1)), np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.mark.parametrize("suffix", CODECS)
def test_frames_are_evenly_spaced_and_keep_their_moments(tmp_path: Path, suffix: str) -> None:
    clip = read_clip(write(tmp_path / f"clip.{suffix}", 40), frames=8)
    assert clip.frames.shape == (8, 64, 64, 3)
    assert clip.frames.dtype == np.uint8
    wanted = np.array(sample_places(40, 8))
    np.testing.assert_allclose(clip.seconds, wanted / 10, atol=0.02)
    np.testing.assert_allclose(clip.frames.mean(axis=(1, 2, 3)), wanted * 255 / 39, atol=6)


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
def test_places_are_the_middles_of_equal_parts(count: int, wanted: int) -> None:
    places = sample_places(count, wanted)
    assert len(places) == min(count, wanted)
    assert sorted(set(places)) == places
    if count > wanted:
        for part, place in enumerate(places):
            # The frame and the part overlap in time.
            assert part * count < (place + 1) * wanted
            assert place * wanted < (part + 1) * count


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
    assert clip.seconds == (1.0, 3.0, 5.0, 7.0, 9.0)
    assert (clip.frames == array[1::2]).all()
    with pytest.raises(UserError, match=r"a clip is \(frames, H, W, 3\) of uint8"):
        read_clip(array[..., 0], frames=5)
