"""Connections of whom nobody knows yet: how many there may be, and for how long.

A connection waits from when it is made to when a visitor's cookie has come over it. A stranger needs one for as long as
it takes to be shown where to type the code, and to type it is a connection of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import uvicorn.config
from starlette.types import Scope
from uvicorn.protocols.http.auto import AutoHTTPProtocol

PATIENCE_SECONDS = 15.0
"""What a connection lasts over which no visitor's cookie came."""
MOST_OF_SENDER = 100
"""Such connections from one address; there may be many visitors behind it, who wait for an instant each."""
MOST_IN_ALL = 400
STATE = "waiting connection"
"""Of a request's scope: over which connection it came."""


class WaitingRoom:
    """Keeps connections that wait, the one that waited longest first.

    Args:
        seconds: after which one is closed.
        of_sender: how many wait from one address; the oldest makes room.
        in_all: how many wait.
    """

    def __init__(
        self,
        seconds: float = PATIENCE_SECONDS,
        of_sender: int = MOST_OF_SENDER,
        in_all: int = MOST_IN_ALL,
    ) -> None:
        self.seconds, self.of_sender, self.in_all = seconds, of_sender, in_all
        self._waiting: dict[asyncio.Transport, tuple[str, asyncio.TimerHandle]] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, transport: asyncio.Transport) -> None:
        """A connection was made."""
        sender = str((transport.get_extra_info("peername") or ("",))[0])
        late = asyncio.get_running_loop().call_later(self.seconds, self._close, transport)
        self._waiting[transport] = sender, late
        self._counts[sender] += 1
        if self._counts[sender] > self.of_sender:
            self._close(next(one for one, (who, _) in self._waiting.items() if who == sender))
        elif len(self._waiting) > self.in_all:
            self._close(next(iter(self._waiting)))

    def leave(self, transport: asyncio.Transport) -> None:
        """It has ended, or somebody known has come over it."""
        if transport in self._waiting:
            sender, late = self._waiting.pop(transport)
            late.cancel()
            self._counts[sender] -= 1
            if not self._counts[sender]:
                del self._counts[sender]

    def let_in(self, scope: Scope) -> None:
        """A visitor has sent this request: its connection waits no longer."""
        transport = scope.get("state", {}).get(STATE)
        if transport is not None:
            self.leave(transport)

    def _close(self, transport: asyncio.Transport) -> None:
        self.leave(transport)
        transport.abort()

    def stand_before(self) -> None:
        """Has each connection of this process's server wait here: uvicorn asks this table for its protocol."""
        protocols = cast("dict[str, Any]", uvicorn.config.HTTP_PROTOCOLS)
        protocols["auto"] = self.protocol()

    def protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's own, of connections that wait here."""
        room, base = self, AutoHTTPProtocol

        # Which class that is, is known only when uvicorn has chosen between h11 and httptools.
        class WaitingProtocol(base):  # type: ignore[valid-type, misc]
            """A connection that waits until it is let in."""

            app_state: dict[str, Any]

            def connection_made(self, transport: asyncio.Transport) -> None:
                super().connection_made(transport)
                self.app_state = {**self.app_state, STATE: transport}
                self._transport = transport
                room.enter(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                room.leave(self._transport)
                super().connection_lost(exc)

        return WaitingProtocol
