"""What the gate reads of a body, and what it answers itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.types import Receive, Send

MOST_FORM_BYTES = 4096
MOST_HEARD_BYTES = 64 * 2**20
"""Of an upload that is refused: more than any that is taken."""
HEARD_SECONDS = 30.0
"""For which it may go on sending."""
POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
"""Of the gate's own pages."""


async def read_form(receive: Receive) -> dict[str, str]:
    """The fields of a small form; none of one that is not small."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or len(body) > MOST_FORM_BYTES:
            return {}
        if not message.get("more_body"):
            break
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


async def hear_out(receive: Receive, size: int) -> None:
    """Lets a body come and keeps nothing of it: whoever is cut off while sending never reads the answer.

    Args:
        receive: the rest of the request.
        size: bytes that were announced; more than any browser sends here are not waited for.
    """
    if size > MOST_HEARD_BYTES:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARD_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return


async def redirect(send: Send, to: str, cookie: str = "") -> None:
    """Leads on to a path of this server.

    Args:
        send: to the visitor.
        to: the path.
        cookie: a `Set-Cookie`; none without.
    """
    headers = [(b"location", to.encode())]
    headers += [(b"set-cookie", cookie.encode())] if cookie else []
    await answer(send, HTTPStatus.SEE_OTHER, b"", headers=headers)


async def answer(
    send: Send,
    status: HTTPStatus,
    body: bytes,
    kind: str = "text/html",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """One whole answer, which nobody keeps, frames or adds a script to.

    Args:
        send: to the visitor.
        status: of HTTP.
        body: bytes of UTF-8.
        kind: its media type.
        headers: further ones.
    """
    said = [
        (b"content-type", f"{kind}; charset=utf-8".encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"same-origin"),  # without any, a browser says no origin
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", POLICY),
        *headers,
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": said})
    await send({"type": "http.response.body", "body": body})
