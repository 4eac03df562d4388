"""The browser's history: one entry for each page that was visited, whose address says what was shown there.

Streamlit makes an entry of every message in which the server changes the address (seen in 1.67: nine for three pages),
and the last of the page that is left says what the next page was asked for: *Back* then leads to views that nobody saw.
So changes on a page are written into its entry, and those on the way to another page into that page's alone.
"""

from __future__ import annotations

import streamlit as st

KEEPER = """<script>
if (!window.adapterLabHistory) {
  window.adapterLabHistory = true;
  const push = history.pushState.bind(history);
  let leaving = false;  // on the way to another page: whatever is said of the address is that page's
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link.target === '_blank') return;
    const to = new URL(link.href, location.href);
    if (to.origin === location.origin && to.pathname !== location.pathname) leaving = true;
  }, true);
  window.addEventListener('popstate', () => { leaving = false; });
  history.pushState = (state, title, url) => {
    const to = new URL(url, location.href);
    if (to.pathname !== location.pathname) {
      leaving = false;
      push(state, title, url);
    } else if (to.searchParams.has('leaving')) {
      leaving = true;
    } else if (!leaving) {
      history.replaceState(state, title, url);
    }
  };
}
</script>"""


def keep() -> None:
    """Sees to it, in the browser, once for each tab; before anything else of the page is sent."""
    st.html(KEEPER, unsafe_allow_javascript=True)
