"""Memoization by content: what a function returned is kept, and is returned again for equal arguments.

A figure costs more than the page around it, as plotly checks each of its properties, and thirty visitors of a lesson
look at the same one. Results are shared by all of them: nobody may change one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from pickle import dumps
from threading import Lock
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
MOST, MOST_BYTES = 512, 16 * 2**20
"""Results that are kept, and bytes of their arguments: a small figure has 100 KB, a map twelve times its numbers."""


class _Results:
    """What was returned, the latest used last.

    Args:
        most: results.
        most_bytes: of their arguments.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes, self._size = most, most_bytes, 0
        self._kept: OrderedDict[bytes, tuple[object, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> tuple[object, int] | None:
        """Result and bytes of its arguments; None where it is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: bytes, result: object, size: int) -> None:
        """Keeps one, and lets go of those that were used least lately, until there is room."""
        with self._lock:
            if key in self._kept or size > self._most_bytes:
                return
            self._kept[key] = (result, size)
            self._size += size
            while self._size > self._most_bytes or len(self._kept) > self._most:
                _, (_, freed) = self._kept.popitem(last=False)
                self._size -= freed


_RESULTS = _Results(MOST, MOST_BYTES)


def memoized(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, carried out once for equal arguments of this process, whoever asks.

    Args:
        function: of arguments that can be pickled (arrays, tables, names, frozen dataclasses), and of nothing else.
    """

    @wraps(function)
    def looked_up(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        asked = dumps((function.__module__, function.__qualname__, args, kwargs), 5)
        key = blake2b(asked, digest_size=32).digest()
        if (kept := _RESULTS.get(key)) is not None:
            return kept[0]  # type: ignore[return-value]  # of this function: its name is in the key
        result = function(*args, **kwargs)
        _RESULTS.keep(key, result, len(asked))
        return result

    return looked_up
