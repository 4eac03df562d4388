"""Recipes side by side: lines of finished runs, and how far they are ahead of one of them.

Differences between lines are paired: on the same tasks, order and seed. Lines that are told the true task of every
sample stand last: they are upper bounds, not rivals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cl_core.analysis.comparison_lines import ComparedRun, Line, headlines, make_lines
from cl_core.analysis.run_numbers import numbers_of
from cl_core.errors import UserError, counted, did_you_mean
from cl_core.evaluate.statistics import PairedDifference, paired_difference
from cl_core.evaluate.table import ACCURACY
from cl_core.evaluate.units import unit_of
from cl_core.runs.run_folder import RunFolder


@dataclass(frozen=True)
class Difference:
    """How far a line is ahead of the reference, on the same orders and seeds.

    Attributes:
        line: which.
        reference: from which.
        metric: of what.
        difference: in the unit that differences of it are shown in.
    """

    line: Line
    reference: Line
    metric: str
    difference: PairedDifference

    @property
    def stream(self) -> str:
        """Of both."""
        return self.line.stream

    @property
    def label(self) -> str:
        """Of the line that is ahead or behind."""
        return self.line.label


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        metrics: the columns.
        score: which score the matrix metrics are of: "accuracy", "weighted_f1" or "macro_f1".
        lines: by stream, in the order in which the runs came; of each stream those last that are told the task.
        against: the reference, or None.
        differences: of every line from the reference of its stream.
        left_out: names of runs that are not finished, each with what it is and, where it failed, what it said; and of
            damaged ones, with what cannot be read and what to do.
        repeats: names of runs that repeat the seed and the order of another one of their line, which counts.
    """

    metrics: tuple[str, ...]
    score: str
    lines: tuple[Line, ...]
    against: str | None
    differences: tuple[Difference, ...]
    left_out: Mapping[str, str]
    repeats: tuple[str, ...] = ()

    @property
    def streams(self) -> list[str]:
        """What the lines' tasks are called, each once."""
        return list(dict.fromkeys(line.stream for line in self.lines))

    @property
    def runs(self) -> int:
        """How many runs the lines rest on."""
        return sum(len(line.runs) for line in self.lines)

    def of(self, stream: str, metrics: Sequence[str] | None = None) -> Comparison:
        """The lines of one stream alone, with these columns.

        Args:
            stream: what its tasks are called.
            metrics: some of the columns; None for all.
        """
        columns = self.metrics if metrics is None else tuple(metrics)
        return Comparison(
            columns,
            self.score,
            tuple(line for line in self.lines if line.stream == stream),
            self.against,
            tuple(
                difference
                for difference in self.differences
                if difference.stream == stream and difference.metric in columns
            ),
            self.left_out,
            self.repeats,
        )


def compare(
    runs: Sequence[RunFolder],
    metrics: Sequence[str] | None = None,
    against: str | None = None,
    over_orders: bool = False,
    score: str = ACCURACY,
) -> Comparison:
    """Puts finished runs side by side; each counts, however many there are.

    Args:
        runs: any; those not finished, and those of which a file cannot be read, are left out and named.
        metrics: names that a report has: of the matrix, the router, I2I's phases, the cost; None for the headlines.
        against: a recipe's name or a line's label; every other line is compared with it.
        over_orders: pool the orders of the same tasks ("mtl5", "mtl5-order2", ...) into one line.
        score: a name of the table's group of scores.

    Raises:
        UserError: nothing is finished, or there is no such metric or reference.
    """
    metrics = list(metrics or headlines())
    numbers = numbers_of(runs, score)
    left_out = {
        run.name: its.left_out for run, its in zip(runs, numbers, strict=True) if its.left_out
    }
    finished = [
        ComparedRun(run.name, its.config, its.numbers, its.stages)
        for run, its in zip(runs, numbers, strict=True)
        if its.config is not None
    ]
    if not finished:
        whole = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise UserError(
            f"none of {counted(len(runs), 'run')} is finished; nothing can be compared ({whole})"
        )
    lines, repeats = make_lines(finished, metrics, over_orders)
    streams = list(dict.fromkeys(line.stream for line in lines))
    ordered = tuple(
        sorted(lines, key=lambda line: (streams.index(line.stream), line.told_the_task))
    )
    differences = () if against is None else tuple(_differences(ordered, against, metrics))
    return Comparison(
        tuple(metrics), score, ordered, against, differences, left_out, tuple(repeats)
    )


def _differences(
    lines: Sequence[Line], against: str, metrics: Sequence[str]
) -> Iterable[Difference]:
    labels = [line.label for line in lines]
    names = [line for line in lines if against in (line.label, line.recipe)]
    if not names:
        raise UserError(
            f"no line is called '{against}'; there are {', '.join(dict.fromkeys(labels))}."
            f"{did_you_mean(against, labels)}"
        )
    for line in lines:
        # Recipes may answer by different head rules; the protocol must be the same.
        rivals = [
            other
            for other in names
            if other.stream == line.stream and other.protocol_name == line.protocol_name
        ]
        if not rivals or line in names:
            continue
        if len(rivals) > 1:
            raise UserError(
                f"'{against}' is {counted(len(rivals), 'line')} of stream '{line.stream}': "
                f"{'; '.join(other.label for other in rivals)}; give one of these"
            )
        for metric in metrics:
            mine, theirs = line.values[metric], rivals[0].values[metric]
            if mine.keys() & theirs.keys():
                gap = paired_difference(mine, theirs, unit_of(metric).bounds)
                yield Difference(line, rivals[0], metric, gap)
