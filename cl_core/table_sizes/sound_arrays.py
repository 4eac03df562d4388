"""Whether an arrow array stays within its own buffers: arrow trusts what a file says, and reads beyond them.

As arrow's full validation, but for the letters of texts: a text that is not UTF-8 is a faulty row, which whoever reads
the rows names; it ends no file.
"""

from __future__ import annotations

from typing import Any


def check_sound(array: Any) -> None:
    """Refuses an array that leads out of its buffers.

    Args:
        array: a `pyarrow.Array` of any type.

    Raises:
        pyarrow.ArrowInvalid: it does.
    """
    array.validate()
    _check(array)


def _check(array: Any) -> None:
    import pyarrow as pa
    from pyarrow import types

    kind = array.type
    as_bytes = {
        pa.string(): pa.binary(),
        pa.large_string(): pa.large_binary(),
        pa.string_view(): pa.binary_view(),
    }
    if kind in as_bytes:
        array.view(as_bytes[kind]).validate(full=True)
    elif types.is_dictionary(kind):
        _check_range(array.indices, 0, len(array.dictionary) - 1)
        _check(array.dictionary)
    elif types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind):
        _check_offsets(array)
        for inner in (array.keys, array.items) if types.is_map(kind) else (array.values,):
            _check(inner)
    elif types.is_fixed_size_list(kind):
        _check(array.values)
    elif types.is_struct(kind):
        for index in range(kind.num_fields):
            _check(array.field(index))
    elif hasattr(array, "storage"):
        _check(array.storage)
    else:
        array.validate(full=True)


def _check_offsets(array: Any) -> None:
    """Where the lists begin: each not before the one before it, and none outside of the values."""
    import numpy as np
    import pyarrow as pa

    offsets = array.offsets.to_numpy()
    count = len(array.keys if pa.types.is_map(array.type) else array.values)
    if len(offsets) and (offsets[0] < 0 or offsets[-1] > count or (np.diff(offsets) < 0).any()):
        raise pa.ArrowInvalid("lists begin outside of their values")


def _check_range(numbers: Any, least: int, most: int) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    extremes = pc.min_max(numbers).as_py()
    if extremes["min"] is not None and not least <= extremes["min"] <= extremes["max"] <= most:
        raise pa.ArrowInvalid(f"it names value {extremes['max']} of {most + 1}")
