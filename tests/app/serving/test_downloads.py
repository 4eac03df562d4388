"""Downloads whose files are made at the click, by the server's own protocol: they come, or a sentence says why not."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from cl_core.system_faults import SAFE
from tests.app.protocol import ProtocolVisitor
from tests.app.serving.sharing_server import SharingServer

SHORT = 1000
"""Bytes."""
RUN = {"ws": "Demonstration", "run": "dam"}


def downloads_of(visitor: ProtocolVisitor, page: str, **view: str) -> list[Any]:
    """Buttons that give a file, with all that is closed on the page opened."""
    closed = visitor.open(page, **view).openable
    drawn = visitor.say(*(WidgetState(id=name, bool_value=True) for name in closed))
    assert not drawn.exceptions, drawn.exceptions
    return [part for kind, part in drawn.widgets.values() if kind == "download_button"]


@contextmanager
def no_larger_files(server: SharingServer) -> Iterator[None]:
    """The server can write no file but a short one: the system refuses it, as a full disk does."""
    _, most = resource.prlimit(server.process, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process, resource.RLIMIT_FSIZE, (SHORT, most))
    try:
        yield
    finally:
        resource.prlimit(server.process, resource.RLIMIT_FSIZE, (most, most))


def test_a_guest_gets_the_files_under_a_figure(server: SharingServer) -> None:
    cookie = server.guest()
    with ProtocolVisitor(server.url, cookie) as guest:
        buttons = downloads_of(guest, "forgetting", **RUN)
        kinds = {part.label for part in buttons}
        assert {"CSV", "HTML"} <= kinds
        for part in buttons:
            answer = guest.fetch(part)
            assert answer.error_msg == "", part.label
            reply = server.request("GET", answer.deferred_file.url, {"Cookie": cookie})
            assert reply.status == 200
            assert len(reply.body) > 20


def test_a_guest_has_the_server_do_nothing_else(server: SharingServer) -> None:
    with ProtocolVisitor(server.url, server.guest()) as guest:
        guest.open("start")
        for name in ("install_skills", "dismiss_skills_nudge"):
            message = BackMsg()
            getattr(message.backend_operation_request, name).SetInParent()
            message.backend_operation_request.session_id = guest.session
            guest.send(message)
        (button, *_) = downloads_of(guest, "forgetting", **RUN)
        answer = guest.fetch(button)
        assert answer.request_id == "asked", "the first that is answered"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another's limits are set on Linux")
def test_a_file_that_cannot_be_made_is_answered_in_a_sentence(
    server: SharingServer, mine: Path
) -> None:
    with ProtocolVisitor(server.url, server.host()) as host:
        (button,) = downloads_of(host, "settings", ws="Mine")
        with no_larger_files(server):
            said = host.fetch(button).error_msg
        assert "would be larger than a file may be here" in said
        assert SAFE in said
        assert "a file would" not in said, "it is named"
        chosen = WidgetState(id=host.say().id_of("pack"))
        chosen.string_array_value.data.append("seen")
        (button,) = (
            part for kind, part in host.say(chosen).widgets.values() if kind == "download_button"
        )
        assert button.label.startswith("Zip of seen")
        runs = mine / "runs"
        runs.rename(mine / "elsewhere")
        try:
            said = host.fetch(button).error_msg
        finally:
            (mine / "elsewhere").rename(runs)
        assert "seen" in said, said
        assert host.fetch(button).error_msg == "", "and then it comes"
        button.deferred_file_id = "0" * 32
        assert "reload the page" in host.fetch(button).error_msg
    assert "Traceback" not in server.said
