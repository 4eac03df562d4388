"""Text from data, names and logs, made harmless where Streamlit would read Markdown."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """The text as it is, whatever marks it holds: no emphasis, links, pictures, formulas, colours or icons."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", text)
