"""A lab that is shared, as strangers, guests and the host meet it: by requests, and by the server's own protocol."""

from __future__ import annotations

import hashlib
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.base.navigation import PAGES
from app.serving.allowance import MOST_TABS
from app.serving.attempts import FREE
from app.serving.waiting_room import MOST_OF_SENDER
from cl_core.jobs.queue import Jobs, Outcome, Request
from cl_core.runs.workspace import Workspace
from tests.app.protocol import ProtocolVisitor
from tests.app.serving.sharing_server import SharingServer
from tests.remade_runs import remade

MEGABYTE = 2**20
HERE = r"'(127\.0\.0\.1|localhost|0\.0\.0\.0)'"
"""What processes of the server may ask for, all the time: this machine."""
STREAM = """name: mine
protocol: dil
tasks:
- name: films
  path: films.csv
  kind: text
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a stream and a job that can be gone on with: something for every command."""
    workspace = Workspace(tmp_path_factory.mktemp("shared") / "workspace")
    streams = workspace.root / "streams"
    streams.mkdir(parents=True)
    rows = "".join(
        f"{split},word {row},{row % 2}\n"
        for split in ("train", "validation", "test")
        for row in range(4)
    )
    (streams / "films.csv").write_text("split,text,label\n" + rows)
    (streams / "mine.yaml").write_text(STREAM)
    remade(workspace, "dam", "seen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Jobs, "wake", lambda self: None)
        job = Jobs(workspace).submit(Request(run="long", stream="domains-dil", recipe="dam"))
    job.begin()
    job.end(Outcome(state="stopped"))
    return workspace.root


@pytest.fixture(scope="module")
def server(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingServer]:
    folder = tmp_path_factory.mktemp("sharing")
    with SharingServer(mine, folder, "--share", "--address", "lab.example.org") as started:
        yield started
        outside = [line for line in started.asked if not re.search(HERE, line)]
    assert not outside, outside


def test_an_address_that_a_process_asks_for_is_noticed(server: SharingServer) -> None:
    """That none was asked for says nothing of a watch that sees nothing."""
    port = server.port
    asked = server.asked_by(f"import socket; socket.create_connection(('127.0.0.1', {port}))")
    assert f"socket.getaddrinfo '127.0.0.1' {port} 0 1 0" in asked
    assert f"socket.connect ('127.0.0.1', {port})" in asked


def as_it_is(workspace: Path) -> dict[str, str]:
    """Every file with the hash of what is in it; locks are touched by whoever looks."""
    return {
        str(file.relative_to(workspace)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(workspace.rglob("*"))
        if file.is_file() and file.suffix != ".lock"
    }


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.2)


def as_it_lies(workspace: Path) -> dict[str, tuple[int, str]]:
    """Everything in it, with when it was changed and the hash of what is in it."""
    return {
        str(path.relative_to(workspace)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted([workspace, *workspace.rglob("*")])
    }


def test_a_guests_visit_leaves_the_workspace_as_it_lies(server: SharingServer, mine: Path) -> None:
    before = as_it_lies(mine)
    views = {
        **VIEWS,
        "sample": [],
    }  # that page needs a model, and is looked at by the guest who presses everything
    with ProtocolVisitor(server.url, server.guest()) as guest:
        for row in PAGES:
            for view in views.get(row.name, [{"ws": "Mine", "run": "seen"}]):
                drawn = guest.open(row.name, **view)
                assert not drawn.exceptions, drawn.exceptions
    assert as_it_lies(mine) == before
    with ProtocolVisitor(server.url, server.host()) as host:
        host.open("start", ws="Mine")
    assert set(as_it_lies(mine)) - set(before) == {"index.sqlite"}, "what the host sees is kept"


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


def test_no_message_of_a_guest_changes_anything(server: SharingServer, mine: Path) -> None:
    """Every button of every page, of the guest's and of the host's, which the guest has never been shown."""
    before, said, seen = as_it_is(mine), 0, set[str]()
    with (
        ProtocolVisitor(server.url, server.host()) as host,
        ProtocolVisitor(server.url, server.guest()) as guest,
    ):
        for row in PAGES:
            for view in VIEWS.get(row.name, [{"ws": "Demonstration", "run": "dam"}]):
                drawn = guest.open(row.name, **view)
                assert not drawn.exceptions, drawn.exceptions
                messages = [
                    [WidgetState(id=name, trigger_value=True)]
                    for name in drawn.triggers
                    if drawn.label(name) not in seen
                ]
                seen |= set(map(drawn.label, drawn.triggers))
                messages.append(
                    [  # those that are grey, too
                        WidgetState(id=name, bool_value=not part.default)
                        for name, (kind, part) in drawn.widgets.items()
                        if kind == "checkbox"
                    ]
                )
                if row.name in VIEWS:
                    shown = host.open(row.name, **view).triggers
                    never_shown = [name for name in shown if name not in drawn.widgets]
                    assert never_shown, "a page on which the host alone may act"
                    messages.append(
                        [WidgetState(id=name, trigger_value=True) for name in never_shown]
                    )
                for message in filter(None, messages):
                    came = guest.say(*message)
                    assert not came.exceptions, (row.name, message, came.exceptions)
                    said += len(message)
        clear = BackMsg()
        clear.clear_cache = True
        guest.send(clear)
        assert guest.open("start").widgets, "what a guest may not say is not heard"
    assert said > 60
    assert as_it_is(mine) == before


VIEWS = {
    "train": [{"ws": "Mine", "show": "New run"}, {"ws": "Mine", "show": "Jobs", "job": "long"}],
    "stream": [{"ws": "Mine", "stream": "domains"}, {"ws": "Mine", "stream": "streams/mine.yaml"}],
    "settings": [{"ws": "Mine"}],
}
"""What is looked at on a page, in place of a run of the demonstration."""


def put(
    server: SharingServer,
    cookie: str,
    session: str,
    file: str,
    size: int,
    further: dict[str, str] | None = None,
) -> int:
    """Uploads a file as a browser does, perhaps with further headers; the status."""
    page = server.request("GET", "/_stcore/health", {"Cookie": cookie})
    token = page.headers["set-cookie"].partition(";")[0]
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n'
    body += bytes(size) + b"\r\n--b--\r\n"
    headers = {
        "Cookie": f"{cookie}; {token}",
        "X-Xsrftoken": token.partition("=")[2],
        "Content-Type": "multipart/form-data; boundary=b",
        "Origin": server.url,
        **(further or {}),
    }
    if "Transfer-Encoding" in headers:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    path = f"/_stcore/upload_file/{session}/{file}"
    return server.request("PUT", path, headers, body).status


def test_uploads_are_limited_for_each_visitor_and_freed_when_they_leave(
    server: SharingServer,
) -> None:
    cookie, other = server.guest(), server.guest()
    with ProtocolVisitor(server.url, cookie) as visitor:
        visitor.open("start")
        session = visitor.session
        assert put(server, cookie, session, "one", 45 * MEGABYTE) == 204
        assert [put(server, cookie, session, f"more{n}", 6 * MEGABYTE) for n in range(3)] == [
            413
        ] * 3
        assert put(server, other, session, "two", 1) == 403, "a session of somebody else's"
        with ProtocolVisitor(server.url, other) as second:
            second.open("start")
            assert put(server, other, second.session, "two", MEGABYTE) == 204
    with ProtocolVisitor(server.url, cookie) as visitor:
        visitor.open("start")
        assert put(server, cookie, visitor.session, "one", 45 * MEGABYTE) == 413, "it has just left"
        wait_for(lambda: put(server, cookie, visitor.session, "one", 45 * MEGABYTE) == 204)
        assert put(server, cookie, session, "late", 1) == 403, "a session that is over"


def test_an_upload_is_as_long_as_it_says(server: SharingServer) -> None:
    cookie = server.guest()
    with ProtocolVisitor(server.url, cookie) as visitor:
        visitor.open("start")
        in_pieces = {"Content-Length": "1", "Transfer-Encoding": "chunked"}
        assert put(server, cookie, visitor.session, "one", 5, in_pieces) == 411
        endless = {"Content-Length": "9" * 18}
        assert put(server, cookie, visitor.session, "two", 5, endless) == 413


def test_a_session_is_taken_up_again_by_whose_it_is_alone(server: SharingServer) -> None:
    mine = server.guest()
    with ProtocolVisitor(server.url, mine) as visitor:
        visitor.open("start")
        session = visitor.session
        for cookie in (server.guest(), server.host()):
            with ProtocolVisitor(server.url, cookie, session=session) as other:
                other.open("start")
                assert other.session != session
    with ProtocolVisitor(server.url, mine, session=session) as visitor:
        visitor.open("start")
        assert visitor.session == session


def test_tabs_are_limited_for_each_guest(server: SharingServer) -> None:
    cookie = server.guest()
    tabs = [ProtocolVisitor(server.url, cookie) for _ in range(MOST_TABS["guest"])]
    try:
        with pytest.raises(InvalidStatus, match="403"):
            ProtocolVisitor(server.url, cookie)
        with ProtocolVisitor(server.url, server.guest()) as other:
            assert other.open("start").widgets
    finally:
        for tab in tabs:
            tab.leave()


def test_a_message_that_no_page_sends_ends_the_connection(server: SharingServer) -> None:
    with ProtocolVisitor(server.url, server.guest()) as visitor:
        huge = BackMsg()
        huge.rerun_script.query_string = "x" * 5 * MEGABYTE
        visitor.send(huge)
        with pytest.raises(ConnectionClosed):
            visitor.read()
