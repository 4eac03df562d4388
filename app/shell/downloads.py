"""Downloads: of what the page says at the moment of the click, or of what stands beside the button.

Streamlit's own download button holds what it was drawn with, a function as well as bytes: what was chosen since would
not be in the file. So a click on `offer` has the page drawn, and that drawing hands the file to the browser. `hold` is
Streamlit's button, for what no field beside it changes. Where its file cannot be made, the sentence says why.
"""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Hashable
from io import BufferedReader

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, DeferredFileResponsePayload
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_storage import MediaFileStorageError

from app.shell import actions
from cl_core.errors import AdapterLabError
from cl_core.system_faults import explained

LOG = logging.getLogger(__name__)
GONE = "The page had changed by the time of this click, so no file was made: reload the page, and press once more."
OTHERWISE = (
    "The file could not be made, for a fault of the lab's own: what it was stands in its terminal."
)

HAND_OVER = """<script>
(() => {
  const bytes = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], {type: %s}));
  link.download = %s;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
})();
</script>"""


def offer(
    label: str,
    key: str,
    make: Callable[[], str | bytes],
    name: str,
    kind: str,
    *,
    room: DeltaGenerator,
    of: Hashable = None,
    help: str | None = None,
) -> None:
    """Draws a button that gives a file, made when it is asked for; of some megabytes at most.

    Args:
        label: of the button.
        key: of the button.
        make: its content, a text or bytes.
        name: of the file.
        kind: its media type.
        room: where what hands it over goes, which is not seen; in the row of the buttons it would take room.
        of: what the file is of, where that may be another by the time of the click, see `actions.pressed`.
        help: what the file is for.
    """
    if not actions.pressed(label, key, of=of, icon=":material/download:", help=help):
        return
    with actions.answering(key):
        file_content = make()
    content = b64encode(
        file_content.encode() if isinstance(file_content, str) else file_content
    ).decode()
    words = [json.dumps(value).replace("<", "\\u003c") for value in (kind, name)]
    room.html(HAND_OVER % (content, *words), unsafe_allow_javascript=True)


def hold(
    label: str,
    key: str,
    make: Callable[[], str | bytes | BufferedReader],
    name: str,
    kind: str,
    *,
    icon: str = ":material/download:",
    help: str | None = None,
) -> None:
    """Draws Streamlit's own button, whose file is made when it is pressed; of any size.

    Args:
        label: of the button.
        key: of the button.
        make: its content, as the button was drawn: a text, bytes or what they are read from.
        name: of the file.
        kind: its media type.
        icon: of the button.
        help: what the file is for.
    """
    # Streamlit answers what fails there itself, with a sentence that says nothing: there is no page to say it on.
    DeferredFileHandler.handle = _answer  # type: ignore[method-assign, assignment]
    st.download_button(label, make, name, kind, key=key, on_click="ignore", icon=icon, help=help)


async def _answer(
    handler: DeferredFileHandler, request: BackendOperationRequest, session_id: str
) -> BackendOperationResponse:
    """In place of Streamlit's: where the file is, or why there is none, which its button then says."""
    manager = handler._get_media_file_mgr()
    try:
        url = await asyncio.to_thread(manager.execute_deferred, request.deferred_file.file_id)
    except Exception as error:  # noqa: BLE001 - which is said
        return BackendOperationResponse(request_id=request.request_id, error_msg=_words(error))
    return BackendOperationResponse(
        request_id=request.request_id, deferred_file=DeferredFileResponsePayload(url=url)
    )


def _words(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, MediaFileStorageError) else error
    if cause is None:
        return GONE
    if said := explained(cause) or (str(cause) if isinstance(cause, AdapterLabError) else ""):
        return said
    LOG.error("a download could not be made", exc_info=cause)
    return OTHERWISE
