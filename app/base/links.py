"""Links, and what an address restores: `?ws=Mine&run=first&after=3+films&task=2+news`, the same on every page.

The address is the owner of what is being looked at. Of the frame, which all pages share, it is read where it says
something new (`arrive`: a link, Back, a reload) and written when a page has been drawn (`write`); widgets of single
pages are bound to it under their keys. What Streamlit does by itself with widgets of the frame that are bound is to
leave out whatever is a default, which is another tomorrow, and to pass over what a link says of widgets that stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import streamlit as st

FRAMED = ("ws", "run", "after", "task", "lesson")
"""Belong to the frame, and go along from page to page."""
TAKEN_ALONG = ("present", "text")
"""Go along too; they are read from the address alone."""
ASKED = "asked"
"""In the session: what an address that was followed says of the frame; `app.shell.frame` takes it up."""
SHOWN = "shown"
"""In the session: what the frame shows, as an address says it."""
TURNED = "turned"
"""In the session: whether this is the first drawing of a page that was turned to."""
LEAVING = "leaving"
"""In the address while `st.switch_page` leads to another page, for `app.shell.history`."""
READ, WRITTEN = "address-read", "address-written"
PINNED = "pin"
"""Once for each sample that is kept beside the one that is looked at; `app.sample.pinned` reads and writes it."""
PINS_ASKED = "pins-asked"
"""In the session: the pins of an address that was followed; `app.sample.pinned` takes them up."""
PINS_READ, PINS_WRITTEN = "pins-read", "pins-written"
FORMER = {
    "by": {"all alike": "uniform"},
    "color": {"Chosen adapter": "Top-1 adapter", "Right or wrong": "Prediction"},
    "only": {
        "wrong answers": "wrong predictions",
        "wrong route, right answer": "wrong route, right prediction",
        "right route, wrong answer": "right route, wrong prediction",
    },
}
"""What menus called their options when some addresses were written, by name in the address: these still lead there."""


def arrive(page: str) -> None:
    """Takes over what the address says of the frame, where it says something new; before the frame is drawn.

    On another page the address is always right. On the same one it is where it is neither what came the last time nor
    what was written then: a message that is still on its way to the browser would turn back what was just chosen.

    Args:
        page: which page is drawn now, as in addresses.
    """
    if LEAVING in st.query_params:
        del st.query_params[LEAVING]
    given = {name: st.query_params[name] for name in FRAMED if name in st.query_params}
    last_addresses = (st.session_state.get(READ), st.session_state.get(WRITTEN))
    st.session_state[TURNED] = st.session_state.get("page") != page
    if given and (st.session_state[TURNED] or given not in last_addresses):
        st.session_state[ASKED] = given
    st.session_state[READ] = given
    for name, labels in FORMER.items():
        label = labels.get(st.query_params.get(name, ""))
        if label is not None and st.session_state[TURNED]:
            st.session_state[name] = label
    pins = st.query_params.get_all(PINNED)
    last_pins = (st.session_state.get(PINS_READ), st.session_state.get(PINS_WRITTEN))
    if page == "sample" and pins and (st.session_state[TURNED] or pins not in last_pins):
        st.session_state[PINS_ASKED] = pins
    st.session_state[PINS_READ] = pins
    st.session_state["page"] = page


def write(shown: dict[str, str]) -> None:
    """Has the address say what the frame shows; all of it, so that what is the default today is still named tomorrow.

    Args:
        shown: by name, of `FRAMED`.
    """
    st.session_state[WRITTEN] = shown
    for name in FRAMED:
        if name not in shown and name in st.query_params:
            del st.query_params[name]
    if any(st.query_params.get(name) != value for name, value in shown.items()):
        st.query_params.update(shown)


def write_pins(pins: list[str]) -> None:
    """Has the address name what is pinned in the run that is shown."""
    st.session_state[PINS_WRITTEN] = pins
    if pins:
        if st.query_params.get_all(PINNED) != pins:
            st.query_params[PINNED] = pins
    elif PINNED in st.query_params:
        del st.query_params[PINNED]


def here(**changed: Any) -> dict[str, str]:
    """What restores this page as it is, with some of it changed; None leaves one out."""
    now: dict[str, Any] = {
        name: st.query_params.get_all(name) for name in st.query_params if name not in FRAMED
    }
    # A list of which nothing is chosen has no value in the address.
    now = {name: values if len(values) > 1 else values[0] for name, values in now.items() if values}
    now.update(st.session_state.get(WRITTEN, {}))
    now.update(changed)
    return {name: value for name, value in now.items() if value is not None}


def carried(**changed: Any) -> dict[str, str]:
    """What a link to another page says: the frame as it is, and what is to be otherwise there; None leaves one out.

    The stage and the highlighted task belong to the run: they go along with it alone.
    """
    shown: dict[str, Any] = dict(st.session_state.get(SHOWN, {}))
    if any(changed.get(name, shown.get(name)) != shown.get(name) for name in ("ws", "run")):
        shown.pop("after", None)
        shown.pop("task", None)
        if changed.get("ws", shown.get("ws")) != shown.get("ws"):
            shown.pop("run", None)
    kept = {name: st.query_params.get(name) for name in TAKEN_ALONG}
    now = {**shown, **kept, **changed}
    return {name: str(value) for name, value in now.items() if value is not None}


def turn_to(page: str, **changed: Any) -> NoReturn:
    """Leads to another page, as a link there would that was drawn this very moment.

    A link beside a field leads to what the field said in the drawing before: a button that does this does not.

    Args:
        page: as in addresses.
        changed: as of `carried`.
    """
    st.switch_page(
        st.session_state["pages"][page], query_params=carried(**changed, **{LEAVING: "1"})
    )


def address() -> str:
    """The link that restores this page as it is now: scheme, host and port as the visitor's browser has them."""
    query = urlencode(here(), doseq=True)
    return f"{_origin()}/{st.session_state['page']}?{query}"


def _origin() -> str:
    """Up to the page's name, without a slash at its end; "" where nobody says how the server is reached."""
    url = st.context.url
    if url:  # with the path under which a proxy may have put the lab
        page = st.session_state["page"]
        return url.removesuffix("/").removesuffix(f"/{page}" if page else "")
    host = st.context.headers.get("Host")
    origin = urlsplit(st.context.headers.get("Origin") or "")
    return f"{origin.scheme or 'http'}://{host}" if host else ""


def settle(key: str, options: Sequence[str], default: str) -> None:
    """Gives a bound menu that has no default of its own what the address says, else this one.

    A bound widget leaves its default out of the address. Where the default may be another tomorrow (the newest job) a
    copied link would then show something else: so the value is set, and from the next rerun on the address names it.
    """
    asked, now = st.query_params.get(key), st.session_state.get(key)
    if now is None or (asked is not None and st.session_state.get(TURNED)):
        now = asked  # what a link to the page says is right, whatever was chosen there before
    st.session_state[key] = now if now in options else default
