"""Who gets into a shared lab: strangers, guests by the code, the host by the link, and nobody else."""

from __future__ import annotations

import re
import socket
import sys
from contextlib import ExitStack

import pytest
from websockets.exceptions import InvalidStatus

from app.serving.attempts import FREE
from app.serving.waiting_room import MOST_OF_SENDER
from tests.app.protocol import ProtocolVisitor
from tests.app.serving.sharing_server import SharingServer
from tests.patience import wait_for


def test_an_address_that_a_process_asks_for_is_noticed(server: SharingServer) -> None:
    """That none was asked for says nothing of a watch that sees nothing."""
    port = server.port
    asked = server.asked_by(f"import socket; socket.create_connection(('127.0.0.1', {port}))")
    assert f"socket.getaddrinfo '127.0.0.1' {port} 0 1 0" in asked
    assert f"socket.connect ('127.0.0.1', {port})" in asked


def test_connections_that_say_nothing_make_room_for_each_other(server: SharingServer) -> None:
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            for _ in range(MOST_OF_SENDER)
        ]
        with ProtocolVisitor(server.url, server.guest()) as guest:
            assert guest.open("start").widgets
            assert silent[0].recv(1) == b"", "the one that waited longest is closed"
            for _ in range(MOST_OF_SENDER):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
            assert silent[-1].recv(1) == b""
            assert guest.open("stream").widgets, "who was let in stays"
    assert server.join("wrong", "127.0.0.99").status == 403


STRANGERS = [
    ("GET", "/_stcore/health"),
    ("GET", "/_stcore/host-config"),
    ("GET", "/_stcore/metrics"),
    ("PUT", "/_stcore/upload_file/some/file"),
    ("DELETE", "/_stcore/upload_file/some/file"),
    ("OPTIONS", "/_stcore/upload_file/some/file"),
    ("GET", "/_stcore/bidi-components/some/file.js"),
    ("GET", "/component/some/index.html"),
    ("GET", "/media/some.png"),
    ("GET", "/static/index.js"),
    ("GET", "/app/static/some.png"),
    ("POST", "/"),
    ("PUT", "/"),
]


def test_a_stranger_is_served_nothing_but_the_join_page(server: SharingServer) -> None:
    for path in ("/", "/train", "/sample?run=dam", "/favicon.png", "/index.html", "/x/../train"):
        reply = server.request("GET", path)
        assert reply.status == 200
        assert b'<form method="post" action="/join">' in reply.body
        assert b"<script" not in reply.body
        assert "set-cookie" not in reply.headers
    for method, path in STRANGERS:
        reply = server.request(method, path, body=b"x" * 100 if method == "PUT" else None)
        assert reply.status == 403, (method, path)
        assert reply.body == b"Type the code first.\n"
    with pytest.raises(InvalidStatus, match="403"):
        ProtocolVisitor(server.url)
    name = server.guest().partition("=")[0]
    for forged in ("host.ab.cd", f"host.{'0' * 16}.{'0' * 64}", "", "guest"):
        with pytest.raises(InvalidStatus, match="403"):
            ProtocolVisitor(server.url, f"{name}={forged}")


def test_whoever_has_the_printed_link_is_the_host_and_not_whoever_comes_from_this_machine(
    server: SharingServer,
) -> None:
    assert server.request("GET", "/host?key=wrong").status == 403
    assert server.request("GET", "/host").status == 403
    reply = server.request("GET", server.host_path)
    assert (reply.status, reply.headers["location"]) == (303, "/")
    assert "; HttpOnly" in reply.headers["set-cookie"]
    assert "; SameSite=Lax" in reply.headers["set-cookie"]
    with ProtocolVisitor(server.url, reply.cookie) as visitor:
        assert visitor.open("train", show="New run").has("start")
    with ProtocolVisitor(server.url, server.guest()) as visitor:
        drawn = visitor.open("train", show="New run")
        assert not drawn.has("start")
        assert "Guests have read-only access" in drawn.text


def test_the_code_lets_a_guest_in_where_they_wanted_to_go(server: SharingServer) -> None:
    page = server.request("GET", "/sample?run=dam&k=2").body
    assert b'name="to" value="/sample?run=dam&amp;k=2"' in page
    reply = server.join(f" {server.code.upper()} ", to="/sample?run=dam&k=2")
    assert (reply.status, reply.headers["location"]) == (303, "/sample?run=dam&k=2")
    assert "; HttpOnly; SameSite=Lax" in reply.headers["set-cookie"]
    for away in (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/%2fevil.example",
        "/a\r\nb: c",
    ):
        assert server.join(server.code, to=away).headers["location"] == "/"


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
    {"Host": "192.0.2.77:8501", "Origin": "http://192.0.2.77:8501"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_nobody_is_answered_under_a_name_or_from_a_page_that_was_not_printed(
    server: SharingServer, headers: dict[str, str]
) -> None:
    for cookie in (server.host(), server.guest()):
        assert server.request("GET", "/", {**headers, "Cookie": cookie}).status == 421
        with pytest.raises(InvalidStatus, match="403"):
            ProtocolVisitor(server.url, cookie, headers)
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    assert server.request("POST", "/join", form, f"code={server.code}".encode()).status == 421
    assert server.request("GET", server.host_path, headers).status == 421


def test_names_that_were_printed_are_answered(server: SharingServer) -> None:
    printed = re.findall(r"http://([^/\s]+)", server.said)
    assert {"lab.example.org", f"lab.example.org:{server.port}", f"localhost:{server.port}"} <= {
        *printed
    }
    for name in printed:
        with ProtocolVisitor(
            server.url, server.guest(), {"Host": name, "Origin": f"http://{name}"}
        ) as visitor:
            assert visitor.open("start").widgets


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this machine has one address")
def test_wrong_codes_slow_down_their_sender_alone(server: SharingServer) -> None:
    sender = "127.0.0.66"
    for _ in range(FREE):
        reply = server.join("wrong", sender)
        assert reply.status == 403
        assert b"That is not the code." in reply.body
    slowed = server.join(server.code, sender)  # the right one now, which is not looked at
    assert slowed.status == 429
    assert int(slowed.headers["retry-after"]) >= 1
    assert "set-cookie" not in slowed.headers
    assert server.join(server.code, "127.0.0.67").status == 303
    assert server.join("wrong", "127.0.0.67").status == 403
    wait_for(lambda: server.join(server.code, sender).status == 303)


def test_what_a_request_says_about_its_sender_is_not_believed(server: SharingServer) -> None:
    """A tunnel or a proxy on this machine passes such headers on as they come."""
    claims = ({"X-Forwarded-For": f"10.0.0.{number}"} for number in range(FREE + 1))
    sender = "127.0.0.68"
    statuses = [server.join("wrong", sender, further=claim).status for claim in claims]
    assert statuses == [403] * FREE + [429]
    on_loopback = [
        server.join("wrong", further={"X-Forwarded-For": f"10.0.1.{number}"}).status
        for number in range(FREE + 1)
    ]
    assert on_loopback[-1] == 429
    wait_for(lambda: server.join(server.code).status == 303)
