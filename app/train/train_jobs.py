"""The queue of training jobs, the one that is looked at, and what can be done with it."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.base import links
from app.base.escaped_text import as_label, plain
from app.base.popovers import closed, popover
from app.data.stream_edits import free_name
from app.data.training import STATES, STILL
from app.data.view import View
from app.serving.rights import check_host
from app.shell import actions, not_found, run_notes
from app.shell.proposals import proposed
from app.shell.sharing import is_guest
from app.train.job_view import curves, ending, heading, matrix, position
from app.train.new_run import bad_seed, change, seed_field
from cl_core.errors import UserError
from cl_core.jobs.job import ACTIVE, Job, State
from cl_core.jobs.queue import Jobs
from cl_core.runs.progress import read_progress
from cl_core.runs.run_config import RunConfig
from cl_core.runs.workspace import Workspace

AGAIN = "again"
"""Key of the popover."""


def newest(jobs: Jobs) -> list[Job]:
    """The newest job of every run, the newest first."""
    by_run: dict[str, Job] = {}
    for job in reversed(jobs.all()):
        by_run.setdefault(job.request.run, job)
    return list(by_run.values())


def jobs_view(view: View, workspace: Workspace) -> None:
    """Left the queue, right the job that is looked at; asked again each second while something runs."""
    listed = newest(Jobs(workspace))
    asked = st.query_params.get("job")
    names = [job.request.run for job in listed]
    if not_found.unknown("job", asked in names):
        not_found.of_page("train", "job", "There is no job {}.", str(asked), names, show="Jobs")
        return
    if asked is not None and asked not in names:
        st.warning(f"There is no job {plain(repr(asked))}.", icon=":material/link_off:")
    if not listed:
        with st.container(border=True):
            st.markdown("Nothing has been trained from here yet.")
            if actions.pressed("Configure a run", "put-together", icon=":material/arrow_forward:"):
                actions.then(show="New run")
        return
    left, right = st.columns([1, 4], gap="medium")
    states = _states(listed)
    with left:
        links.settle("job", names, names[0])
        chosen = st.radio(
            "Jobs, the newest first",
            names,
            None,
            captions=[f"{icon} {words}" for words, icon in states.values()],
            format_func=as_label,
            key="job",
            bind="query-params",
        )
    job = listed[names.index(chosen or names[0])]
    with right:
        if any(job.state in ACTIVE for job in listed):
            _watch(view, workspace, job, states)
        else:
            _show(view, job)


def _states(jobs: list[Job]) -> dict[str, tuple[str, str]]:
    """What the state of each is called in the list, and its icon, by the run's name."""
    return {job.request.run: (STILL if job.standstill else STATES[job.state])[:2] for job in jobs}


@st.fragment(run_every=1)
def _watch(view: View, workspace: Workspace, job: Job, states: dict[str, tuple[str, str]]) -> None:
    """Shows a job each second; where the state of any has changed, the whole page is drawn once more."""
    jobs = Jobs(workspace)
    if not is_guest():
        jobs.wake()
    if _states(newest(jobs)) != states:
        st.rerun()
    _show(view, job)


def _show(view: View, job: Job) -> None:
    request, state = job.request, job.state
    run = job.workspace.run(request.run)
    config = _config(job)
    progress = read_progress(config, run.events) if config is not None else None
    heading(job, state, config)
    with st.empty():
        if state == "damaged" or (run.exists and run.fault):
            st.error(plain(f"Its run is damaged: {run.fault}"), icon=":material/broken_image:")
    # What may be missing has a place of its own, so that the one of the job before goes at once, not after the figures.
    with st.empty():
        begun = state != "running" or job.carried_out
        position(job, state, progress if begun else None)
    _actions(job, state, run.path.joinpath("scores.parquet").is_file())
    with st.empty():
        ending(job, state)
    if config is not None and progress is not None:
        if progress.warnings:
            count = len(progress.warnings)
            with st.expander(f"Warnings ({count})", icon=":material/info:", key="warnings"):
                for warning in progress.warnings:
                    st.text(warning)
        run_notes.draw_cautions(config)
        curves(view, state, config, progress)
        matrix(view, config, progress)
    log = st.expander("Log", icon=":material/terminal:", expanded=state == "failed")
    with log.container(height=260, autoscroll=True, border=False):  # the last lines are the news
        st.code(job.log() or "Nothing has been said yet.", language=None)


def _actions(job: Job, state: State, scored: bool) -> None:
    """What can be done with a job, and where its results are; beneath it, what was refused."""
    row, said = st.container(horizontal=True, vertical_alignment="center"), st.container()
    with row:
        if not is_guest():
            _steer(job, state, said)
        if scored:
            st.page_link(
                st.session_state["pages"]["forgetting"],
                label="See what was forgotten",
                icon=":material/grid_on:",
                query_params=links.carried(ws="Mine", run=job.request.run, after=None, task=None),
            )


def _steer(job: Job, state: State, said: DeltaGenerator) -> None:
    """Stop, go on, run again, change, remove: not for guests."""
    jobs = Jobs(job.workspace)
    pressed = partial(actions.pressed, of=job.id, said=said)
    if state in ACTIVE:
        words = "Cancel" if state == "queued" else "Stop"
        meaning = "It stops at its next step and keeps what it has; it can be resumed later"
        if pressed(words, "stop", icon=":material/stop_circle:", help=meaning):
            if job.stop_asked:
                actions.refuse("stop", "It was asked to stop already, and will after this step.")
            with actions.answering("stop"):
                check_host()
                job.stop()
            st.rerun()
    elif state != "finished":
        meaning, icon = "From its last checkpoint", ":material/play_arrow:"
        if pressed("Resume", "go-on", help=meaning, type="primary", icon=icon):
            with actions.answering("go-on"):
                check_host()
                jobs.again(job)
            st.rerun()
    with popover("Run again", AGAIN, ":material/replay:"):
        _again(job)
    if pressed("Change the settings", "change", icon=":material/tune:"):
        actions.then(**change(job))
    if state not in ACTIVE:
        meaning = "The run itself stays"
        if pressed("Remove from the list", "remove", icon=":material/delete:", help=meaning):
            with actions.answering("remove"):
                check_host()
                # Earlier attempts at the same run are not shown, and go with it.
                for attempt in jobs.all():
                    if attempt.request.run == job.request.run:
                        jobs.remove(attempt)
            actions.then(job=actions.GONE)


def _again(job: Job) -> None:
    """The same settings under another name, with this seed or another one."""
    taken = {run.name for run in job.workspace.runs()}
    taken |= {other.request.run for other in Jobs(job.workspace).all()}
    key = "again-start"
    with st.form(f"again-{job.id}", border=False, enter_to_submit=False):
        proposal = free_name(job.request.run, taken)
        name = proposed("Name of the new run", proposal, f"again-name-{job.id}")
        seed = seed_field(f"again-seed-{job.id}", job.request.seed)
        st.caption(
            "With the same seed nothing is computed again; another one shows how much is chance."
        )
        draw = st.form_submit_button
        if not actions.pressed("Run again", key, of=job.id, draw=draw, type="primary"):
            return
    if name in taken:
        actions.refuse(key, f"There is a run or a job '{name}' already: choose another name.")
    if seed is None or bad_seed(seed):
        actions.refuse(key, f"{bad_seed(seed)[0]}.")
    with actions.answering(key):
        check_host()
        Jobs(job.workspace).again(job, run=name, seed=seed)
    actions.then(job=name, **closed(AGAIN))


def _config(job: Job) -> RunConfig | None:
    """None before the run has begun, or where its folder is gone or damaged."""
    run = job.workspace.run(job.request.run)
    try:
        return run.config if run.exists and not run.fault else None
    except UserError:
        return None
