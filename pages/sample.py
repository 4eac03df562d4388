"""The page Sample, of one prediction: how was this sample answered?"""

from __future__ import annotations

import streamlit as st

from app.base.escaped_text import plain
from app.data import answer_client
from app.sample import nearest, sample_merge
from app.sample.sample_choice import choose
from app.shell import frame, widgets
from app.workers.process import WorkerFailed
from cl_core.errors import UserError

view = frame.draw("How was this sample answered?")
run = widgets.must_be_scored(view)

config = run.config
answer_client.worker()
try:
    with st.spinner("Loading the model…", show_time=True):
        chosen = choose(view, config)
        shown = None if chosen is None else answer_client.shown(view, chosen.sample)
except (UserError, WorkerFailed) as error:
    st.error(plain(str(error)))
    st.stop()

if chosen is None or shown is None:
    st.stop()  # not while the spinner turns: it would never end
sample_merge.draw(view, config, chosen, shown)
nearest.draw(view, chosen, bool(shown["clip"]))
