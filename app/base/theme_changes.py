"""What is drawn in the colours of a theme is drawn anew when the system's theme changes.

Streamlit changes its own colours then and asks the server for nothing (seen in 1.67): figures, and what stands on them,
would keep the ink of the theme before, which is hard to read on the new one's paper.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from streamlit.components.v2 import component

from app.base.theme import Look

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "theme-changes"
"""Of what notices them, which is not seen on the page."""
NOTICE = """
let said = null;
export default function ({data, setTriggerValue}) {
  const app = document.querySelector('[data-testid="stApp"]');
  app.dataset.drawnFor = data.drawn;
  const compare = () => {
    const shown = getComputedStyle(app).colorScheme;
    if (shown === data.drawn) said = null;
    else if (shown !== said) setTriggerValue('theme', said = shown);
  };
  const changes = new MutationObserver(compare);
  changes.observe(app, {attributes: true, attributeFilter: ['class']});
  compare();  // it may have changed while the page was on its way
  return () => changes.disconnect();
}
"""
"""Says a theme once, until it is drawn: a server that does not hear of it is not asked without end."""


def follow(look: Look) -> None:
    """Has the page drawn anew as soon as the browser shows another theme than the one that it is drawn for.

    Args:
        look: the one that it is drawn for.
    """
    _component()(key=KEY, data={"drawn": look.name}, on_theme_change=_drawn_anew)


def _drawn_anew() -> None:
    """Nothing more: whatever a component says has the page drawn."""


@cache
def _component() -> ComponentRenderer:
    return component("adapter-lab-theme-changes", js=NOTICE)
