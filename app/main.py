"""The lab in the browser: `adapter-lab app`, or `streamlit run app/main.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Streamlit puts this file's folder there, not the one above it
    sys.path.insert(0, str(ROOT))

# E402: the root is on the path only now.
from app.base import links, theme  # noqa: E402
from app.base.banner import banner  # noqa: E402
from app.base.navigation import PAGES  # noqa: E402
from app.base.widget_values import refuse_nonsense  # noqa: E402
from app.data.runs import listed_once  # noqa: E402
from app.shell import actions, frame, history, preferences  # noqa: E402

st.set_page_config(
    page_title="Adapter Lab", page_icon=str(ROOT / "app" / "icon.png"), layout="wide"
)
refuse_nonsense()
history.keep()
preferences.restore()
actions.arrive()
pages = {
    row.name: st.Page(
        ROOT / "pages" / f"{row.name}.py",
        title=row.title,
        icon=row.icon,
        url_path=row.name,
        default=row is PAGES[0],
    )
    for row in PAGES
}
st.session_state["pages"] = pages
page = st.navigation(
    list(pages.values()), position="hidden" if theme.presenting() else "sidebar", expanded=True
)
links.arrive(page.url_path)
with banner(), listed_once():
    frame.surround(page.url_path)
    try:
        with banner():
            if not frame.says_what_is_missing(page.url_path or "start", page.title):
                page.run()
    finally:  # pages that have nothing to show stop early
        frame.finish()
        actions.settle()
