"""What must be said beside a comparison's numbers: who is told the task, which head rule, what was cut."""

from __future__ import annotations

from collections.abc import Sequence

from cl_core.analysis.comparison import Comparison
from cl_core.analysis.comparison_lines import Line
from cl_core.runs.cautions import CHOOSE_RULE, HEAD_RULE, TOLD
from cl_core.runs.published_text import without_folders


def notes(comparison: Comparison, printed: bool = False) -> list[str]:
    """Sentences without a full stop, the most important first; empty where nothing needs to be said.

    Args:
        comparison: what is shown.
        printed: for a paper: without what concerns the workspace alone.
    """
    return [
        *told_notes(comparison.lines),
        *joint_notes(comparison.lines),
        *protocol_notes(comparison.lines),
        *head_rule_notes(comparison.lines, printed),
        *_interval_notes(comparison),
        *([] if printed else _run_notes(comparison)),
    ]


def told_notes(lines: Sequence[Line]) -> list[str]:
    """Which lines are no rivals of the others."""
    labels = [line.label for line in lines if line.told_the_task]
    if not labels:
        return []
    return [
        f"{TOLD} told the true task of every sample: no router can choose better, and no rival of the others "
        f"({', '.join(dict.fromkeys(labels))})"
    ]


def joint_notes(lines: Sequence[Line]) -> list[str]:
    """Which lines do not learn one task after the other."""
    joint = [line.label for line in lines if line.jointly_trained]
    if not joint:
        return []
    return [
        "jointly trained, on all tasks at once: not continual, what one adapter can learn when nothing is forgotten "
        f"({', '.join(dict.fromkeys(joint))})"
    ]


def protocol_notes(lines: Sequence[Line]) -> list[str]:
    """That lines of several protocols are no rivals."""
    names = list(dict.fromkeys(line.protocol_name.upper() for line in lines))
    if len(names) < 2:
        return []
    til = ", and TIL tells the task of every sample" if "TIL" in names else ""
    return [
        f"several protocols ({', '.join(names)}), which ask for other things{til}: lines of one protocol are rivals"
    ]


def head_rule_notes(lines: Sequence[Line], printed: bool = False) -> list[str]:
    """Under which head rule CIL's numbers stand, and that rules must not be mixed unseen."""
    rules = list(dict.fromkeys(line.head_rule for line in lines if line.head_rule))
    if not rules:
        return []
    said = HEAD_RULE + ("" if printed else CHOOSE_RULE)
    if len(rules) == 1:
        return [f"CIL under the head rule '{rules[0]}': {said}"]
    return [
        f"CIL under several head rules ({', '.join(rules)}): {said}. A difference "
        "between lines of different rules may be the rule's and not the recipe's"
    ]


def _interval_notes(comparison: Comparison) -> list[str]:
    summaries = [line.summary(metric) for line in comparison.lines for metric in comparison.metrics]
    cut = any(summary is not None and summary.cut for summary in summaries)
    if not (cut or any(gap.difference.cut for gap in comparison.differences)):
        return []
    return [
        "intervals are Student's t, cut where the number can be no larger or smaller: the t distribution does not know "
        "that"
    ]


def _run_notes(comparison: Comparison) -> list[str]:
    said = []
    if comparison.repeats:
        said.append(
            "the same seed and order as another run of their line, and not counted twice: "
            f"{', '.join(comparison.repeats)}"
        )
    left_out = [f"{name} ({without_folders(why)})" for name, why in comparison.left_out.items()]
    if left_out:
        said.append(f"left out: {'; '.join(left_out)}")
    return said
