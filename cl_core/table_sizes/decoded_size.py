"""How many bytes the values of an arrow array are, each counted as often as it stands there."""

from __future__ import annotations

from typing import Any

POINTER = 8
"""Bytes that a value takes at least in a list of Python's."""


def decoded_size(array: Any) -> int:
    """Bytes of an array's values on their own; at worst, where its type shares them in ways that nobody uses.

    Args:
        array: a `pyarrow.Array` of any type.
    """
    import pyarrow.compute as pc
    from pyarrow import types

    kind = array.type
    if types.is_dictionary(kind):
        if _is_text(array.dictionary.type):
            return _sum(pc.take(_lengths(array.dictionary), array.indices)) + POINTER * len(array)
        return len(array) * max(POINTER, decoded_size(array.dictionary))
    if types.is_run_end_encoded(kind):
        return len(array) * max(POINTER, decoded_size(array.values))
    if _is_text(kind):
        return _sum(_lengths(array)) + POINTER * len(array)
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        inner, count = decoded_size(array.values), _sum(array.sizes)
        return POINTER * len(array) + (inner * count if count > len(array.values) else inner)
    if types.is_map(kind):
        return POINTER * len(array) + decoded_size(array.keys) + decoded_size(array.items)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return POINTER * len(array) + decoded_size(array.flatten())
    if types.is_struct(kind) or types.is_union(kind):
        return sum(decoded_size(array.field(index)) for index in range(kind.num_fields))
    if hasattr(array, "storage"):
        return decoded_size(array.storage)
    return int(max(array.nbytes, POINTER * len(array)))


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    of_bytes = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    of_letters = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return bool(of_bytes or of_letters)


def _lengths(texts: Any) -> Any:
    """Bytes of each."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_string_view(texts.type) or types.is_binary_view(texts.type):
        # A view is 16 bytes, of which the first four are its length.
        views = np.frombuffer(texts.buffers()[1], "<i4")[4 * texts.offset :: 4]
        return pa.array(np.where(pc.is_valid(texts), views[: len(texts)].astype("int64"), 0))
    return pc.cast(pc.binary_length(texts), "int64")


def _sum(numbers: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.cast(numbers, "int64")).as_py() or 0)
