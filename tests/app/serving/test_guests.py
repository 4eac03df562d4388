"""What guests of a shared lab may do, by the server's own protocol: look, upload within limits, change nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.base.navigation import PAGES
from app.serving.allowance import MOST_TABS
from tests.app.protocol import ProtocolVisitor
from tests.app.serving.sharing_server import SharingServer
from tests.patience import wait_for

MEGABYTE = 2**20


def as_it_is(workspace: Path) -> dict[str, str]:
    """Every file with the hash of what is in it; locks are touched by whoever looks."""
    return {
        str(file.relative_to(workspace)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(workspace.rglob("*"))
        if file.is_file() and file.suffix != ".lock"
    }


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


def test_no_message_of_a_guest_changes_anything(server: SharingServer, mine: Path) -> None:
    """Every button of every page, of the guest's and of the host's, which the guest has never been shown."""
    before, said, seen = as_it_is(mine), 0, set[str]()
    with (
        ProtocolVisitor(server.url, server.host()) as host,
        ProtocolVisitor(server.url, server.guest()) as guest,
    ):
        for row in PAGES:
            for view in VIEWS.get(row.name, [{"ws": "Demonstration", "run": "dam"}]):
                closed = guest.open(row.name, **view).openable
                opened = [WidgetState(id=name, bool_value=True) for name in closed]
                drawn = guest.say(*opened)
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
                    came = guest.say(*opened, *message)
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
