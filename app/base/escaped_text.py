"""Text from data on its way to the screen: never markup."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")


def plain(text: str) -> str:
    """The text for a place that reads Markdown, with whatever could be markup escaped."""
    return _MARKUP.sub(r"\\\1", text)
