"""Names, secrets and waits, without a server around them."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.serving.allowance import MEGABYTE, MOST_OF_GUESTS, MOST_UPLOADED, Allowance, Stay, TooMuch
from app.serving.attempts import FORGOTTEN_SECONDS, FREE, LONGEST_SECONDS, MOST_SENDERS, Attempts
from app.serving.connection import GUESTS_MESSAGES, Connection
from app.serving.door import ALONE, Door
from app.serving.visitors import Role, Seal, Visitor


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("127.0.0.1:8501", True),
        ("localhost:8501", True),
        ("LOCALHOST:9000", True),  # a tunnel whose end has another number
        ("localhost", True),
        ("evil.example", False),
        ("evil.example:8501", False),
        ("localhost.evil.example", False),
        ("evil.example@localhost:8501", False),
        ("localhost:8501/x", False),
        ("localhost:port", False),
        ("", False),
    ],
)
def test_a_lab_that_is_not_shared_answers_on_this_machine_under_any_port(
    host: str, answered: bool
) -> None:
    assert Door(8501).answers_to(host) is answered


def test_a_shared_one_answers_under_the_very_names_that_it_shows() -> None:
    door = Door(8501, "code", ("lab.example.org", "other.example.org:443"))
    assert {"lab.example.org", "lab.example.org:8501", "other.example.org:443"} <= {*door.hosts}
    assert all(map(door.answers_to, door.hosts))
    for other in ("localhost", "localhost:9000", "other.example.org", "lab.example.org:80"):
        assert not door.answers_to(other)


def test_a_page_may_speak_to_the_server_that_it_came_from_alone() -> None:
    door = Door(8501)
    assert door.accepts_origin("http://localhost:8501", "localhost:8501")
    assert door.accepts_origin("https://lab.example.org", "lab.example.org")
    for other in (
        "http://localhost:1",
        "http://127.0.0.1:8501",
        "null",
        "",
        "file://localhost:8501",
        "http://localhost:8501/x",
        "http://localhost:8501@",
        "http://[",
        "http://[::1",
        "http://[a]:1",
    ):
        assert not door.accepts_origin(other, "localhost:8501")


def test_a_link_that_a_browser_is_started_with_opens_once_and_the_printed_one_again() -> None:
    door = Door(8501, "code")
    once = door.path_for_once.partition("=")[2]
    assert door.opens_to(once)
    assert not door.opens_to(once)
    assert not door.opens_to("")
    assert door.opens_to(door.key)
    assert door.opens_to(door.key)


def test_a_cookie_is_what_this_server_has_sealed_and_no_other() -> None:
    seal, other = Seal(), Seal()
    guest = seal.admit("guest")
    visitor = seal.visitor(guest)
    assert visitor is not None
    assert visitor.role == "guest"
    assert other.visitor(guest) is None
    assert seal.visitor(guest.replace("guest", "host")) is None
    for forged in ("", ".", "host", "host.x.", f"{guest}0", guest[:-1], "höst.ab.cd"):
        assert seal.visitor(forged) is None
    door = Door(8501, "code")
    assert door.visitor("") is None
    assert door.visitor(f"{door.cookie_name}={guest}") is None
    assert Door(8501).visitor("") == ALONE


def test_the_wait_doubles_ends_and_is_the_senders_own() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    waits = []
    for _ in range(FREE + 8):
        attempts.wrong("one")
        waits.append(attempts.wait("one"))
    assert waits[:FREE] == [0.0, 0.0, 2.0]
    assert waits[FREE:] == [4.0, 8.0, 16.0, 32.0, *[LONGEST_SECONDS] * 4]
    assert attempts.wait("two") == 0.0
    now[0] = LONGEST_SECONDS - 1
    assert attempts.wait("one") == 1.0
    now[0] = FORGOTTEN_SECONDS + 1
    attempts.wrong("one")
    assert attempts.wait("one") == 0.0
    for number in range(MOST_SENDERS):
        attempts.wrong(f"sender {number}")
    assert len(attempts._records) == MOST_SENDERS


def test_guests_together_keep_no_more_than_the_lab_takes() -> None:
    allowance, most = Allowance(), MOST_UPLOADED["guest"]
    for number in range(MOST_OF_GUESTS // most):
        allowance.stays[f"tab {number}"] = Stay(Visitor("guest", f"{number}"))
        allowance.reserve(f"tab {number}", "file", most)
    allowance.stays["late"] = Stay(Visitor("guest", "late"))
    with pytest.raises(TooMuch, match="guests have uploaded as much as this lab keeps"):
        allowance.reserve("late", "file", MEGABYTE)
    allowance.release("tab 0", "file")
    allowance.reserve("late", "file", MEGABYTE)


@pytest.mark.parametrize("role", ["host", "guest"])
def test_a_guest_says_what_a_browser_says_and_the_host_everything(role: Role) -> None:
    kinds = [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]
    messages: list[Message] = []
    for kind in kinds:
        said = BackMsg()
        field = BackMsg.DESCRIPTOR.fields_by_name[kind]
        if field.message_type is None:
            setattr(said, kind, True if field.cpp_type == field.CPPTYPE_BOOL else "x")
        else:
            getattr(said, kind).SetInParent()
        messages.append({"type": "websocket.receive", "bytes": said.SerializeToString()})
    messages.append({"type": "websocket.disconnect"})
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    async def heard() -> list[str]:
        connection = Connection(Visitor(role, "one"), receive, send, lambda *_: None)
        names = []
        while (message := await connection.receive())["type"] == "websocket.receive":
            names.append(str(BackMsg.FromString(message["bytes"]).WhichOneof("type")))
        return names

    assert asyncio.run(heard()) == [
        kind for kind in kinds if role == "host" or kind in GUESTS_MESSAGES
    ]
