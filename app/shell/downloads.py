"""Downloads, made of what the page says at the moment of the click.

Streamlit's own download button holds what it was drawn with, a function as well as bytes: what was chosen since would
not be in the file. So a click has the page drawn, and that drawing hands the file to the browser.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Hashable

from streamlit.delta_generator import DeltaGenerator

from app.shell import actions

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
