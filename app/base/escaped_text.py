"""Text from outside on its way to the screen: never markup, and never a link that nobody made.

Streamlit reads Markdown, and then looks in what is left for addresses, for names of emoji and icons between colons, and
for arrows of two letters: no backslash keeps it from those, a character without width between their letters does.
"""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")
_LIVE = re.compile(
    r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=[\w.+-]@)(?=\w)|(?<=:)(?=[\w+-][\w/+-]*:)", re.IGNORECASE
)
"""Where addresses and names of emoji and icons are cut in two."""
_ARROW = re.compile(r"(?:(?<=\s)|^)(<->|<-|->|--|>=|<=|~=)(?=\s|$)")
"""Signs between spaces of which Streamlit makes one letter."""
_APART = "\u2060"
_DOUBTFUL = re.compile(
    r"[\\`*_{}\[\]<>#|~$:&!@\n]|www\.|--|[~]=|^\s*(?:[-+=.]|\d+[.)])", re.IGNORECASE
)
"""What may be markup within a line, or at its beginning."""


def plain(text: str) -> str:
    """The text for a place that reads Markdown, with whatever could be markup escaped."""
    apart = _ARROW.sub(lambda sign: f"{sign[0][0]}{_APART}{sign[0][1:]}", _LIVE.sub(_APART, text))
    return _MARKUP.sub(r"\\\1", apart)


def as_label(name: str) -> str:
    """A name or a line of them for a place that reads Markdown: itself where nothing could be markup, else `plain`.

    >>> as_label("how-often"), as_label("*how*")
    ('how-often', '\\\\*how\\\\*')
    """
    return plain(name) if _DOUBTFUL.search(name) else name
