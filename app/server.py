"""The server of the lab: `python -m app.server`, which `adapter-lab app` becomes.

One process, so that whoever ends it ends the server: a signal, the death of its terminal, what nobody can catch too.
What it started ends with it (`app/workers/tether.py`), but for jobs, which are processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import FrameType
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware

from adapter_lab import HOME
from app.serving.door import LOCAL_NAMES, Door
from app.serving.gate import Gate
from app.serving.request_marks import NAME_HEADER, ROLE_HEADER
from app.serving.rights import ROLE, stand_behind_gate
from app.serving.visitors import new_code
from cl_core.errors import UserError
from cl_core.reports.run_summary import summaries
from cl_core.runs.variables import JOIN_CODE, WORKSPACE
from cl_core.runs.workspace import Workspace

EVERYWHERE = "0.0.0.0"  # noqa: S104 - bound to only where --share asks for it
GRACE_SECONDS = 3.0
"""What is under way may come to its end for so long, once the server was told to end."""


def main() -> None:
    """Reads the command line and serves until it is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where it listens")
    parser.add_argument("--share", action="store_true", help="let others on the network look")
    parser.add_argument("--address", action="append", default=[], help="a further name of it")
    parser.add_argument("--browser", action="store_true", help="open a browser window")
    asked = parser.parse_args()
    sys.argv = sys.argv[:1]  # the pages' scripts have no business with them
    code = (os.environ.pop(JOIN_CODE, "") or new_code()) if asked.share else ""
    door = Door(asked.port, code, tuple(asked.address))
    # Whoever sends `X-Forwarded-For` from this machine, as through a tunnel, would be another sender with each request.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    stand_behind_gate()
    if door.shared:
        door.waiting.stand_before()
    server = st.App(
        HOME / "app" / "main.py",
        lifespan=partial(_lifespan, door, asked.browser),
        middleware=[Middleware(Gate, door=door)],
    )
    try:
        server.run(
            config={
                "server.address": EVERYWHERE if asked.share else LOCAL_NAMES[0],
                "server.port": asked.port,
                "server.headless": True,
                "server.fileWatcherType": "none",
                "server.allowedHosts": [urlsplit(f"//{host}").hostname for host in door.hosts],
                "server.trustedUserHeaders": json.dumps(
                    {ROLE_HEADER: ROLE, NAME_HEADER: "visitor"}
                ),
                "browser.gatherUsageStats": False,
                # All objects would be looked at after each page: two thirds of the time that a page takes.
                "runner.postScriptGC": False,
                # Its welcome would ask other machines which address this one has.
                "logger.hideWelcomeMessage": True,
            }
        )
    except KeyboardInterrupt:  # Ctrl-C, after everything was closed
        sys.exit(0)


@asynccontextmanager
async def _lifespan(door: Door, browser: bool, _: st.App) -> AsyncIterator[None]:
    """From when the port is ours to when the last visitor is gone."""
    end_when_told()
    sys.stdout.write(greeting(door))
    sys.stdout.flush()
    if browser:
        path = door.path_for_once if door.shared else "/"
        url = f"http://{door.hosts[0]}{path}"
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
    threading.Thread(target=_read_ahead, name="read ahead", daemon=True).start()
    yield


def _read_ahead() -> None:
    """Reads what the first page needs, while a browser still loads what it draws with."""
    for module in ("pandas", "plotly.graph_objects"):
        importlib.import_module(module)
    # What is wrong with the workspace is said by the page, where somebody can read it.
    with suppress(UserError, OSError):
        summaries(Workspace(os.environ.get(WORKSPACE) or None))


def greeting(door: Door) -> str:
    """What the terminal shows: all addresses that the server answers to, and no other."""
    here, elsewhere = door.hosts[: len(LOCAL_NAMES)], door.hosts[len(LOCAL_NAMES) :]
    ending = "  Ctrl-C ends it; jobs go on.\n\n"
    if not door.shared:
        return f"\n  Adapter Lab: http://{here[0]}\n{ending}"
    lines = [
        "Adapter Lab is shared: whoever has the code can look at everything in the workspace, sample texts and",
        "pictures included. The connection is not encrypted.",
        "",
        "You, the host, open this link; whoever has it may do all that you may:",
        *(f"    http://{host}{door.host_path}" for host in here),
        "",
        f"Guests open one of these and type the code {door.code}:",
        *(f"    http://{host}" for host in elsewhere or here),
        "",
    ]
    return "\n" + "".join(f"  {line}".rstrip() + "\n" for line in lines) + ending


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
