"""Pieces of HTML that the report of a run is made of; whatever comes from data is escaped here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from app.figures.standalone import SCROLLED, colours

__all__ = ["STYLE", "escape", "facts", "folded", "heading", "sample", "sentence", "source", "table"]

STYLE = (
    f"{colours()}\n{SCROLLED}"
    + """
body {margin: 0 auto; max-width: 1080px; padding: 1.5rem; background: var(--paper); color: var(--text);
  font: 16px/1.5 "Source Sans 3", "Source Sans Pro", system-ui, sans-serif}
h1 {margin: 0 0 .2em; font-size: 2rem} h2 {margin: 2.2em 0 .3em; font-size: 1.4rem}
p {max-width: 72ch} p.source {max-width: none; font-size: 14px; opacity: .8; margin: .3em 0 1em}
table {border-collapse: collapse; font-size: 15px; margin: .5em 0}
th, td {padding: .3em .8em .3em 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--faint)}
td.number, th.number {text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums}
summary {cursor: pointer; font-size: 15px}
article {border-left: 4px solid var(--faint); padding: .1em 0 .1em 1em; margin: 1em 0}
article .text {white-space: pre-wrap; overflow-wrap: anywhere; margin: .2em 0}
article img {max-height: 120px; max-width: 100%; margin-right: .4em}
dl {display: grid; grid-template-columns: max-content 1fr; gap: .15em 1.2em; margin: .6em 0}
dt {opacity: .8} dd {margin: 0; overflow-wrap: anywhere}
code {font-size: 14px; overflow-wrap: anywhere}
@media print {details > * {display: block}}
"""
)
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?( (%|s|GiB|points|nats))?|-")


def heading(text: str) -> str:
    """A section begins."""
    return f"<h2>{escape(text)}</h2>"


def sentence(text: str) -> str:
    """A paragraph of plain words."""
    return f"<p>{escape(text)}</p>"


def source(text: str) -> str:
    """Where what stands above comes from."""
    return f'<p class="source">{escape(text)}</p>'


def facts(pairs: Mapping[str, str]) -> str:
    """Named values, one below the other."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs.items()
    )
    return f"<dl>{rows}</dl>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], name: str = "") -> str:
    """A table; cells that are numbers stand at the right.

    Args:
        head: of the columns.
        rows: of as many cells.
        name: an id to find it by.
    """
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    mark = f' id="{escape(name)}"' if name else ""
    return (
        f'<div class="scroll"><table{mark}><thead><tr>{cells}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def folded(title: str, inner: str) -> str:
    """What opens with a click.

    Args:
        title: as text.
        inner: HTML.
    """
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"


def sample(title: str, text: str, pictures: Sequence[str], pairs: Mapping[str, str]) -> str:
    """One sample with what became of it.

    Args:
        title: its id.
        text: as it is.
        pictures: base64 of PNG files.
        pairs: named values.
    """
    seen = "".join(
        f'<img alt="picture {index + 1}" src="data:image/png;base64,{escape(picture)}">'
        for index, picture in enumerate(pictures)
    )
    return (
        f'<article><code>{escape(title)}</code><p class="text">{escape(text)}</p>{seen}{facts(pairs)}'
        "</article>"
    )


def _cell(text: str) -> str:
    number = _NUMBER.fullmatch(text)
    return f'<td class="number">{escape(text)}</td>' if number else f"<td>{escape(text)}</td>"
