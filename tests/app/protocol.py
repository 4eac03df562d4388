"""A visitor who speaks the server's own protocol: what a browser's script says, and whatever else anybody could say.

No button is needed to press it: a message names a widget by its id, and the server cannot see what was on the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.patience import PATIENCE

TRIGGERS = ("button", "download_button", "menu_button")


@dataclass
class Drawn:
    """What a page sent.

    Attributes:
        widgets: id -> kind and what it was sent with.
        texts: everything that is to be read, in order.
        exceptions: what went wrong on the page.
        openable: ids of what draws more once it is opened.
    """

    widgets: dict[str, tuple[str, Any]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    openable: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.texts)

    @property
    def triggers(self) -> list[str]:
        """Ids of all buttons."""
        return [name for name, (kind, _) in self.widgets.items() if kind in TRIGGERS]

    def label(self, name: str) -> str:
        """What a widget is called, and its key."""
        return f"{self.widgets[name][1].label} {name.rpartition('-')[2]}"

    def id_of(self, key: str) -> str:
        """The id of the widget with this key.

        Raises:
            KeyError: there is none; those there are are named.
        """
        for name in self.widgets:
            if name.endswith(f"-{key}"):
                return name
        raise KeyError(f"{key} is none of {sorted(self.widgets)}")

    def has(self, key: str) -> bool:
        """Whether there is a widget with this key."""
        return any(name.endswith(f"-{key}") for name in self.widgets)


class ProtocolVisitor:
    """A session of the server; a context manager.

    Args:
        url: of the server, with the host that the handshake names.
        cookie: as a browser would send it.
        headers: over those of an honest browser: Host, Origin.
        session: to be taken up again; a new one without.
    """

    def __init__(
        self,
        url: str,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
        session: str = "",
    ) -> None:
        said = {"Origin": url, **({"Cookie": cookie} if cookie else {}), **(headers or {})}
        origin, there = said.pop("Origin"), urlsplit(url)
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(
                f"ws://{said.pop('Host', there.netloc)}/_stcore/stream",
                address=(there.hostname, there.port),
                subprotocols=[
                    Subprotocol(part)
                    for part in ("streamlit", *filter(None, [session and "x", session]))
                ],
                origin=Origin(origin) if origin else None,
                additional_headers=said,
                max_size=None,
                proxy=None,
                open_timeout=PATIENCE,
            )
        )
        self.session = ""
        self._page, self._address = "", {"ws": "Mine"}

    def open(self, page: str, **address: str) -> Drawn:
        """Goes to a page."""
        self._page, self._address = page, address
        return self.say()

    def press(self, widget: str) -> Drawn:
        """Presses a button, whether or not it was drawn."""
        return self.say(WidgetState(id=widget, trigger_value=True))

    def say(self, *widgets: WidgetState) -> Drawn:
        """Asks for the page with these widgets as they are said to be, and reads it to its end."""
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string = urlencode(self._address)
        asked.page_name = "" if self._page == "start" else self._page
        asked.context_info.timezone = "UTC"
        asked.widget_states.widgets.extend(widgets)
        self.send(message)
        return self.read()

    def send(self, message: BackMsg) -> None:
        """Sends any message at all."""
        self._socket.send(message.SerializeToString())

    def read(self) -> Drawn:
        """What comes until a page is whole.

        Raises:
            TimeoutError: it does not come.
            ConnectionClosed: the server has closed the connection.
        """
        drawn = Drawn()
        message = ForwardMsg()
        while True:
            message.ParseFromString(self._socket.recv(timeout=PATIENCE, decode=False))
            match message.WhichOneof("type"):
                case "new_session":
                    self.session = message.new_session.initialize.session_id
                case "delta" if message.delta.WhichOneof("type") == "new_element":
                    _note(drawn, message.delta.new_element)
                case "delta" if message.delta.WhichOneof("type") == "add_block":
                    block = message.delta.add_block
                    ids = (block.popover.id, block.expandable.id)
                    drawn.openable += [name for name in ids if name]
                case "script_finished":
                    if message.script_finished in (
                        ForwardMsg.FINISHED_SUCCESSFULLY,
                        ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
                    ):
                        return drawn

    def fetch(self, button: Any, **operation: dict[str, str]) -> Any:
        """What the server answers to the click on a download whose file is made then: an address, or why there is none.

        Args:
            button: as it was drawn.
            operation: another one that a browser may ask for, by its name.
        """
        message = BackMsg()
        asked = message.backend_operation_request
        asked.request_id, asked.session_id = "asked", self.session
        for name, fields in (operation or {"deferred_file": {}}).items():
            getattr(asked, name).SetInParent()
            for field_name, value in fields.items():
                setattr(getattr(asked, name), field_name, value)
        if not operation:
            asked.deferred_file.file_id = button.deferred_file_id
        self.send(message)
        answer = ForwardMsg()
        while answer.WhichOneof("type") != "backend_operation_response":
            answer.ParseFromString(self._socket.recv(timeout=PATIENCE, decode=False))
        return answer.backend_operation_response

    def leave(self) -> None:
        """Closes the connection."""
        self._open.close()

    def __enter__(self) -> ProtocolVisitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()


def _note(drawn: Drawn, element: Any) -> None:
    kind = element.WhichOneof("type")
    part = getattr(element, kind)
    if kind == "exception":
        drawn.exceptions.append(f"{part.type}: {part.message}")
    drawn.texts += [
        str(getattr(part, name)) for name in ("body", "label") if getattr(part, name, "")
    ]
    if getattr(part, "id", ""):
        drawn.widgets[part.id] = kind, type(part).FromString(part.SerializeToString())
