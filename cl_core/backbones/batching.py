"""Batches of rows of similar length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def length_batches(
    lengths: Sequence[int],
    batch_size: int,
    window: int | None = None,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Divides N rows into ceil(N / batch_size) batches, all of them full but one.

    Without a generator (inference): all rows sorted by length, longest first, so that the most memory is asked for at
    once and the first batch tells how long the rest will take at most. With one (training): rows are shuffled, sorted
    by length inside windows of `window` batches, and the batches are shuffled: little padding, still a random order.

    Args:
        lengths: N numbers of tokens.
        batch_size: rows per batch.
        window: batches whose rows are sorted together; None sorts all of them. Read with a generator only.
        generator: on the CPU; the same state gives the same batches.

    Returns:
        Lists of row numbers; every row is in exactly one.

    Raises:
        ValueError: `batch_size` or `window` below 1.

    >>> length_batches([5, 9, 1, 7], batch_size=2)
    [[1, 3], [0, 2]]
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
    if window is not None and window < 1:
        raise ValueError(f"window is {window}; it must be at least 1, or None")
    rows = len(lengths)
    if generator is None:
        order = sorted(range(rows), key=lambda row: (-lengths[row], row))
        return [order[start : start + batch_size] for start in range(0, rows, batch_size)]
    order = torch.randperm(rows, generator=generator).tolist()
    # Windows are whole batches, so that only the last batch of all can be short.
    size = rows if window is None else window * batch_size
    batches = []
    for begin in range(0, rows, max(size, 1)):
        # Stable: rows of equal length stay in their shuffled order.
        inside = sorted(order[begin : begin + size], key=lambda row: lengths[row])
        batches += [inside[i : i + batch_size] for i in range(0, len(inside), batch_size)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
