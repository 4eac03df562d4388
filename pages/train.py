"""The page Train, of jobs and the form of a new run: what is being learnt now, and what should be next?"""

from __future__ import annotations

import streamlit as st

from app.base import links
from app.data.runs import workspace
from app.shell import frame
from app.train.new_run import new_run
from app.train.train_jobs import jobs_view
from cl_core.jobs.job import ACTIVE
from cl_core.jobs.queue import Jobs

view = frame.draw("Train")
mine = workspace("Mine")

jobs = Jobs(mine).all()
busy = any(job.state in ACTIVE for job in jobs)
views = ("New run", "Jobs")
links.settle("show", views, views[busy])
shown = st.segmented_control(
    "Show",
    views,
    required=True,
    key="show",
    bind="query-params",
    label_visibility="collapsed",
)
if shown == "Jobs":
    jobs_view(view, mine)
else:
    if view.workspace == "Demonstration":
        st.caption(
            "The demonstration is read-only: new runs go into your own workspace, and its runs are copied there first."
        )
    new_run(mine, view.lesson)
