"""A new run: stream, recipe, settings, seed, name; what it will take; start."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from app.base import links
from app.base.escaped_text import plain
from app.data import stream_edits, stream_files
from app.data.runs import readable
from app.data.training import duration, measured, rows_learnt
from app.serving.rights import check_host
from app.shell import actions, not_found, own_copy, stream_choice
from app.shell.proposals import proposed
from app.shell.sharing import is_guest
from app.shell.stream_problems import problems
from app.train.recipe_form import recipe_form, slots
from app.train.settings_form import WANTED, FormSettings, changes, settings_form
from app.train.typed_fields import TAKEN_BACK
from cl_core.engine.launch import default_name
from cl_core.errors import Faults, UserError, counted
from cl_core.jobs.job import Job, Request
from cl_core.jobs.queue import Jobs
from cl_core.recipes.named import RECIPES, load_recipe
from cl_core.recipes.recipe import Recipe
from cl_core.recipes.settings import RunSettings, make_settings
from cl_core.reports.run_summary import RunSummary
from cl_core.runs.workspace import Workspace
from cl_core.tasks.stream import protocol_title
from cl_core.train.settings import PRESETS

START, NAME, TAKE_BACK = "start", "run-name", "take-back"
"""Keys of the button, of the field, and of the button that forgets what was typed."""
PROTOCOLS = ("as the stream says", "til", "cil", "dil")


def new_run(workspace: Workspace, lesson: bool) -> None:
    """The form, from left to right and top to bottom as a run goes.

    What changes while one types stands below the button: nothing may move it away under the mouse. Each part has a
    place of its own there: one that takes another's makes the page shorter until that is drawn again, which moves
    everything, and closes the list that was opened meanwhile.
    """
    chosen = _stream(workspace)
    if chosen is None:
        return
    recipe = recipe_form(lesson)
    said = FormSettings({}, {})
    preset = st.session_state.get("preset", "default")
    if recipe is not None:
        st.header("Settings")
        kinds = sorted({task.kind for task in chosen.spec.tasks}) if chosen.spec else []
        said = settings_form(recipe, preset, kinds)
    seed, protocol, device, precision = _further()
    taken = {run.name for run in workspace.runs()}
    asked = {job.request.run for job in Jobs(workspace).all()}  # those that wait have no folder yet
    name = _name(chosen, recipe, seed, taken | asked)
    button, differs, foretold, below = (st.container() for _ in range(4))
    with differs:
        _differences(said)
    with foretold:
        wrong = [*bad_seed(seed), *_wrong(chosen, recipe, said.changed, preset)]
    with below:
        if name in taken:
            wrong.append(
                f"there is a run '{name}' already: choose another name, or resume it under Jobs"
            )
            st.warning(plain(f"T{wrong[-1][1:]}."), icon=":material/content_copy:")
        if is_guest():
            st.info(
                "Guests have read-only access: whoever shares this lab starts runs.",
                icon=":material/group:",
            )
            return
    with button:
        if not actions.pressed(
            "Start training", START, type="primary", icon=":material/play_arrow:"
        ):
            return
        if wrong or recipe is None or seed is None:
            actions.refuse(START, "Not started. " + "; ".join(wrong))
        request = Request(
            run=name,
            stream=stream_choice.source(workspace, chosen.label),
            recipe=recipe.name,
            seed=seed,
            preset=preset,
            protocol=protocol,
            settings=said.changed,
            device=device,
            precision=precision,
        )
        _start(workspace, request, recipe)


def seed_field(key: str, at_first: int = 0, **look: Any) -> int | None:
    """Draws the field of a seed; None where it was emptied, which is none and not 0.

    Args:
        key: of the field, which says the seed at first where the session does not say otherwise.
        at_first: the seed.
        look: of `st.number_input`.
    """
    st.session_state.setdefault(key, at_first)
    # Without a least one: the browser would keep what it does not allow to itself.
    seed = st.number_input("Seed", value=None, step=1, key=key, **look)
    return None if seed is None else int(seed)


def bad_seed(seed: int | None) -> list[str]:
    """What is wrong with a seed; it is said here, as a browser keeps a number to itself that its field refuses."""
    if seed is not None and seed >= 0:
        return []
    return [f"The seed is {'empty' if seed is None else seed}: it is a whole number from 0 on"]


def _differences(said: FormSettings) -> None:
    """Draws what was typed, and how it is taken back."""
    st.caption(
        plain(f"Changed from the recipe's and the preset's own: {changes(said.changed)}")
        if said.changed
        else "All settings are the recipe's and the preset's own."
    )
    if said.kept:
        words = "Yours, though they are the recipe's and the preset's own"
        st.caption(plain(f"{words}: {changes(said.kept)}"))
    if said.typed and actions.pressed("Take back what was typed", TAKE_BACK, type="tertiary"):
        actions.then(**{TAKEN_BACK: True})


def _wrong(
    chosen: stream_choice.StreamChoice,
    recipe: Recipe | None,
    changed: Mapping[str, Any],
    preset: str,
) -> list[str]:
    """Draws what the run will take, or what is wrong with the form; why it cannot start, if it cannot."""
    if recipe is None:
        return ["The four slots of the recipe are incompatible; the reasons are listed there"]
    settings, faults = _settings(recipe, changed, preset)
    if settings is None:
        return [f"Invalid settings: {', '.join(faults)}"]
    whole = _foretold(
        chosen, recipe, settings, [*readable("Mine").items(), *readable("Demonstration").items()]
    )
    return (
        [] if whole else ["The stream's data are not here, or have problems: they are listed below"]
    )


def _stream(workspace: Workspace) -> stream_choice.StreamChoice | None:
    options = [
        label
        for label in stream_choice.labels(workspace, "on")
        if not label.startswith(stream_choice.OWN)
        or (workspace.root / label).is_file()  # one without tasks yet cannot be learnt
    ]
    asked = st.query_params.get("on")
    if not_found.unknown("on", asked in options):
        words = "There is no stream {} here that can be learnt."
        not_found.of_page("train", "on", words, str(asked), options, show="New run")
        return None
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        stream_choice.settle("on", options)
        label = st.selectbox("Stream", options, key="on", bind="query-params")
        stream_choice.say_absent(options)
    try:
        chosen = stream_choice.open_stream(workspace, label)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    names = [task.name for task in chosen.spec.tasks] if chosen.spec else []
    with right.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{counted(len(names), 'task')}**, {protocol_title(chosen.protocol)}: {plain(', '.join(names))}",
            width="content",
        )
        if actions.pressed("Open the stream", "look-inside", icon=":material/linear_scale:"):
            links.turn_to("stream", stream=label, ws="Mine")
    if chosen.how:
        st.warning(f"Its data are not here: {plain(chosen.how)}.", icon=":material/cloud_off:")
    return chosen


def _further() -> tuple[int | None, str | None, str, str]:
    """Preset, seed, protocol, device, precision."""
    columns = st.columns(5)
    columns[0].selectbox(
        "Preset",
        list(PRESETS),
        key="preset",
        help="Named settings beneath the recipe's: the papers' published ones",
        persist_state="session",
    )
    with columns[1]:
        seed = seed_field(
            "seed", help="Of initialisation, sample order and dropout", persist_state="session"
        )
    protocol = columns[2].selectbox(
        "Protocol", PROTOCOLS, key="protocol", help="Over the stream's own", persist_state="session"
    )
    device = columns[3].selectbox(
        "Device", ["auto", "cpu", "cuda"], key="device", persist_state="session"
    )
    precision = columns[4].selectbox(
        "Precision",
        ["auto", "float32", "bfloat16"],
        key="precision",
        help="auto: bfloat16 on a GPU",
        persist_state="session",
    )
    return seed, None if protocol == PROTOCOLS[0] else protocol, device, precision


def _name(
    chosen: stream_choice.StreamChoice,
    recipe: Recipe | None,
    seed: int | None,
    taken: Collection[str],
) -> str:
    proposal = "" if recipe is None else default_name(chosen.label, recipe, seed or 0)
    return proposed(
        "Name of the run",
        stream_edits.free_name(proposal, taken),
        NAME,
        "Letters, digits, dot, dash and underscore",
        persist_state="session",
    )


def _settings(
    recipe: Recipe, changed: Mapping[str, Any], preset: str
) -> tuple[RunSettings | None, list[str]]:
    """The settings as the run will have them; None where they cannot be, which is then explained."""
    try:
        settings = make_settings(recipe.settings, changed, preset=preset)
        recipe.check_settings(settings)
    except Faults as refused:
        relevant = [fault for fault in refused.faults if not fault.startswith("known settings:")]
        faults = "\n".join(f"- {plain(fault)}" for fault in relevant)
        st.error(f"**Invalid settings**\n\n{faults}", icon=":material/block:")
        return None, relevant
    return settings, []


def _foretold(
    chosen: stream_choice.StreamChoice,
    recipe: Recipe,
    settings: RunSettings,
    runs: Sequence[tuple[str, RunSummary]],
) -> bool:
    """How many steps, rows and minutes, before anything starts.

    Returns:
        Whether the stream's data are here and whole.
    """
    if chosen.spec is None or chosen.how:
        return False
    checked = chosen.checked()
    problems(checked)
    if checked.get("faults") or "error" in checked:
        return False
    plan = recipe.plan(len(chosen.spec.tasks), settings)
    rows = {task["name"]: task["rows"].get("train", 0) for task in checked["tasks"]}
    total = rows_learnt(rows, settings.data.limits()["train"])
    words = (
        f"{counted(len(plan), 'step')}, {counted(total, 'training sample')}, at most "
        f"{counted(settings.train.epochs, 'epoch')} of each."
    )
    measurement = measured(runs, settings.backbone.name, settings.backbone.max_length)
    if measurement is None:
        words += (
            f" No run with this backbone and at most {counted(settings.backbone.max_length, 'token')} has been "
            "timed in this "
            "workspace yet: the time left shows after the first epoch."
        )
    else:
        rate, name = measurement
        seconds = rate * total * settings.train.epochs
        words += f" About {duration(seconds)} of training at most, as timed in run {plain(name)}."
    st.info(words, icon=":material/schedule:")
    return True


def _start(workspace: Workspace, request: Request, recipe: Recipe) -> None:
    """Queues the run, and turns to it.

    From the demonstration its store goes along: what it has learnt is then not learnt again.
    """
    with actions.answering(START):
        check_host()
        if st.session_state.get("ws") == "Demonstration":
            own_copy.ensure()
        Jobs(workspace).submit(request, recipe)
    actions.then(ws="Mine", show="Jobs", job=request.run, **{NAME: ""})


def change(job: Job) -> dict[str, Any]:
    """What fills the form with what a job was asked to do, to be changed and started anew: names in the session."""
    request = job.request
    try:
        recipe = load_recipe(request.recipe)
    except UserError:  # its file is gone: the form begins with the first recipe
        recipe = next(iter(RECIPES.values()))
    base = recipe.name.split("+")[0]
    state: dict[str, Any] = {
        "recipe": base if base in RECIPES else next(iter(RECIPES)),
        **slots(recipe),
        "preset": request.preset,
        "seed": request.seed,
        "protocol": request.protocol or PROTOCOLS[0],
        "device": request.device,
        "precision": request.precision,
        "show": "New run",
        WANTED: dict(request.settings),
    }
    root = stream_files.folder(job.workspace)
    in_workspace = request.stream.startswith(str(root))
    label = stream_choice.OWN + request.stream.split("/")[-1] if in_workspace else request.stream
    if label in stream_choice.labels(job.workspace, "on", label):
        state["on"] = label
    return state
