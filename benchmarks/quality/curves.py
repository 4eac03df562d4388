"""The figures of docs/results.md, from finished runs. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tables import Entry, reports

from cl_core.evaluate.statistics import summarise
from cl_core.runs.workspace import Workspace


def draw_memory(
    workspace: Workspace,
    file: Path,
    seeds: Sequence[int],
    shares: Sequence[float],
    entries: Sequence[Entry],
) -> None:
    """Average accuracy of L2R against the share of the training rows that it keeps, beside `dam` and `adapters`.

    Args:
        workspace: where the runs are.
        file: the SVG.
        seeds: of the runs.
        shares: of memory.
        entries: for each stream and share a line, shares within streams.
    """
    streams = list(dict.fromkeys(entry.stream for entry in entries))
    figure, axes = _canvas(len(streams))
    for axis, stream in zip(axes, streams, strict=True):
        of_stream = [entry for entry in entries if entry.stream == stream]
        _curve(workspace, seeds, axis, shares, of_stream, "l2r-wavg")
        for other, colour in (("dam", "grey"), ("adapters", "black")):
            values = _accuracies(workspace, Entry(stream, other, other), seeds)
            if values:
                line = axis.axhline(sum(values) / len(values), linestyle="--", linewidth=1)
                line.set(color=colour, label=f"{other} (mean)")
        axis.set(xscale="log", xticks=[100 * share for share in shares], title=stream)
        axis.set_xticklabels([f"{100 * share:g}" for share in shares])
        axis.set(xlabel="memory (% of the training rows)", ylabel="average accuracy (%)")
        axis.legend(fontsize=8)
    figure.savefig(file, metadata={"Date": None})


def draw_corrupted(
    workspace: Workspace,
    file: Path,
    seeds: Sequence[int],
    right: Sequence[float],
    entries: Sequence[Entry],
) -> None:
    """Average accuracy of select and merge against how often the router is made to be right.

    Args:
        workspace: where the runs are.
        file: the SVG.
        seeds: of the runs.
        right: shares of samples.
        entries: for each stream, composition and share a line, whose label begins with the composition.
    """
    streams = list(dict.fromkeys(entry.stream for entry in entries))
    figure, axes = _canvas(len(streams))
    for axis, stream in zip(axes, streams, strict=True):
        for how in ("select", "merge"):
            matching = [e for e in entries if e.stream == stream and e.label.startswith(how)]
            _curve(workspace, seeds, axis, right, matching, how)
        axis.set(xlabel="router's top-1 accuracy, forced (%)", ylabel="average accuracy (%)")
        axis.set_title(stream)
        axis.legend(fontsize=8)
    figure.savefig(file, metadata={"Date": None})


def _canvas(count: int) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "adapter-lab"  # the same bytes for the same numbers
    from matplotlib import pyplot

    canvas: tuple[Any, Any] = pyplot.subplots(1, count, figsize=(9, 3.4), layout="constrained")
    return canvas


def _curve(
    workspace: Workspace,
    seeds: Sequence[int],
    axis: Any,
    shares: Sequence[float],
    entries: Sequence[Entry],
    label: str,
) -> None:
    """Means over the seeds with their 95 % intervals; shares are shown in per cent."""
    points = []
    for share, entry in zip(shares, entries, strict=True):
        if values := _accuracies(workspace, entry, seeds):
            points.append((100 * share, summarise(values)))
    where = [x for x, _ in points]
    axis.plot(where, [summary.mean for _, summary in points], marker="o", label=label)
    low = [summary.mean if summary.low is None else summary.low for _, summary in points]
    high = [summary.mean if summary.high is None else summary.high for _, summary in points]
    axis.fill_between(where, low, high, alpha=0.2)


def _accuracies(workspace: Workspace, entry: Entry, seeds: Sequence[int]) -> list[float]:
    scored = reports(workspace, entry, seeds).values()
    return [100 * report.transfer["average_accuracy"] for report in scored]
