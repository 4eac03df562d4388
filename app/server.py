"""The server of the lab: `python -m app.server`, which `adapter-lab app` becomes.

One process, so that whoever ends it ends the server: a signal, the death of its terminal, what nobody can catch too.
What it started ends with it (`app/workers/tether.py`), but for jobs, which are processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType

import streamlit as st

from adapter_lab import HOME

LOCAL, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - bound to only where --share asks for it
GRACE_SECONDS = 3.0
"""What is under way may come to its end for so long, once the server was told to end."""


def main() -> None:
    """Reads the command line and serves until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where it listens")
    parser.add_argument("--share", action="store_true", help="listen to other machines too")
    parser.add_argument("--browser", action="store_true", help="open a browser window")
    asked = parser.parse_args()
    sys.argv = sys.argv[:1]  # the pages' scripts have no business with them
    server = st.App(
        HOME / "app" / "main.py",
        lifespan=partial(_lifespan, f"http://{LOCAL}:{asked.port}", asked.browser),
    )
    try:
        server.run(
            config={
                "server.address": EVERYWHERE if asked.share else LOCAL,
                "server.allowedHosts": ["*"] if asked.share else ["localhost", LOCAL],
                "server.port": asked.port,
                "server.headless": True,
                "server.fileWatcherType": "none",
                "browser.gatherUsageStats": False,
                # Its welcome would ask other machines which address this one has.
                "logger.hideWelcomeMessage": True,
            }
        )
    except KeyboardInterrupt:  # Ctrl-C, after everything was closed
        sys.exit(0)


@asynccontextmanager
async def _lifespan(url: str, browser: bool, _: st.App) -> AsyncIterator[None]:
    """From when the port is ours to when the last visitor is gone."""
    end_when_told()
    sys.stdout.write(f"\n  Adapter Lab: {url}\n  Ctrl-C ends it; jobs go on.\n\n")
    sys.stdout.flush()
    if browser:
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
    yield


def end_when_told() -> None:
    """Has the server end on SIGINT, SIGTERM and SIGHUP, and not wait for whom it cannot reach.

    uvicorn's handler closes what is open and waits for it; of the death of a terminal it knows nothing. A process that
    was started to outlive its terminal (`nohup`) does.
    """
    close = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        late = threading.Timer(GRACE_SECONDS, os._exit, (128 + number,))
        late.daemon = True
        late.start()
        if callable(close):
            close(number if number == signal.SIGINT else signal.SIGTERM, frame)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, end)


if __name__ == "__main__":
    main()
