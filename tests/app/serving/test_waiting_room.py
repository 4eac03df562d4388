"""Connections that say nothing, or whose senders are not known, end; those of visitors stay. Real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import Receive, Scope, Send

from app.serving.waiting_room import WaitingRoom
from tests.browser.serving import free_port

FOREVER = 3600.0
AT_ONCE = 0.05
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def listening(room: WaitingRoom) -> AsyncIterator[int]:
    """A server behind this room, which lets in whoever asks for /known; its port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] == "/known":
                room.let_in(scope)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    port = free_port()
    config = uvicorn.Config(app, port=port, log_level="error", lifespan="off", http=room.protocol())
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield port
    finally:
        server.should_exit = True
        await serving


async def connect(port: int) -> Client:
    return await asyncio.open_connection("127.0.0.1", port)


async def ask(client: Client, path: str) -> bytes:
    client[1].write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    return await client[0].readuntil(b"\r\n\r\n")


async def ended(client: Client) -> bool:
    """Waits for its end."""
    try:
        return await client[0].read() == b""
    except ConnectionResetError:
        return True


def test_a_connection_over_which_no_visitor_came_is_closed_after_a_time() -> None:
    async def watch() -> None:
        room = WaitingRoom(seconds=AT_ONCE)
        async with listening(room) as port:
            silent, slow, stranger, familiar = [await connect(port) for _ in range(4)]
            assert b" 204 " in await ask(familiar, "/known")
            slow[1].write(b"GET / HTTP/1.1\r\nHo")
            assert b" 204 " in await ask(stranger, "/")
            assert all([await ended(client) for client in (silent, slow, stranger)])
            assert len(room) == 0
            assert b" 204 " in await ask(familiar, "/known")
            familiar[1].close()

    asyncio.run(watch())


def test_the_one_that_waited_longest_makes_room_for_a_new_one_of_its_sender() -> None:
    async def watch() -> None:
        room = WaitingRoom(FOREVER, of_sender=3)
        async with listening(room) as port:
            familiar = await connect(port)
            await ask(familiar, "/known")
            clients = [await connect(port) for _ in range(5)]
            assert all([await ended(client) for client in clients[:2]])
            assert b" 204 " in await ask(clients[4], "/")
            assert b" 204 " in await ask(familiar, "/")
            assert len(room) == 3
            for client in (familiar, *clients):
                client[1].close()
            while len(room):
                await asyncio.sleep(0)

    asyncio.run(watch())


def test_no_more_wait_in_all_than_may() -> None:
    async def watch() -> None:
        room = WaitingRoom(FOREVER, in_all=2)
        async with listening(room) as port:
            clients = [await connect(port) for _ in range(3)]
            assert await ended(clients[0])
            assert len(room) == 2
            for client in clients:
                client[1].close()

    asyncio.run(watch())
