"""Pictures of a split, and batches of them: what `encoding.py` is for texts.

Pictures stay encoded until a batch asks for them, so a run's memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cl_core.decode import Source, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Pictures:
    """N encoded pictures, fetched one by one from the columns that hold them.

    Attributes:
        columns: where the pictures are, such as a column of a memory-mapped table.
        places: for each picture, which column and which row of it.
        tokens: how many tokens the backbone makes of each, the class token included.
    """

    columns: tuple[Sequence[Source], ...]
    places: tuple[tuple[int, int], ...]
    tokens: int

    @classmethod
    def of(cls, column: Sequence[Source], tokens: int) -> Pictures:
        """All pictures of one column."""
        return cls((column,), tuple((0, row) for row in range(len(column))), tokens)

    @classmethod
    def concat(cls, parts: Sequence[Pictures]) -> Pictures:
        """The pictures of several splits, in their order.

        Raises:
            ValueError: there are none, or they were made for different backbones.
        """
        if len({part.tokens for part in parts}) != 1:
            raise ValueError("the pictures are of different backbones, or there are none")
        columns: list[Sequence[Source]] = []
        places: list[tuple[int, int]] = []
        for part in parts:
            places += [(len(columns) + column, row) for column, row in part.places]
            columns += part.columns
        return cls(tuple(columns), tuple(places), parts[0].tokens)

    def subset(self, rows: Sequence[int]) -> Pictures:
        """Some of the pictures, in the given order."""
        return Pictures(self.columns, tuple(self.places[row] for row in rows), self.tokens)

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
    pixels = torch.stack([preprocess(open_picture(pictures[row])) for row in indices])
    mask = torch.ones(len(indices), pictures.tokens, dtype=torch.int64)
    if device.type == "cuda":
        return PictureBatch(
            pixels.pin_memory().to(device, non_blocking=True), mask.to(device, non_blocking=True)
        )
    return PictureBatch(pixels.to(device), mask.to(device))
