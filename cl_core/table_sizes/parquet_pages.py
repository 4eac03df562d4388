"""How large the pages of a parquet file become once they are decompressed, by what their own headers say.

The footer sums pages up, and may be wrong about them; a reader makes room for what the page's header says. A header is
a struct in Thrift's compact protocol; see parquet.thrift, `PageHeader`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TYPE_BYTES = {3: 1, 7: 8, 13: 16}
"""Of those of Thrift's types that take as many bytes whatever they hold: byte, double, uuid."""
_UNCOMPRESSED, _COMPRESSED = 2, 3
_HEADERS = (5, 7, 8)
"""Fields of a page's header: both sizes; of pages of data, of dictionaries, and of data in version 2."""
_DEEPEST = 20


def pages(path: Path, chunks: list[Any]) -> Iterator[tuple[int, int]]:
    """Bytes, decompressed, and values of each page.

    Where a header cannot be read it ends with the column's pages so far: pyarrow stops there as well, and says why.

    Args:
        path: of the file.
        chunks: of columns, as pyarrow's metadata describe them.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for chunk in chunks:
            start = chunk.data_page_offset
            if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < start:
                start = chunk.dictionary_page_offset
            end = min(start + chunk.total_compressed_size, len(data))
            while 0 <= start < end:
                try:
                    header = _Struct(data, start)
                except (IndexError, RecursionError):
                    break
                sizes = [header.numbers.get(field, 0) for field in (_UNCOMPRESSED, _COMPRESSED)]
                values = [
                    header.inner[field].get(1, 0) for field in _HEADERS if field in header.inner
                ]
                yield sizes[0], max(values, default=0)
                if sizes[1] < 0:
                    break
                start = header.end + sizes[1]


class _Struct:
    """A struct at a position: its whole numbers by their fields, those of the structs in it, and where it ends."""

    def __init__(self, data: mmap.mmap, start: int, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise RecursionError
        self._data, self.end, self._depth = data, start, depth
        self.numbers: dict[int, int] = {}
        self.inner: dict[int, dict[int, int]] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._whole()
            self._value(head & 0x0F, field)

    def _byte(self) -> int:
        self.end += 1
        return self._data[self.end - 1]

    def _plain(self) -> int:
        """A number of seven bits a byte."""
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
            if shift > 63:
                raise IndexError("a number is longer than any")
        return value | byte << shift

    def _whole(self) -> int:
        """A number with a sign, which is its last bit."""
        value = self._plain()
        return value >> 1 ^ -(value & 1)

    def _value(self, kind: int, field: int) -> None:
        match kind:
            case 1 | 2:  # a truth: the type says which
                return
            case 4 | 5 | 6:
                self.numbers[field] = self._whole()
            case 8:
                self._skip(self._plain())
            case 9 | 10:
                self._several(self._byte())
            case 12:
                within = _Struct(self._data, self.end, self._depth + 1)
                self.inner[field], self.end = within.numbers, within.end
            case _ if kind in _TYPE_BYTES:
                self._skip(_TYPE_BYTES[kind])
            case _:  # maps, which no header has, and what is no type
                raise IndexError("no type of a header's")

    def _several(self, head: int) -> None:
        """A list or a set, whose head says how many of which type."""
        count = head >> 4 if head >> 4 < 15 else self._plain()
        kind = head & 0x0F
        for _ in range(count):
            self._skip(1) if kind in (1, 2) else self._value(kind, -1)

    def _skip(self, count: int) -> None:
        self.end += count
        if self.end > len(self._data):
            raise IndexError("it ends before")
