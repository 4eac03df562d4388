"""The queue, the job of it that is looked at, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from app import links
from app.frame import View
from app.job_view import ACTIVE, curves, ending, heading, matrix, position
from app.new_run import change
from app.sharing import is_guest
from app.stream_files import free_name
from app.text import plain
from app.training import STATES
from cl_core.errors import UserError
from cl_core.lab.jobs import Job, Jobs, State
from cl_core.lab.progress import read_progress
from cl_core.lab.workspace import RunConfig, Workspace


def newest(jobs: Jobs) -> list[Job]:
    """The newest job of every run, the newest first."""
    found: dict[str, Job] = {}
    for job in reversed(jobs.all()):
        found.setdefault(job.request.run, job)
    return list(found.values())


def jobs_view(view: View, place: Workspace) -> None:
    """Left the queue, right the job that is looked at; asked again each second while something runs."""
    listed = newest(Jobs(place))
    asked = st.query_params.get("job")
    if asked is not None and asked not in {job.request.run for job in listed}:
        st.warning(f"There is no job {plain(repr(asked))}.", icon=":material/link_off:")
    if not listed:
        with st.container(border=True):
            st.markdown("Nothing has been trained from here yet.")
            st.button("Put a run together", on_click=_turn_to_form, icon=":material/arrow_forward:")
        return
    left, right = st.columns([1, 4], gap="medium")
    states = {job.request.run: job.state for job in listed}
    with left:
        names = list(states)
        links.settle("job", names, names[0])
        chosen = st.radio(
            "Jobs, the newest first",
            names,
            None,
            captions=[f"{STATES[state][1]} {STATES[state][0]}" for state in states.values()],
            key="job",
            bind="query-params",
        )
    job = listed[names.index(chosen or names[0])]
    with right:
        if any(state in ACTIVE for state in states.values()):
            _watch(view, place, job, states)
        else:
            _show(view, job)


@st.fragment(run_every=1)
def _watch(view: View, place: Workspace, job: Job, states: dict[str, State]) -> None:
    """Shows a job each second; where the state of any has changed, the whole page is drawn once more."""
    jobs = Jobs(place)
    jobs.wake()
    if {each.request.run: each.state for each in newest(jobs)} != states:
        st.rerun()
    _show(view, job)


def _show(view: View, job: Job) -> None:
    request, state = job.request, job.state
    run = job.workspace.run(request.run)
    config = _config(job)
    progress = read_progress(config, run.events) if config is not None else None
    heading(job, state, config)
    position(job, state, progress)
    _actions(job, state, run.path.joinpath("scores.parquet").is_file())
    ending(job, state)
    if config is not None and progress is not None:
        if progress.warnings:
            count = len(progress.warnings)
            with st.expander(f"Worth knowing ({count})", icon=":material/info:", key="warnings"):
                for warning in progress.warnings:
                    st.text(warning)
        curves(view, state, config, progress)
        matrix(view, config, progress)
    log = st.expander("Log", icon=":material/terminal:", expanded=state == "failed")
    with log.container(height=260, autoscroll=True, border=False):  # the last lines are the news
        st.code(job.log() or "Nothing has been said yet.", language=None)


def _actions(job: Job, state: State, scored: bool) -> None:
    """What can be done with a job, and where its results are."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if not is_guest():
            _steer(job, state)
        if scored:
            st.page_link(
                st.session_state["pages"]["forgetting"],
                label="See what was forgotten",
                icon=":material/grid_on:",
                query_params=links.carried(ws="Mine", run=job.request.run, after=None, task=None),
            )


def _steer(job: Job, state: State) -> None:
    """Stop, go on, run again, change, remove: not for guests."""
    if state in ACTIVE:
        st.button(
            "Cancel" if state == "queued" else "Stop",
            key="stop",
            icon=":material/stop_circle:",
            disabled=job.stop_asked,
            help="It stops at its next step and keeps what it has; it can go on later",
            on_click=job.stop,
        )
    elif state != "finished":
        st.button(
            "Go on",
            key="go-on",
            type="primary",
            icon=":material/play_arrow:",
            help="From where it was left",
            on_click=_attempt,
            args=(job, "again"),
        )
    with st.popover("Run again", icon=":material/replay:", key="again"):
        _again(job)
    st.button(
        "Change the settings",
        key="change",
        icon=":material/tune:",
        on_click=change,
        args=(job,),
    )
    if state not in ACTIVE:
        st.button(
            "Remove from the list",
            key="remove",
            icon=":material/delete:",
            help="The run itself stays",
            on_click=_attempt,
            args=(job, "remove"),
        )


def _again(job: Job) -> None:
    """The same settings under another name, with this seed or another one."""
    request = job.request
    taken = {run.name for run in job.workspace.runs()}
    taken |= {each.request.run for each in Jobs(job.workspace).all()}
    proposed = free_name(request.run, taken)
    name = st.text_input("Name of the new run", proposed, key=f"again-name-{proposed}")
    seed = st.number_input("Seed", value=request.seed, min_value=0, key=f"again-seed-{proposed}")
    st.caption(
        "With the same seed nothing is computed again; another one shows how much is chance."
    )
    st.button(
        "Run again",
        key="again-start",
        type="primary",
        disabled=name in taken,
        on_click=_run_again,
        args=(job, name, int(seed)),
    )


def _run_again(job: Job, name: str, seed: int) -> None:
    try:
        Jobs(job.workspace).again(job, run=name, seed=seed)
    except UserError as error:
        st.session_state["train-fault"] = str(error)
        return
    st.session_state["job"] = name


def _attempt(job: Job, what: str) -> None:
    jobs = Jobs(job.workspace)
    try:
        if what == "again":
            jobs.again(job)
            return
        for each in jobs.all():  # earlier attempts at the same run are not shown, and go with it
            if each.request.run == job.request.run:
                jobs.remove(each)
        st.session_state.pop("job", None)
    except UserError as error:
        st.session_state["train-fault"] = str(error)


def _turn_to_form() -> None:
    st.session_state["show"] = "New run"


def _config(job: Job) -> RunConfig | None:
    """None before the run has begun, or where its folder is gone."""
    run = job.workspace.run(job.request.run)
    try:
        return run.config if run.exists else None
    except UserError:
        return None
