"""Visitors of the app without a browser: they ask for pages as Streamlit's own script does, and wait for all of them.

Ten browsers on the machine of the server measure ten browsers. These visitors cost next to nothing, so that what they
wait for is the server: from the click to the last piece of the page, over a websocket on the loopback interface.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

STREAMLIT = Subprotocol("streamlit")
PATIENCE = 60.0
"""Seconds that a page may take before it counts as an error."""
THINK = (1.0, 3.0)
"""Seconds between a page and the next click, drawn evenly."""


@dataclass
class LightVisitor:
    """One visitor with a session of its own.

    Args:
        url: of the server.
        address: what is looked at, as in links.

    Attributes:
        times: seconds of every page.
        faults: exceptions on pages, and pages that did not come.
    """

    url: str
    address: dict[str, str]
    times: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def browse(self, pages: Sequence[str], rounds: int, seed: int, together: bool = False) -> None:
        """Goes from page to page.

        Args:
            pages: names, as in addresses.
            rounds: how many clicks.
            seed: of the order and of the pauses.
            together: whether to click without a pause.
        """
        draw = random.Random(seed)  # noqa: S311 - the order of clicks is no secret
        with self._connect() as socket:
            self._ask(socket, "")
            for number in range(rounds):
                if not together:
                    time.sleep(draw.uniform(*THINK))
                page = pages[(seed + number) % len(pages)] if together else draw.choice(pages)
                began = time.perf_counter()
                self._ask(socket, page)
                self.times.append(time.perf_counter() - began)

    def stay(self, pages: Sequence[str], seconds: float, seed: int) -> None:
        """Goes from page to page, with pauses, until the time is over.

        Args:
            pages: names, as in addresses.
            seconds: from now.
            seed: of the order and of the pauses.
        """
        draw = random.Random(seed)  # noqa: S311 - the order of clicks is no secret
        until = time.perf_counter() + seconds
        try:
            with self._connect() as socket:
                while time.perf_counter() < until:
                    began = time.perf_counter()
                    self._ask(socket, draw.choice(pages))
                    self.times.append(time.perf_counter() - began)
                    time.sleep(draw.uniform(*THINK))
        except (OSError, WebSocketException) as error:  # the server let go of it
            self.faults.append(f"the connection ended: {error!r}")

    def open(self, page: str) -> None:
        """Comes by a link to a page, and leaves again once it is there."""
        with self._connect() as socket:
            began = time.perf_counter()
            self._ask(socket, page)
            self.times.append(time.perf_counter() - began)

    def _connect(self) -> ClientConnection:
        where = f"ws://{urlsplit(self.url).netloc}/_stcore/stream"
        return connect(where, subprotocols=[STREAMLIT], max_size=None)

    def _ask(self, socket: ClientConnection, page: str) -> None:
        """Asks for a page and reads it to its end."""
        asked = BackMsg()
        asked.rerun_script.query_string = urlencode(self.address)
        asked.rerun_script.page_name = page
        asked.rerun_script.context_info.timezone = "UTC"
        socket.send(asked.SerializeToString())
        message = ForwardMsg()
        while True:
            try:
                message.ParseFromString(socket.recv(timeout=PATIENCE, decode=False))
            except TimeoutError:
                self.faults.append(f"{page or 'start'} did not come within {PATIENCE:.0f} s")
                return
            kind = message.WhichOneof("type")
            if kind == "delta" and message.delta.new_element.HasField("exception"):
                self.faults.append(f"{page}: {message.delta.new_element.exception.message}")
            if kind == "script_finished" and message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                return


def crowd(
    url: str,
    address: dict[str, str],
    pages: Sequence[str],
    visitors: int,
    rounds: int,
    together: bool = False,
) -> tuple[list[float], list[str]]:
    """Several visitors at once; seconds of every page, and what went wrong.

    Args:
        url: of the server.
        address: what they look at.
        pages: that they go to.
        visitors: how many.
        rounds: clicks of each.
        together: whether they click without pauses, all at the same time.
    """
    there = [LightVisitor(url, address) for _ in range(visitors)]
    threads = [
        threading.Thread(target=visitor.browse, args=(pages, rounds, seed, together))
        for seed, visitor in enumerate(there)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [t for visitor in there for t in visitor.times], [
        f for visitor in there for f in visitor.faults
    ]
