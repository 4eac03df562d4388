"""Figures in files that open by themselves: plotly.js is in the file, and nothing is asked of any host."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from app.base.styles import BUTTONS, LIT, MORE
from app.base.theme import DARK, LIGHT, Look
from app.figures.base import least_width

DRAW = """
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function draw() {
  for (const [name, looks] of Object.entries(figures)) {
    const figure = looks[dark.matches && looks.dark ? "dark" : "light"] || looks.dark;
    Plotly.react(name, figure.data, figure.layout, {
      displaylogo: false, responsive: true, toImageButtonOptions: {format: "svg", filename: name}
    });
  }
}
dark.addEventListener("change", draw);
draw();
"""
"""Draws every figure in the theme that the reader's system asks for."""

SCROLLED = f".scroll {{overflow-x: auto; {MORE}}}"
"""CSS of what is scrolled within its own box; it needs `--paper`."""


def document(
    title: str, body: str, figures: Mapping[str, Mapping[str, go.Figure]], style: str = ""
) -> str:
    """A whole HTML page.

    The page forbids itself every request and every script but its own two, so that even text that got past the escaping
    could neither run nor fetch anything.

    Args:
        title: as it is; it is escaped here.
        body: HTML, in which `placeholder` has made room for each figure.
        figures: by name: under "light", "dark" or both.
        style: CSS.
    """
    scripts = (_plotlyjs(), DRAW)
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    kinds = [
        trace.type
        for looks in figures.values()
        for figure in looks.values()
        for trace in figure.data
    ]
    if any(kind.endswith("gl") for kind in kinds):
        allowed += " 'unsafe-eval'"  # plotly.js compiles what it draws with WebGL
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    drawn = {
        name: {look: json.loads(figure.to_json()) for look, figure in looks.items()}
        for name, looks in figures.items()
    }
    # "<" could end the element; inside JSON it only stands in strings.
    data = json.dumps(drawn).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n"
        f'<script type="application/json" id="figures">{data}</script>\n'
        + "\n".join(f"<script>{script}</script>" for script in scripts)
        + "\n</body>\n</html>\n"
    )


def placeholder(name: str, figure: go.Figure, alt: str) -> str:
    """Room for a figure in a page's body, as high as the figure so that nothing jumps.

    It is as wide as the figure needs at least, and is scrolled within its own box where there is less room.

    Args:
        name: of the figure.
        figure: as it will be drawn there.
        alt: what it says, for those who do not see it.
    """
    height, least = int(figure.layout.height or 450), least_width(figure)
    return (
        f'<div class="figure scroll"><div id="{escape(name)}" role="img" aria-label="{escape(alt)}" '
        f'style="height:{height}px;min-width:{least}px"></div></div>'
    )


def alone(name: str, figure: go.Figure, look: Look, alt: str, source: str) -> bytes:
    """One figure as a page, on the paper of the theme that it was drawn for.

    Args:
        name: of its file.
        figure: with its colours.
        look: the theme that these are of.
        alt: what it says.
        source: run, stage and number of samples.
    """
    style = (
        f":root {{--paper:{look.paper};--lit:{LIT[look.name]}}} {SCROLLED} {BUTTONS} "
        f"body {{margin:1rem;background:var(--paper);color:{look.text};font:{look.size}px sans-serif}}"
    )
    body = placeholder(name, figure, alt) + f"<p>{escape(source)}</p>"
    return document(name, body, {name: {look.name: figure}}, style).encode()


def colours() -> str:
    """CSS variables of both themes: --paper, --text, --faint."""
    sets = {
        look.name: f"--paper:{look.paper};--text:{look.text};--faint:{look.faint}"
        for look in (LIGHT, DARK)
    }
    return (
        f":root{{{sets['light']}}}\n@media (prefers-color-scheme: dark){{:root{{{sets['dark']}}}}}"
    )


@cache
def _plotlyjs() -> str:
    """With the line ends that a browser makes of it, or its digest would not be that of what runs."""
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _digest(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()
