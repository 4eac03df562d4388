"""How large the messages of an arrow file become once they are decompressed, by what they say themselves.

A message is metadata, a flatbuffer, and a body of buffers. A compressed buffer begins with eight bytes, its length once
it is decompressed, for which arrow makes room at once, whatever becomes of it. See format/Message.fbs and
format/File.fbs of Apache Arrow; numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MAGIC = b"ARROW1"
_DICTIONARY, _BATCH = 2, 3
"""Of the union MessageHeader."""
_WORST = (struct.error, IndexError, OverflowError)


class NoArrow(ValueError):
    """What is there is no arrow file."""


def expanded(opened: Any) -> Iterator[int]:
    """Bytes that each message holds once it is decompressed, without decompressing any.

    Args:
        opened: a memory map of the file, of pyarrow's; it is left at an unknown position.

    Raises:
        NoArrow: the file's own offsets lead nowhere.
        pyarrow.ArrowException, OSError: it is none.
    """
    try:
        blocks = _blocks(opened)
        yield from (_decompressed(message) for message in _messages(opened, blocks))
    except _WORST as error:
        raise NoArrow(f"its offsets lead out of it ({error})") from error


def _messages(opened: Any, blocks: list[int] | None) -> Iterator[Any]:
    """All messages, one after the other, or those that begin at certain positions."""
    import pyarrow

    if blocks is None:
        opened.seek(0)
        yield from pyarrow.ipc.MessageReader.open_stream(opened)
        return
    for start in blocks:
        opened.seek(start)
        yield pyarrow.ipc.read_message(opened)


def _blocks(opened: Any) -> list[int] | None:
    """Where the footer says that messages begin; None where the file is a stream, without a footer."""
    size = opened.size()
    opened.seek(0)
    if opened.read(len(_MAGIC)) != _MAGIC:
        return None
    tail = len(_MAGIC) + 4
    opened.seek(max(0, size - tail))
    length, magic = struct.unpack("<i6s", opened.read(tail))
    if magic != _MAGIC or not 0 < length <= size - tail:
        raise NoArrow("it has no footer")
    opened.seek(size - tail - length)
    footer = _root(memoryview(opened.read(length)))
    return [
        *_starts(footer, 2),  # dictionaries
        *_starts(footer, 3),  # record batches
    ]


def _starts(footer: _Table, field: int) -> list[int]:
    """Positions of a vector of Block (offset, length of metadata, length of body)."""
    return [int(block[0]) for block in footer.structs(field, "<qi4xq")]


def _decompressed(message: Any) -> int:
    """Bytes of a message's buffers once they are decompressed; those that are as they are count as they are."""
    table = _root(memoryview(message.metadata))
    kind, header = table.number(1, "<B"), table.inner(2)
    if kind == _DICTIONARY and header is not None:
        header = header.inner(1)
    elif kind != _BATCH:
        return 0
    if header is None:
        return 0
    buffers = header.structs(2, "<qq")
    if header.inner(3) is None:
        return sum(length for _, length in buffers)
    body = memoryview(message.body) if message.body is not None else memoryview(b"")
    total = 0
    for offset, length in buffers:
        if length >= 8:
            (says,) = struct.unpack_from("<q", body, offset)
            total += length - 8 if says < 0 else says
    return total


@dataclass(frozen=True)
class _Table:
    """A flatbuffer's table.

    Attributes:
        data: the whole flatbuffer.
        start: where the table begins.
    """

    data: memoryview
    start: int

    def _position(self, field: int) -> int | None:
        (back,) = struct.unpack_from("<i", self.data, self.start)
        vtable = self.start - back
        (size,) = struct.unpack_from("<H", self.data, vtable)
        if 4 + 2 * field >= size:
            return None
        (offset,) = struct.unpack_from("<H", self.data, vtable + 4 + 2 * field)
        return self.start + offset if offset else None

    def number(self, field: int, code: str) -> int:
        """A number of this format; 0 where there is none."""
        at = self._position(field)
        return 0 if at is None else int(struct.unpack_from(code, self.data, at)[0])

    def inner(self, field: int) -> _Table | None:
        """A table within; None where there is none."""
        at = self._position(field)
        return None if at is None else _Table(self.data, at + _offset(self.data, at))

    def structs(self, field: int, code: str) -> list[tuple[int, ...]]:
        """A vector of structs of this format."""
        at = self._position(field)
        if at is None:
            return []
        vector = at + _offset(self.data, at)
        count = _offset(self.data, vector)
        first, size = vector + 4, struct.calcsize(code)
        if first + count * size > len(self.data):
            raise struct.error("a vector is longer than what is there")
        return [struct.unpack_from(code, self.data, first + i * size) for i in range(count)]


def _offset(data: memoryview, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _root(data: memoryview) -> _Table:
    return _Table(data, _offset(data, 0))
