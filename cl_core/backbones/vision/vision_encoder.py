"""What a frozen vision encoder sees of pictures and clips, as tokens: made when asked for, or read from files.

A picture gives g x g tokens, the means of its patches over a grid, or one, the class token (g = 0). A clip gives as
many for each of at most F frames, the frames in order. The papers take one token a frame (DAM) or all patches (I2I's
ViLT); a grid between the two is **(ours)**. Where asked for, each token also carries what changed at its place since
the frame before, behind what is there **(ours)**: [f_t ; f_t - f_(t-1)]. Shapes: n pictures or clips, V tokens, v the
width of what a token carries.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.pictures import PictureBatch
from cl_core.picture_decoder import WHITE, Source, open_picture
from cl_core.video import FEW_FRAMES, read_clip

Medium = Literal["image", "video"]


@dataclass(frozen=True)
class VisualTokens:
    """Tokens of n pictures or clips.

    Attributes:
        features: (n, V, v) float32, zeros behind the last token of a clip with fewer frames.
        counts: (n,) int64, how many of the V are tokens.
    """

    features: Tensor
    counts: Tensor


class TokenSource(Protocol):
    """N pictures or clips whose tokens can be had."""

    @property
    def tokens(self) -> int:
        """V, at most."""
        ...

    def __len__(self) -> int: ...

    def see(self, rows: Sequence[int]) -> VisualTokens:
        """The tokens of some of them, on the device of the backbone or on the CPU."""
        ...


@dataclass(frozen=True)
class VisionEncoder:
    """A frozen vision encoder and how much it looks at.

    Attributes:
        vision: the encoder, without adapters.
        frames: F, of a clip.
        image_grid: g of a picture; 0 takes the class token alone.
        clip_grid: g of each frame of a clip.
        changes: whether tokens also carry what changed since the frame before; of pictures and first frames zeros.
    """

    vision: ImageBackbone
    frames: int
    image_grid: int
    clip_grid: int
    changes: bool = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the tokens depend on."""
        looks = self.frames, self.image_grid, self.clip_grid, self.changes
        # Which of a short clip's frames so few looks meet has changed since the first version.
        fewer = ("frames by time",) if self.frames < FEW_FRAMES else ()
        parts = self.vision.fingerprint, *looks, *fewer
        return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()

    @property
    def width(self) -> int:
        """v: the encoder's width, twice where changes are seen."""
        return self.vision.hidden_size * (2 if self.changes else 1)

    def tokens(self, medium: Medium) -> int:
        """V, of a picture or at most of a clip."""
        if medium == "image":
            return max(self.image_grid, 1) ** 2
        return self.frames * max(self.clip_grid, 1) ** 2

    @torch.no_grad()
    def encode(
        self, medium: Medium, sources: Sequence[Source], ground: str = WHITE
    ) -> VisualTokens:
        """Decodes pictures or clips and runs the encoder over all their frames.

        Args:
            medium: what they are.
            sources: encoded bytes or paths.
            ground: what shows where they are transparent.

        Raises:
            UserError: one cannot be read.
        """
        if medium == "image":
            frames, shown = [open_picture(source, ground) for source in sources], [1] * len(sources)
        else:
            from PIL import Image

            clips = [read_clip(source, self.frames, ground).frames for source in sources]
            frames = [Image.fromarray(frame) for clip in clips for frame in clip]
            shown = [len(clip) for clip in clips]
        pixels = torch.stack([self.vision.preprocess(frame) for frame in frames])
        device = self.vision.device
        batch = PictureBatch(
            pixels.to(device), torch.ones(len(pixels), self.vision.tokens, device=device)
        )
        hidden = self.vision(batch).last_hidden_state.float()
        grid = self.image_grid if medium == "image" else self.clip_grid
        seen = grid_tokens(hidden, grid)  # (frames, g g, v)
        most, per_frame = self.tokens(medium), seen.shape[1]
        features = seen.new_zeros(len(sources), most, self.width)
        for row, part in enumerate(torch.split(seen, shown)):
            carried = with_changes(part) if self.changes else part
            features[row, : part.shape[0] * per_frame] = carried.flatten(0, 1)
        return VisualTokens(features, torch.tensor(shown, device=device) * per_frame)


def grid_tokens(hidden: Tensor, grid: int) -> Tensor:
    """Means of the patches over a grid.

    Args:
        hidden: (n, T, v), whatever stands before the patches (a class token, registers) first.
        grid: g; 0 gives the first token, or the mean over all patches where there is nothing before them.

    Returns:
        (n, g g, v), row by row; (n, 1, v) for g = 0.

    Raises:
        ValueError: a grid finer than the patches.
    """
    side = math.isqrt(hidden.shape[1])
    before = hidden.shape[1] - side**2
    if grid == 0:
        return hidden[:, :1] if before else hidden.mean(dim=1, keepdim=True)
    if grid > side:
        raise ValueError(f"a grid of {grid} x {grid} is finer than {side} x {side} patches")
    patches = hidden[:, before:].transpose(1, 2).reshape(len(hidden), -1, side, side)
    return F.adaptive_avg_pool2d(patches, grid).flatten(2).transpose(1, 2)


def with_changes(frames: Tensor) -> Tensor:
    """(F, G, v) tokens of a clip's frames -> (F, G, 2 v) with what changed since the frame before; in the first, 0."""
    return torch.cat([frames, frames.diff(dim=0, prepend=frames[:1])], dim=2)


@dataclass(frozen=True)
class LiveTokens:
    """Pictures or clips that are decoded and encoded whenever they are asked for.

    Attributes:
        vision_encoder: sees them.
        medium: what they are.
        sources: encoded bytes or paths.
        ground: what shows where they are transparent.
    """

    vision_encoder: VisionEncoder
    medium: Medium
    sources: Sequence[Source]
    ground: str = WHITE

    @property
    def tokens(self) -> int:
        """V, at most."""
        return self.vision_encoder.tokens(self.medium)

    def __len__(self) -> int:
        return len(self.sources)

    def see(self, rows: Sequence[int]) -> VisualTokens:
        """The tokens of some of them, on the device of the vision encoder."""
        return self.vision_encoder.encode(
            self.medium, [self.sources[row] for row in rows], self.ground
        )


@dataclass(frozen=True)
class StoredTokens:
    """Tokens in files, read row by row: memory does not grow with their number.

    Attributes:
        files: safetensors with `features` (m, V, v) and `counts` (m,), `size` of them in each but the last.
        size: m.
        places: (N,) of each row, its place in the files one after another; rows may share one.
        tokens: V, at most.
    """

    files: tuple[Path, ...]
    size: int
    places: tuple[int, ...]
    tokens: int

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def _mapped(self) -> tuple[Any, ...]:
        """The files' features, mapped into memory and not read."""
        return tuple(map_tensor(file, "features") for file in self.files)

    @cached_property
    def _counts(self) -> Tensor:
        from safetensors import safe_open

        counts = []
        for path in self.files:
            with safe_open(path, framework="pt") as file:
                counts.append(file.get_tensor("counts"))
        return torch.cat(counts)

    def see(self, rows: Sequence[int]) -> VisualTokens:
        """The tokens of some of them, on the CPU."""
        places = [self.places[row] for row in rows]
        features = [
            self._mapped[position // self.size][position % self.size] for position in places
        ]
        return VisualTokens(torch.from_numpy(np.stack(features)), self._counts[places])


def map_tensor(path: Path, name: str) -> np.ndarray[Any, Any]:
    """A float32 tensor of a safetensors file as an array on the disk, which is read where it is indexed."""
    import json

    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
    if entry["dtype"] != "F32":
        raise ValueError(f"{path}: {name} is {entry['dtype']}; only F32 is mapped")
    return np.memmap(
        path,
        dtype=np.float32,
        mode="r",
        offset=8 + length + entry["data_offsets"][0],
        shape=tuple(entry["shape"]),
    )
