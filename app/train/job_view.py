"""One job as it runs: where it is and how long it will be, what it has learnt, what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from app.base import theme
from app.base.control_words import by_control
from app.base.escaped_text import plain
from app.base.theme import Look
from app.data.matrices import accuracy_table
from app.data.training import STATES, STILL, duration, way_out
from app.data.view import View
from app.figures.cells import UNANSWERABLE
from app.figures.confidence import intervals
from app.figures.heatmap import heatmap
from app.figures.learning_curves import learning_curves
from app.shell import widgets
from cl_core.errors import counted
from cl_core.jobs.job import ACTIVE, Job, State
from cl_core.jobs.queue import Jobs
from cl_core.runs.cautions import marked, named
from cl_core.runs.kill_words import UNKNOWN_END
from cl_core.runs.progress import PHASE_WORDS, Progress
from cl_core.runs.run_config import RunConfig
from cl_core.runs.undefined_scores import answerable

if TYPE_CHECKING:
    import plotly.graph_objects as go


def heading(job: Job, state: State, config: RunConfig | None) -> None:
    """Name, state, and what is run on what."""
    request = job.request
    recipe = marked(config) if config else request.recipe.split("/")[-1]
    stream = config.stream_name if config else request.stream.split("/")[-1]
    words, icon, colour = STILL if job.standstill else STATES[state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(request.run), width="content")
        st.badge(words, icon=icon, color=colour)
        st.caption(plain(f"recipe {recipe} on stream {stream}, seed {request.seed}"))


def position(job: Job, state: State, progress: Progress | None) -> None:
    """A bar over the plan, and in words where the run is and how long it will be."""
    if state == "queued":
        ahead = sum(
            other.state in ACTIVE and other.request.submitted < job.request.submitted
            for other in Jobs(job.workspace).all()
        )
        st.progress(
            0.0,
            text=f"Waiting behind {counted(ahead, 'other job')}" if ahead else "Starts in a moment",
        )
        return
    if progress is None:
        if state == "running":
            st.progress(0.0, text="Preparing: checking the stream and the settings")
        return
    st.progress(progress.share, text=plain(_where(job, state, progress)))


def _where(job: Job, state: State, progress: Progress) -> str:
    spent = f"{duration(progress.seconds)} so far"
    if state == "finished":
        return f"all of {counted(progress.steps, 'step')}, {duration(progress.seconds)}"
    if state != "running":
        return f"it came to {progress.where}"
    if job.stop_asked:
        return f"asked to stop: it will after this step, keeping what it has; {progress.where}"
    if job.standstill:
        return f"it stands still; {progress.where}; {spent}"
    if progress.left is None:
        return f"{progress.where}; {spent}, time left shows after the first epoch"
    return f"{progress.where}; {spent}, about {duration(progress.left)} left"


def ending(job: Job, state: State) -> None:
    """What went wrong, and the way out."""
    if state == "failed":
        message = job.message or "its run failed; the log says how"
        st.error(
            f"{plain(by_control(message))}\n\n**What to do:** {way_out(message)}",
            icon=":material/error:",
        )
    elif state == "interrupted":
        became = job.message or UNKNOWN_END
        st.warning(
            f"{plain(by_control(became[0].upper() + became[1:]))}. *Resume* continues from its last checkpoint.",
            icon=":material/power_off:",
        )
    elif standstill := job.standstill:
        st.warning(
            plain(f"{standstill[0].upper()}{standstill[1:]}"), icon=":material/pause_circle:"
        )


def curves(view: View, state: State, config: RunConfig, progress: Progress) -> None:
    """Loss and validation accuracy of every task so far; while one is learnt, it stands out."""
    phases = list(dict.fromkeys(phase for phase, _ in progress.curves))
    if not phases:
        return
    phase = phases[-1]
    if len(phases) > 1:
        words = [PHASE_WORDS[name] for name in phases]
        asked = st.selectbox("Curves of", words, len(words) - 1, key="curves-of")
        phase = phases[words.index(asked)]
    indices = {task.name: index for index, task in enumerate(config.tasks)}
    lines = {
        theme.numbered(indices[task], task): epochs
        for (learnt_in, task), epochs in progress.curves.items()
        if learnt_in == phase
    }
    by_name = {theme.numbered(index, name): index for name, index in indices.items()}
    table = pd.DataFrame(
        [
            (name, e.epoch, e.train_loss, e.validation_loss, 100 * e.validation_accuracy)
            for name, epochs in lines.items()
            for e in epochs
        ],
        columns=["task", "epoch", "training loss", "validation loss", "validation accuracy (%)"],
    ).set_index(["task", "epoch"])
    now = indices.get(progress.task) if state == "running" and len(lines) > 1 else None
    widgets.chart(
        view,
        learning_curves(lines, by_name, view.look, highlight=now),
        "learning",
        widgets.About(
            alt=f"Loss and validation accuracy over epochs of {counted(len(lines), 'task')}",
            what="Left, the training loss (solid) and the validation loss (dashed): where they diverge, the adapter "
            "overfits; lower is better. Right, the validation accuracy; higher is better. The epoch with the best "
            "validation accuracy is kept.",
            source=f"{named(config)}, validation samples of each task, seed {config.seed}",
        ),
        table=table,
    )


def live_figure(config: RunConfig, progress: Progress, look: Look) -> go.Figure:
    """Accuracies, 0 to 100; what cannot be answered after a stage that was reached is hatched."""
    names = [theme.numbered(index, task.name) for index, task in enumerate(config.tasks)]
    reached = np.isfinite(progress.matrix).any(axis=1, keepdims=True)
    return heatmap(
        100 * progress.matrix,
        names,
        names,
        look,
        row_title="stage",
        column_title="evaluated on",
        value_title="accuracy (%)",
        notes=intervals(progress.matrix, progress.counts),
        empty=reached & ~answerable(config),
        empty_because=UNANSWERABLE,
    )


def matrix(view: View, config: RunConfig, progress: Progress) -> None:
    """The cells that are known; it grows downwards, a row for each task learnt."""
    names = [theme.numbered(index, task.name) for index, task in enumerate(config.tasks)]
    scored = np.isfinite(progress.matrix)
    if not scored.any():
        return
    whole = len(names) * (len(names) + 1) // 2
    st.header("Score matrix" if progress.ended else "Score matrix so far")
    scores = 100 * progress.matrix
    widgets.chart(
        view,
        live_figure(config, progress, view.look),
        "filling",
        widgets.About(
            alt=f"Score matrix: {int(np.tril(scored).sum())} of {counted(whole, 'cell')} known",
            what="Each row is a stage: the accuracy on every task learnt so far. A row appears when its task has "
            "been learnt; a column that darkens downwards is a task being forgotten. Higher is better.",
            formula=r"R_{i,j} = \text{accuracy on task } j \text{ after learning task } i",
            source=f"{named(config)}, {config.settings.evaluate.split} samples, seed {config.seed}; "
            "Wilson's 95 % intervals, for the number of samples alone",
        ),
        table=accuracy_table(scores, progress.counts, names),
    )
