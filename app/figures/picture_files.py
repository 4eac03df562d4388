"""A figure as PNG, SVG and PDF, made in the visitor's browser of what stands there: nothing is computed by the server.

The scripts are fetched when a button is pressed, from this server alone; they lie in `pictures`, plotly.js in its own
package.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import plotly
import streamlit as st
from plotly.offline import get_plotlyjs_version
from streamlit.components.v1 import declare_component
from streamlit.components.v2 import component

from app.base.theme import Look

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).with_name("pictures")
PLOTLY = Path(plotly.__file__).with_name("package_data")
BEGIN = """
export default function (component) {
  const { buttons, pictures } = component.data;
  const at = (address) => new URL(address, document.baseURI).href;
  import(at(buttons)).then((module) => module.show(component, at(pictures)));
}
"""
"""Stands in the page once for each figure, and so is no more than the way to the rest."""


def buttons(key: str, look: Look, alt: str, source: str) -> None:
    """Three buttons, each of which gives the figure as it stands on the page: zoomed, and with what is hidden hidden.

    Args:
        key: of the figure, which `figure-` begins on the page, and the name of the files.
        look: the theme that the figure is drawn for, which gives its paper.
        alt: what the figure says.
        source: run, stage and number of samples.
    """
    scripts, plotlyjs = _served()
    _component()(
        key=f"pictures-{key}",
        width="content",
        data={
            "key": key,
            "paper": look.paper,
            "alt": alt,
            "source": source,
            "buttons": f"{scripts}/buttons.js",
            "pictures": f"{scripts}/pictures.js",
            "plotly": f"{plotlyjs}/plotly.min.js",
        },
    )


@cache
def _component() -> ComponentRenderer:
    return component("adapter-lab-pictures", js=BEGIN)


@cache
def _served() -> tuple[str, str]:
    """Addresses of the two folders; a name of their own for each version, for browsers keep what they have fetched.

    A component of Streamlit's first kind is a folder that the server gives out. These two are never drawn.
    """
    scripts = b"".join(file.read_bytes() for file in sorted(FOLDER.glob("*.js")))
    version = sha256(scripts).hexdigest()[:8]
    base = f"/{st.get_option('server.baseUrlPath').strip('/')}/component/".replace("//", "/")
    return (
        base + declare_component(f"pictures-{version}", path=FOLDER).name,
        base + declare_component(f"plotly-{get_plotlyjs_version()}", path=PLOTLY).name,
    )
