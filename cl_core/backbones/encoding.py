"""Tokenised texts without padding, and batches padded to their own longest text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor


class BackboneInput(Protocol):
    """N samples as a backbone takes them: texts, pictures, or both."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each sample."""
        ...

    def subset(self, rows: Sequence[int]) -> Self:
        """Some of the samples, in the given order."""
        ...

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """The samples of several parts, in their order."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Encoding:
    """N tokenised texts, end to end in one tensor: no padding is kept, and a batch is one gather.

    Attributes:
        ids: (M,) int32, the token ids of all texts, M = sum of the lengths.
        types: (M,) int32 token types (0 first text, 1 second), or None where the model has none.
        lengths: N numbers of tokens, special tokens included.
        starts: (N,) int64, where each text begins in `ids`.
        pad_id: the tokenizer's padding token.
    """

    ids: Tensor
    types: Tensor | None
    lengths: tuple[int, ...]
    starts: Tensor
    pad_id: int

    @classmethod
    def from_lists(
        cls, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]] | None, pad_id: int
    ) -> Encoding:
        """Puts N lists of token ids (and of token types) end to end."""
        lengths = tuple(len(row) for row in ids)
        return cls(
            ids=_flat(ids),
            types=None if types is None else _flat(types),
            lengths=lengths,
            starts=_starts(lengths),
            pad_id=pad_id,
        )

    @classmethod
    def concat(cls, parts: Sequence[Encoding]) -> Encoding:
        """The rows of several encodings by the same tokenizer, in their order.

        Raises:
            ValueError: there are none, or they differ in token types or padding.
        """
        if not parts:
            raise ValueError("there is no encoding to put together")
        if len({(part.types is None, part.pad_id) for part in parts}) > 1:
            raise ValueError("the encodings are of different tokenizers")
        types = [part.types for part in parts if part.types is not None]
        lengths = tuple(length for part in parts for length in part.lengths)
        return cls(
            ids=torch.cat([part.ids for part in parts]),
            types=torch.cat(types) if types else None,
            lengths=lengths,
            starts=_starts(lengths),
            pad_id=parts[0].pad_id,
        )

    def subset(self, rows: Sequence[int]) -> Encoding:
        """Some of the rows, in the given order."""
        lengths = tuple(self.lengths[row] for row in rows)
        ends = [self.starts[row].item() + self.lengths[row] for row in rows]
        spans = [torch.arange(end - n, end) for end, n in zip(ends, lengths, strict=True)]
        tokens = torch.cat(spans).long() if spans else torch.zeros(0, dtype=torch.int64)
        return Encoding(
            ids=self.ids[tokens],
            types=None if self.types is None else self.types[tokens],
            lengths=lengths,
            starts=_starts(lengths),
            pad_id=self.pad_id,
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def input_ids(self) -> list[list[int]]:
        """The token ids as N lists, unpadded."""
        return self._rows(self.ids)

    @property
    def token_type_ids(self) -> list[list[int]] | None:
        """The token types as N lists, unpadded; None where the model has none."""
        return None if self.types is None else self._rows(self.types)

    def _rows(self, flat: Tensor) -> list[list[int]]:
        tokens = flat.tolist()
        ends = zip(self.starts.tolist(), self.lengths, strict=True)
        return [tokens[start : start + length] for start, length in ends]


@dataclass(frozen=True)
class Batch:
    """B texts on a device, padded on the right to the longest of them.

    Attributes:
        input_ids: (B, T) int64.
        attention_mask: (B, T) int64, 1 for tokens and 0 for padding.
        token_type_ids: (B, T) int64, or None.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor | None = None

    def __len__(self) -> int:
        return len(self.input_ids)


def pad_batch(encoding: Encoding, indices: Sequence[int], device: torch.device) -> Batch:
    """Gathers rows `indices` of the encoding, in that order, into one batch.

    Raises:
        ValueError: no index.
        IndexError: an index outside the encoding.
    """
    if len(indices) == 0:
        raise ValueError("a batch needs at least one row")
    rows = torch.as_tensor(indices, dtype=torch.int64)
    starts = encoding.starts[rows].unsqueeze(1)
    lengths = torch.tensor([encoding.lengths[row] for row in indices]).unsqueeze(1)
    columns = torch.arange(int(lengths.max())).unsqueeze(0)
    real = columns < lengths
    # Positions beyond a text point at its first token; `where` replaces what they fetch.
    source = starts + columns * real
    ids = torch.where(real, encoding.ids[source], encoding.pad_id).long()
    types = None
    if encoding.types is not None:
        types = torch.where(real, encoding.types[source], 0).long()
    return Batch(
        _to(ids, device), _to(real.long(), device), None if types is None else _to(types, device)
    )


def _starts(lengths: Sequence[int]) -> Tensor:
    """Where each of the rows begins when they lie end to end."""
    ends = torch.tensor(lengths, dtype=torch.int64).cumsum(0)
    return ends - torch.tensor(lengths, dtype=torch.int64)


def _flat(rows: Sequence[Sequence[int]]) -> Tensor:
    return torch.tensor([token for row in rows for token in row], dtype=torch.int32)


def _to(tensor: Tensor, device: torch.device) -> Tensor:
    if device.type != "cuda":
        return tensor.to(device)
    # From pinned memory the copy does not make the processor wait for the GPU.
    return tensor.pin_memory().to(device, non_blocking=True)
