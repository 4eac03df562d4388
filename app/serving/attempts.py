"""Wrong codes: whoever sends them waits longer and longer, and nobody else does."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 3
"""Wrong codes before one has to wait: people mistype."""
LONGEST_SECONDS = 60.0
FORGOTTEN_SECONDS = 900.0
MOST_SENDERS = 4096
"""Senders that are remembered; the one that was wrong longest ago is forgotten first."""


@dataclass
class _Record:
    wrong: int
    last: float


class Attempts:
    """Wrong codes by sender.

    Args:
        clock: seconds, always forwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait(self, sender: str) -> float:
        """Seconds before this sender's next code is looked at; 0.0 where it may come now."""
        record = self._records.get(sender)
        if record is None or record.wrong < FREE:
            return 0.0
        pause = min(2.0 ** (record.wrong - FREE + 1), LONGEST_SECONDS)
        return max(record.last + pause - self._clock(), 0.0)

    def wrong(self, sender: str) -> None:
        """Notes a wrong code."""
        now = self._clock()
        record = self._records.pop(sender, None)
        if record is None or now - record.last > FORGOTTEN_SECONDS:
            record = _Record(0, now)
        record.wrong, record.last = record.wrong + 1, now
        self._records[sender] = record
        while len(self._records) > MOST_SENDERS:
            self._records.popitem(last=False)
