"""What this lab is set to, for every visitor and until it is changed: kept as `preferences.json` in the workspace."""

from __future__ import annotations

import os

import streamlit as st

from app.data.runs import workspace
from app.serving.rights import check_host
from app.shell.sharing import is_guest
from cl_core.bounded_files import read_json
from cl_core.limits import TooLarge
from cl_core.store import write_json

OFFLINE_VARIABLE = "HF_HUB_OFFLINE"
"""The hub's own switch; jobs and workers inherit it from the server."""
FILE = "preferences.json"


def offline() -> bool:
    """Whether jobs that are started now may not ask the hub."""
    return os.environ.get(OFFLINE_VARIABLE, "").upper() in ("1", "ON", "YES", "TRUE")


def set_offline(on: bool) -> None:
    """Sets it for this server and for those to come."""
    check_host()
    if on:
        os.environ[OFFLINE_VARIABLE] = "1"
    else:
        os.environ.pop(OFFLINE_VARIABLE, None)
    root = workspace("Mine").root
    root.mkdir(parents=True, exist_ok=True)
    write_json(root / FILE, {"offline": on})


def take_offline() -> None:
    """What the switch of this name says, which was just turned."""
    if not is_guest():
        set_offline(bool(st.session_state["offline"]))


@st.cache_resource(show_spinner=False)
def restore() -> None:
    """Once for each server: what was set before. A server that was started offline stays so."""
    try:
        kept = read_json(workspace("Mine").root / FILE)
    except (OSError, ValueError, TooLarge):
        return
    if isinstance(kept, dict) and kept.get("offline") is True:
        os.environ[OFFLINE_VARIABLE] = "1"
