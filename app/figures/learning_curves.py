"""Learning curves: loss and validation accuracy over epochs, one colour per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.base.memoized import memoized
from app.base.theme import Look, task_colour, task_symbol
from app.figures.base import PER_CENT, style
from app.figures.names import listed
from cl_core.runs.events import EpochEvent


@memoized
def learning_curves(
    curves: Mapping[str, Sequence[EpochEvent]],
    indices: Mapping[str, int],
    look: Look,
    *,
    highlight: int | None = None,
    height: int = 330,
) -> go.Figure:
    """Left the losses (training drawn through, validation dashed), right the validation accuracy.

    Args:
        curves: numbered name of a task to its epochs.
        indices: the same names to the task's index in the stream, from 0.
        look: the theme.
        highlight: the index of a task whose lines stand out.
        height: pixels.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    for called, (name, epochs) in zip(listed(list(curves)), curves.items(), strict=True):
        index = indices[name]
        faded = highlight is not None and highlight != index
        common = {
            "x": [epoch.epoch for epoch in epochs],
            "legendgroup": name,
            "opacity": 0.3 if faded else 1.0,
            "mode": "lines+markers",
        }
        marker = {"symbol": task_symbol(index), "size": 7}
        losses = (
            ("training loss", "solid", [epoch.train_loss for epoch in epochs]),
            ("validation loss", "dash", [epoch.validation_loss for epoch in epochs]),
        )
        for what, dash, values in losses:
            figure.add_scatter(
                y=values,
                name=called,
                showlegend=dash == "solid",
                line={"color": task_colour(index), "width": 2, "dash": dash},
                marker=marker,
                hovertemplate=f"{escape(name)}, epoch %{{x}}<br>{what} %{{y:.3f}}<extra></extra>",
                row=1,
                col=1,
                **common,
            )
        figure.add_scatter(
            y=[100 * epoch.validation_accuracy for epoch in epochs],
            name=called,
            showlegend=False,
            line={"color": task_colour(index), "width": 2},
            marker=marker,
            hovertemplate=f"{escape(name)}, epoch %{{x}}<br>%{{y:.1f}} %<extra></extra>",
            row=1,
            col=2,
            **common,
        )
    longest = max((epochs[-1].epochs for epochs in curves.values()), default=1)
    # The axis is as long as the training may be, so that lines grow into it instead of squeezing.
    figure.update_xaxes(title="epoch", range=[0.7, longest + 0.3], dtick=max(1, longest // 8))
    figure.update_yaxes(title="loss", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="validation accuracy (%)", range=list(PER_CENT), row=1, col=2)
    style(figure, look, height, least=420)
    figure.update_xaxes(title={"standoff": 4, "font": {"size": look.size}})
    figure.update_yaxes(title={"standoff": 4})
    figure.update_layout(margin={"t": 10})
    return figure
