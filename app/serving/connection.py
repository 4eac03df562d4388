"""One websocket of a visitor as the gate looks into it: which session it is, and what a guest may say."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import DecodeError
from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.serving.visitors import Visitor

GUESTS_MESSAGES = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat")
"""What a browser says of itself. The others clear everybody's caches, or are for developers."""
GUESTS_OPERATIONS = ("deferred_file", "dataframe_chunk")
"""What a browser has the server do beside the page: a file that is made at the click, further rows of a long table.

Both are of what the visitor's own page has, under names that nobody can guess. The others write to this machine.
"""
MOST_GUEST_BYTES = 4 * 2**20
"""Of a message; the longest that a page sends is what was pinned or selected there."""
TOO_BIG = 1009


class Connection:
    """Stands between a visitor and Streamlit.

    Args:
        visitor: who.
        receive: from the visitor.
        send: to the visitor.
        arrived: called once, with the session that the server has given or given back.
    """

    def __init__(
        self,
        visitor: Visitor,
        receive: Receive,
        send: Send,
        arrived: Callable[[Visitor, str], None],
    ) -> None:
        self._visitor, self._receive, self._send, self._arrived = visitor, receive, send, arrived
        self.session = ""

    async def receive(self) -> Message:
        """The next message that may be heard."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive" or self._visitor.role == "host":
                return message
            said = message.get("bytes") or b""
            if len(said) > MOST_GUEST_BYTES:
                await self._send({"type": "websocket.close", "code": TOO_BIG})
                return {"type": "websocket.disconnect", "code": TOO_BIG}
            try:
                heard = _is_heard(BackMsg.FromString(said))
            except DecodeError:  # Streamlit closes the connection
                return message
            if heard:
                return message

    async def send(self, message: Message) -> None:
        """Passes on what the server says, and hears of the session from it."""
        if not self.session and message["type"] == "websocket.send" and message.get("bytes"):
            said = ForwardMsg.FromString(message["bytes"])
            if said.WhichOneof("type") == "new_session":
                self.session = said.new_session.initialize.session_id
                self._arrived(self._visitor, self.session)
        await self._send(message)


def _is_heard(said: BackMsg) -> bool:
    """Whether a guest may say it."""
    kind = said.WhichOneof("type")
    if kind == "backend_operation_request":
        return said.backend_operation_request.WhichOneof("payload") in GUESTS_OPERATIONS
    return kind in GUESTS_MESSAGES
