"""A lab that is shared: the real server, what its terminal showed, and all addresses that its processes asked for."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlencode

from tests.browser.serving import CHECKOUT, free_port
from tests.patience import PATIENCE

WATCH = '''"""Writes down each address that a Python process connects to, sends to or looks up: nothing is missed.

A pair of sockets between two processes of this machine has none.
"""
import os, sys

FILE = os.environ["WATCHED_ADDRESSES"]
EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request", "http.client.connect", "webbrowser.open")

def watch(event, arguments):
    if event in EVENTS and getattr(arguments[0], "family", None) != 1:  # AF_UNIX
        said = [repr(part) for part in arguments if isinstance(part, (str, bytes, tuple, int))]
        line = f"{event} {' '.join(said)}\\n".encode()
        handle = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line)
        os.close(handle)

sys.addaudithook(watch)
'''


@dataclass(frozen=True)
class Reply:
    """What came of a request.

    Attributes:
        status: of HTTP.
        headers: by name in lower case.
        body: bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cookie(self) -> str:
        """As it is sent back; "" where none was set."""
        return self.headers.get("set-cookie", "").partition(";")[0]


class SharingServer:
    """`adapter-lab app --share`; a context manager.

    Args:
        workspace: what it shows.
        folder: for what it says and asks.
        words: further words of the command.
    """

    def __init__(self, workspace: Path, folder: Path, *words: str) -> None:
        self.port = free_port()
        words += ("--no-browser", "--port", str(self.port), "--workspace", str(workspace))
        self.log, self._asked = folder / "server.log", folder / "addresses.txt"
        watching = folder / "watching"
        watching.mkdir()
        (watching / "sitecustomize.py").write_text(WATCH)
        self._asked.touch()
        path = [str(watching), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.surroundings = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "WATCHED_ADDRESSES": str(self._asked),
            "OMP_NUM_THREADS": "1",
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cl_core.cli", "app", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
                env=self.surroundings,
            )
        until = time.monotonic() + PATIENCE
        while "jobs go on" not in self.said:
            assert self._process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.05)

    @property
    def process(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def said(self) -> str:
        """What the terminal shows."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def asked(self) -> list[str]:
        """Addresses that its processes asked for so far, with how."""
        return self._asked.read_text().splitlines()

    def asked_by(self, code: str) -> list[str]:
        """Addresses that a process of the server's kind asks for, carrying this out."""
        before = len(self.asked)
        subprocess.run([sys.executable, "-c", code], env=self.surroundings, check=True)
        return self.asked[before:]

    @property
    def url(self) -> str:
        """On this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def code(self) -> str:
        """What guests type."""
        (code,) = re.findall(r"type the code (\w+):", self.said)
        return str(code)

    @property
    def host_path(self) -> str:
        """Of the host's link."""
        return re.findall(r"http://127\.0\.0\.1:\d+(/host\?key=[\w-]+)", self.said)[0]

    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        sender: str = "127.0.0.1",
    ) -> Reply:
        """One request, with exactly these headers beside Host; from any address of the loopback."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE, source_address=(sender, 0)
        )
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, said, answer.read())
        finally:
            connection.close()

    def join(
        self,
        code: str,
        sender: str = "127.0.0.1",
        to: str = "/",
        further: dict[str, str] | None = None,
    ) -> Reply:
        """Types a code, perhaps with further headers."""
        form = urlencode({"code": code, "to": to}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.url}
        kind |= further or {}
        return self.request("POST", "/join", kind, form, sender)

    def guest(self) -> str:
        """The cookie of a new guest."""
        return self.join(self.code).cookie

    def host(self) -> str:
        """The cookie of a new host."""
        return self.request("GET", self.host_path).cookie

    def listens_to(self, address: str) -> bool:
        """Whether it answers at an address of this machine."""
        with socket.socket() as probe:
            return probe.connect_ex((address, self.port)) == 0

    def __enter__(self) -> SharingServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
