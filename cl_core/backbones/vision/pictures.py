"""Pictures of a split, and batches of them: what `encoding.py` is for texts.

Pictures stay encoded until a batch asks for them, so a run's memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cl_core.picture_decoder import WHITE, Source, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Pictures:
    """N encoded pictures, fetched one by one from the columns that hold them.

    Attributes:
        columns: where the pictures are, such as a column of a memory-mapped table.
        places: for each picture, which column and which row of it.
        tokens: how many tokens the backbone makes of each, the class token included.
        grounds: of each column, what shows where its pictures are transparent.
    """

    columns: tuple[Sequence[Source], ...]
    places: tuple[tuple[int, int], ...]
    tokens: int
    grounds: tuple[str, ...]

    @classmethod
    def of(cls, column: Sequence[Source], tokens: int, ground: str = WHITE) -> Pictures:
        """All pictures of one column."""
        places = tuple((0, row) for row in range(len(column)))
        return cls((column,), places, tokens, (ground,))

    @classmethod
    def concat(cls, parts: Sequence[Pictures]) -> Pictures:
        """The pictures of several splits, in their order.

        Raises:
            ValueError: there are none, or they were made for different backbones.
        """
        if len({part.tokens for part in parts}) != 1:
            raise ValueError("the pictures are of different backbones, or there are none")
        columns: list[Sequence[Source]] = []
        grounds: list[str] = []
        places: list[tuple[int, int]] = []
        for part in parts:
            places += [(len(columns) + column, row) for column, row in part.places]
            columns += part.columns
            grounds += part.grounds
        return cls(tuple(columns), tuple(places), parts[0].tokens, tuple(grounds))

    def subset(self, rows: Sequence[int]) -> Pictures:
        """Some of the pictures, in the given order."""
        places = tuple(self.places[row] for row in rows)
        return Pictures(self.columns, places, self.tokens, self.grounds)

    def open(self, index: int) -> Image:
        """A picture, decoded.

        Raises:
            UserError: it cannot be read.
        """
        return open_picture(self[index], self.grounds[self.places[index][0]])

    def __getitem__(self, index: int) -> Source:
        column, row = self.places[index]
        return self.columns[column][row]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each picture: all alike."""
        return (self.tokens,) * len(self)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class PictureBatch:
    """B preprocessed pictures on a device.

    Attributes:
        pixels: (B, 3, H, W) float32, as the backbone's preprocessing makes them.
        attention_mask: (B, T) ones: a picture has no padding.
    """

    pixels: Tensor
    attention_mask: Tensor

    def __len__(self) -> int:
        return len(self.pixels)


def picture_batch(
    pictures: Pictures,
    indices: Sequence[int],
    preprocess: Callable[[Image], Tensor],
    device: torch.device,
) -> PictureBatch:
    """Decodes and preprocesses some of the pictures.

    Raises:
        ValueError: no index.
        UserError: a picture cannot be read.
    """
    if len(indices) == 0:
        raise ValueError("a batch needs at least one picture")
    pixels = torch.stack([preprocess(pictures.open(row)) for row in indices])
    mask = torch.ones(len(indices), pictures.tokens, dtype=torch.int64)
    if device.type == "cuda":
        return PictureBatch(
            pixels.pin_memory().to(device, non_blocking=True), mask.to(device, non_blocking=True)
        )
    return PictureBatch(pixels.to(device), mask.to(device))


def ground_of(rows: Mapping[str, Sequence[Any]]) -> str:
    """What shows where a task's pictures or clips are transparent: its column `ground`, of one value, else white."""
    return str(rows["ground"][0]) if len(rows.get("ground", ())) else WHITE
