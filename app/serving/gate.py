"""The gate: an ASGI application before Streamlit's, through which every request and every connection goes.

Without a visitor's cookie there is nothing behind it: no page, no script, no upload, no connection. What it lets
through it marks with who sent it, in headers that it alone can set; Streamlit binds a session to them, and the app
asks them.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from urllib.parse import parse_qs, quote, unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serving.allowance import Stay, TooMuch
from app.serving.connection import Connection
from app.serving.door import HOST_PATH, JOIN_PATH, Door
from app.serving.join_page import join_page, notice
from app.serving.replies import answer, hear_out, read_form, redirect
from app.serving.request_marks import header_of, headers_of, marked
from app.serving.visitors import Visitor, same

UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)/?")
FOR_THE_HOST = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")
NO_PAGES = ("/_stcore", "/media", "/component", "/static", "/vendor", "/app/")
"""Where nobody goes who wants to read a page."""
OTHER_NAME = (
    "This lab does not answer under this name. Use an address that the terminal of its host shows."
)
LEFT_SECONDS = {"host": 120.0, "guest": 5.0}
"""How long a tab that lost its connection may take to come back before what it kept is freed."""


class Gate:
    """Lets visitors in.

    Args:
        app: Streamlit's.
        door: who is let in.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one connection for as long as it lasts."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connection(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        door, path = self.door, scope["path"]
        if not self._addressed(scope):
            await answer(send, HTTPStatus.MISDIRECTED_REQUEST, notice(OTHER_NAME))
            return
        if door.shared and path == HOST_PATH:
            await self._become_host(scope, send)
            return
        visitor = door.visitor(header_of(scope, "cookie"))
        if visitor is not None:
            door.waiting.let_in(scope)
        if visitor is None and path == JOIN_PATH and scope["method"] == "POST":
            await self._join(scope, receive, send)
        elif visitor is None:
            await self._stranger(scope, send)
        elif visitor.role != "host" and path.startswith(FOR_THE_HOST):
            await answer(send, HTTPStatus.FORBIDDEN, notice("This is for the host alone."))
        elif path in (JOIN_PATH, HOST_PATH):
            await redirect(send, "/")
        elif upload := UPLOAD.fullmatch(path):
            await self._upload(visitor, upload, scope, receive, send)
        else:
            await self.app(marked(scope, visitor), receive, send)

    async def _become_host(self, scope: Scope, send: Send) -> None:
        """The key in the link for a cookie; the link itself is not kept in the browser's history."""
        said = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
        if self.door.opens_to(said):
            await redirect(send, "/", self.door.cookie("host"))
        else:
            wrong = "This is not the host's link: it is the one that the terminal shows now."
            await answer(send, HTTPStatus.FORBIDDEN, notice(wrong))

    async def _stranger(self, scope: Scope, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD") and not scope["path"].startswith(NO_PAGES):
            await answer(send, HTTPStatus.OK, join_page(_wanted(scope)))
        else:
            await answer(send, HTTPStatus.FORBIDDEN, b"Type the code first.\n", "text/plain")

    async def _join(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A code, from a form."""
        door, sender = self.door, (scope.get("client") or ("",))[0]
        form = await read_form(receive)
        to = _path(form.get("to", "/"))
        seconds = door.attempts.wait(sender)
        if seconds:  # the code is not looked at: who guesses on learns nothing
            wrong = (
                f"Too many wrong codes from here. Wait {int(seconds) + 1} s, then type it again."
            )
            headers = ((b"retry-after", str(int(seconds) + 1).encode()),)
            page = join_page(to, wrong)
            await answer(send, HTTPStatus.TOO_MANY_REQUESTS, page, headers=headers)
        elif same(form.get("code", "").strip().lower(), door.code.lower()):
            await redirect(send, to, door.cookie("guest"))
        else:
            door.attempts.wrong(sender)
            await answer(send, HTTPStatus.FORBIDDEN, join_page(to, "That is not the code."))

    async def _upload(
        self,
        visitor: Visitor,
        path: re.Match[str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Into a session of the visitor's own, as long as there is room for it."""
        allowance, method = self.door.allowance, scope["method"]
        session, file = path.groups()
        if not allowance.owns(visitor, session):
            await answer(send, HTTPStatus.FORBIDDEN, b"No session of yours.\n", "text/plain")
            return
        if method == "PUT":
            size = header_of(scope, "content-length")
            # With both headers a body is as long as its pieces say, whatever it was announced as.
            if not size.isdecimal() or headers_of(scope, "transfer-encoding"):
                said = b"An upload says how long it is.\n"
                await answer(send, HTTPStatus.LENGTH_REQUIRED, said, "text/plain")
                return
            try:
                allowance.reserve(session, file, int(size))
            except TooMuch as refusal:
                await hear_out(receive, int(size))
                said = f"{refusal}\n".encode()
                await answer(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, "text/plain")
                return
        status = [0]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await self.app(marked(scope, visitor), receive, noting)
        finally:
            came = status[0] == HTTPStatus.NO_CONTENT
            if (method == "PUT" and not came) or (method == "DELETE" and came):
                allowance.release(session, file)

    async def _connection(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A tab's websocket; of a stranger's it is refused before it is accepted."""
        visitor = self.door.visitor(header_of(scope, "cookie")) if self._addressed(scope) else None
        try:
            if visitor is None:
                raise TooMuch("the code comes first")
            self.door.allowance.enter(visitor)
            self.door.waiting.let_in(scope)
        except TooMuch as refusal:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)})
            return
        connection = Connection(visitor, receive, send, self._arrived)
        try:
            await self.app(marked(scope, visitor), connection.receive, connection.send)
        finally:
            self.door.allowance.leave(visitor)
            self._left(connection.session)

    def _arrived(self, visitor: Visitor, session: str) -> None:
        """A connection has got this session, or has come back to it."""
        self.door.allowance.stays.setdefault(session, Stay(visitor)).open += 1
        if session in self._leaving:
            self._leaving.pop(session).cancel()

    def _left(self, session: str) -> None:
        stay = self.door.allowance.stays.get(session)
        if stay is None:
            return
        stay.open -= 1
        if not stay.open:
            seconds = LEFT_SECONDS[stay.visitor.role]
            loop = asyncio.get_running_loop()
            self._leaving[session] = loop.call_later(seconds, self._free, session)

    def _free(self, session: str) -> None:
        """Forgets a tab that did not come back, with its uploads."""
        from streamlit.runtime import exists, get_instance

        self._leaving.pop(session, None)
        self.door.allowance.stays.pop(session, None)
        if exists():
            get_instance().close_session(session)

    def _addressed(self, scope: Scope) -> bool:
        """Whether it is for this server, and from a page of this server or from no page at all."""
        hosts, origins = headers_of(scope, "host"), headers_of(scope, "origin")
        if len(hosts) != 1 or len(origins) > 1 or not self.door.answers_to(hosts[0]):
            return False
        return not origins or self.door.accepts_origin(origins[0], hosts[0])


def _wanted(scope: Scope) -> str:
    """The path that was asked for, with its query."""
    query = scope["query_string"].decode("latin-1")
    return _path(quote(scope["path"]) + (f"?{query}" if query else ""))


def _path(said: str) -> str:
    """As a path of this server; "/" for what would lead away from it."""
    sound = said.startswith("/") and not re.match(r"/[/\\]", unquote(said)) and said.isprintable()
    return said if sound and said.isascii() else "/"
