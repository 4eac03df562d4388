"""What visitors may keep in the server's memory: tabs and uploads, counted for each and freed when they leave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from app.serving.visitors import Role, Visitor

MEGABYTE = 2**20
MOST_UPLOADED: dict[Role, int] = {"host": 500 * MEGABYTE, "guest": 50 * MEGABYTE}
"""Bytes of all of a visitor's uploads together."""
MOST_OF_GUESTS = 500 * MEGABYTE
"""Of all guests together."""
MOST_TABS: dict[Role, int] = {"host": 100, "guest": 10}
"""Connections of a visitor at a time."""
MOST_GUEST_TABS = 200


class TooMuch(Exception):
    """A visitor has reached what they may keep; the message is for them."""


@dataclass
class Stay:
    """A session of Streamlit's: one tab.

    Attributes:
        visitor: whose.
        open: connections that are open; more than one while a tab connects anew.
        uploads: bytes by file.
    """

    visitor: Visitor
    open: int = 0
    uploads: dict[str, int] = field(default_factory=dict)


class Allowance:
    """Counts tabs and uploads."""

    def __init__(self) -> None:
        self.stays: dict[str, Stay] = {}
        self._tabs: Counter[Visitor] = Counter()

    def enter(self, visitor: Visitor) -> None:
        """Notes a connection.

        Raises:
            TooMuch: there are as many as may be.
        """
        if self._tabs[visitor] >= MOST_TABS[visitor.role]:
            raise TooMuch(f"{MOST_TABS[visitor.role]} tabs are open; close one first")
        guests = sum(count for other, count in self._tabs.items() if other.role == "guest")
        if visitor.role == "guest" and guests >= MOST_GUEST_TABS:
            raise TooMuch("this lab has as many guests as it takes; come back later")
        self._tabs[visitor] += 1

    def leave(self, visitor: Visitor) -> None:
        """Notes that a connection has ended."""
        self._tabs[visitor] -= 1
        if not self._tabs[visitor]:
            del self._tabs[visitor]

    def owns(self, visitor: Visitor, session: str) -> bool:
        """Whether a session is this visitor's."""
        stay = self.stays.get(session)
        return stay is not None and stay.visitor == visitor

    def reserve(self, session: str, file: str, size: int) -> None:
        """Counts an upload before it comes.

        Raises:
            TooMuch: with it there would be more than may be.
        """
        visitor = self.stays[session].visitor
        most = MOST_UPLOADED[visitor.role]
        if self._uploaded(visitor) + size > most:
            raise TooMuch(
                f"uploads of {most // MEGABYTE} MB are kept at a time; remove one, or load the page anew"
            )
        guests = {stay.visitor for stay in self.stays.values() if stay.visitor.role == "guest"}
        if visitor.role == "guest" and sum(map(self._uploaded, guests)) + size > MOST_OF_GUESTS:
            raise TooMuch("guests have uploaded as much as this lab keeps; try again later")
        uploads = self.stays[session].uploads
        uploads[file] = uploads.get(file, 0) + size

    def release(self, session: str, file: str) -> None:
        """Forgets an upload that did not come, or was removed."""
        if session in self.stays:
            self.stays[session].uploads.pop(file, None)

    def _uploaded(self, visitor: Visitor) -> int:
        return sum(
            sum(stay.uploads.values()) for stay in self.stays.values() if stay.visitor == visitor
        )
