"""The report of a run as one HTML file that opens offline: what was learnt, forgotten, routed and paid.

    python -m app.report.run_report --workspace DIR --run NAME --output FILE

Every number is the run's own report's. The app's button and `adapter-lab report RUN --html FILE` both come here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from app.base.theme import DARK, LIGHT, Look, numbered
from app.data.matrices import Matrices
from app.data.routing_records import RoutingRecords, last_routed
from app.data.routing_tables import row_shares, usage
from app.figures.bars import usage as usage_bars
from app.figures.confidence import intervals
from app.figures.heatmap import heatmap
from app.figures.standalone import document, placeholder
from app.report import report_html as html
from app.report.report_samples import samples
from app.report.report_words import cost_rows, header, metric_rows, settings_rows, transfer_words
from cl_core import __version__
from cl_core.errors import counted
from cl_core.evaluate.statistics import decimal
from cl_core.reports.report import Report
from cl_core.runs.cautions import named
from cl_core.runs.published_text import without_folders
from cl_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import plotly.graph_objects as go

Show = Callable[[str], Mapping[str, Any]]
"""From a sample's id to its "texts" by column and its "pictures" as base64 PNG files."""


@dataclass
class Page:
    """A page in the making: its body, and its figures in both themes."""

    parts: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, go.Figure]] = field(default_factory=dict)

    def add(self, *parts: str) -> None:
        """HTML that comes next."""
        self.parts += parts

    def draw(self, name: str, alt: str, make: Callable[[Look], go.Figure]) -> None:
        """A figure that comes next, drawn for either theme."""
        looks = {look.name: make(look) for look in (LIGHT, DARK)}
        self.figures[name] = looks
        self.add(placeholder(name, looks["light"], alt))


def run_report(run: RunFolder, show: Show | None = None) -> str:
    """The whole file.

    Args:
        run: that has been scored at least once.
        show: finds what a sample is; None where its data are not at hand: samples are then shown by their ids.

    Raises:
        UserError: the run cannot be read, or has no scores yet.
    """
    report, page = Report(run), Page()
    tasks = [numbered(index, name) for index, name in enumerate(report.tasks)]
    routed = last_routed(run)
    page.add(f"<h1>{html.escape(run.name)}</h1>", html.facts(header(report)))
    page.add(*(html.sentence(f"Note: {without_folders(warning)}") for warning in report.warnings))
    _scores(page, report, tasks)
    _transfer(page, report)
    _routing(page, report, tasks, routed)
    _cost(page, report)
    if routed is not None:
        page.add(*samples(run, routed, tasks, show))
    page.add(html.heading("Reproduce"))
    for title, rows in settings_rows(run).items():
        page.add(html.folded(title, html.table(("setting", "value"), rows)))
    page.add(html.source(f"Written by Adapter Lab {__version__}; it asks nothing of any host."))
    title = f"{run.name}: {run.config.recipe.name} on {run.config.stream_name}"
    return document(title, "\n".join(page.parts), page.figures, html.STYLE)


def _scores(page: Page, report: Report, tasks: list[str]) -> None:
    matrices = Matrices(report, len(tasks))
    where = f"{named(report.run.config)}, accuracy on the {_split(report)} samples of every task, one seed"
    page.add(
        html.heading("Accuracy on each task after each stage"),
        html.sentence(
            "Each row is a stage, after one more task has been learnt: the accuracy on every task. Read a column "
            "downwards: where it darkens, something was forgotten. Higher is better."
        ),
    )
    page.draw(
        "scores",
        f"Score matrix of {counted(len(tasks), 'task')}",
        matrices.score_figure,
    )
    page.add(
        html.source(
            f"R[i, j] = accuracy on task j after learning task i; {where}; Wilson's 95 % intervals, for the number of "
            "samples alone"
        )
    )
    page.add(html.folded("Numbers (%)", _cells(matrices.score_table, "table-scores")))
    page.add(
        html.heading("Change since each task was learnt"),
        html.sentence(
            "The same matrix minus its diagonal: red is lost, blue is gained after the task itself had been learnt. "
            "Grey is within one standard error of 0; the colours end at 50 points, in every run."
        ),
    )
    page.draw(
        "change",
        "Change of every task's accuracy since it was learnt, in points",
        matrices.change_figure,
    )
    page.add(html.source(f"R[i, j] - R[j, j]; {where}; {matrices.errors_are}"))
    page.add(html.folded("Numbers (points)", _cells(matrices.change_table, "table-change")))


def _transfer(page: Page, report: Report) -> None:
    page.add(html.heading("Forgetting and transfer"))
    page.add(*(html.sentence(words) for words in transfer_words(report)))
    rows = metric_rows({**report.transfer, **report.improvised}, report.undefined)
    page.add(html.table(("", "", "formula", "better", "meaning"), rows, "table-transfer"))


def _routing(page: Page, report: Report, tasks: list[str], routed: RoutingRecords | None) -> None:
    page.add(html.heading("Routing"))
    config = report.run.config
    if config.recipe.shares_adapter:
        page.add(html.sentence("This recipe keeps one adapter for all tasks: there is no route."))
        return
    if routed is None or not report.router:
        page.add(html.sentence("No sample has been routed yet."))
        return
    every = [numbered(index, task.name) for index, task in enumerate(config.all_tasks)]
    present = [index for index in range(len(every)) if (routed.true == index).any()]
    adapters = tasks[: routed.weights.shape[1]]
    counts = report.confusion[present]
    totals = counts.sum(axis=1, keepdims=True)
    rows = [every[index] for index in present]
    stage = int(routed.table["stage"][0].as_py())
    where = f"{named(report.run.config)}, stage {stage}, {len(routed):,} {_split(report)} samples, one seed"
    page.draw(
        "routing",
        f"True task by top-1 adapter, {len(rows)} by {len(adapters)}",
        lambda look: heatmap(
            row_shares(counts),
            rows,
            adapters,
            look,
            row_title="true task",
            column_title="top-1 adapter",
            value_title="share (%)",
            counts=counts,
            notes=intervals(counts / totals, totals),
        ),
    )
    page.add(html.source(f"Each row adds up to 100 %; {where}"))
    numbers = [
        [row, *(str(count) for count in row_counts)]
        for row, row_counts in zip(rows, counts, strict=True)
    ]
    page.add(
        html.folded("Numbers (samples)", html.table(("", *adapters), numbers, "table-routing"))
    )
    mean, first = usage(routed)
    page.draw(
        "usage",
        "; ".join(f"{name}: {share:.0f} %" for name, share in zip(adapters, mean, strict=True)),
        lambda look: usage_bars(mean, first, adapters, look, len(routed)),
    )
    page.add(html.source(f"How much each adapter is used; {where}"))
    shares = [
        [name, f"{one:.2f}", f"{other:.2f}"]
        for name, one, other in zip(adapters, mean, first, strict=True)
    ]
    head = ("adapter", "mean weight (%)", "top-1 adapter of (%)")
    page.add(html.folded("Numbers (%)", html.table(head, shares, "table-usage")))
    page.add(
        html.table(
            ("", "", "formula", "better", "meaning"), metric_rows(report.router), "table-router"
        )
    )


def _cost(page: Page, report: Report) -> None:
    page.add(html.heading("Cost"))
    page.add(html.table(("", "", "meaning"), cost_rows(report), "table-cost"))
    phases = [
        [phase.phase, f"{phase.parameters:,}", f"{phase.rows:,}", f"{phase.seconds:.1f}"]
        for phase in report.phases
    ]
    if phases:
        head = ("phase", "trained parameters at most", "training samples", "seconds")
        page.add(html.table(head, phases, "table-phases"))
    page.add(
        html.source(
            f"run {report.run.name}; wall-clock seconds when artifacts were first computed, found in the store or not"
        )
    )


def _cells(table: pd.DataFrame, name: str) -> str:
    """A row for each cell of a matrix: two names, numbers of two digits, how many samples."""
    flat = table.reset_index()
    rows = [
        [str(one), str(other), *(decimal(value, 2) for value in numbers), str(int(samples))]
        for one, other, *numbers, samples in flat.itertuples(index=False)
    ]
    return html.table(list(flat.columns), rows, name)


def _split(report: Report) -> str:
    return report.run.config.settings.evaluate.split


def main() -> None:
    """Reads the command line and writes the file; in a process of its own, as samples' texts need the data's reader."""
    import argparse
    import sys
    from pathlib import Path

    from cl_core.errors import AdapterLabError
    from cl_core.output_files import write_output
    from cl_core.runs.workspace import Workspace
    from cl_core.system_faults import explained

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--output", type=Path, required=True)
    asked = parser.parse_args()
    try:
        run = Workspace(asked.workspace).find(asked.run)
        write_output(asked.output, run_report(run, _from_data(run)))
    except AdapterLabError as error:
        sys.stderr.write(f"adapter-lab: {error}\n")
        raise SystemExit(2) from None
    except Exception as error:
        said = explained(error)
        if not said:
            raise
        sys.stderr.write(f"adapter-lab: {said}\n")
        raise SystemExit(74) from None


def _from_data(run: RunFolder) -> Show | None:
    """Shows samples from the run's stream, read in this process; None where its data are no longer there."""
    from app.workers.scored_rows import ScoredRows, shown
    from cl_core.errors import UserError

    try:
        rows = ScoredRows(run)
    except UserError:
        return None
    return lambda sample_id: shown(rows.inputs(sample_id), rows.ground(sample_id))


if __name__ == "__main__":
    main()
