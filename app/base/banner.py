"""What a page says where it cannot go on: the user's mistake or the system's fault, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.base.escaped_text import plain
from cl_core.errors import UserError
from cl_core.system_faults import explained


@contextmanager
def banner() -> Iterator[None]:
    """Draws what ended a part of a page; any other error is the lab's own, and goes on."""
    try:
        yield
    except UserError as error:  # such as a file of a run that is damaged within
        st.error(plain(str(error)), icon=":material/error:")
    except Exception as error:
        said = explained(error)
        if not said:
            raise
        st.error(plain(said), icon=":material/error:")
