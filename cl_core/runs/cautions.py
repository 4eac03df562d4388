"""What must be said beside a run's numbers, wherever they stand: that it is told the task, and CIL's head rule."""

from __future__ import annotations

from cl_core.runs.run_config import RunConfig

TOLD = "†"
"""Stands after the name of whatever is told the true task."""
TOLD_THE_TASK = "no router can choose better, and no rival of recipes that are not told"
"""What it means that a run is told the true task of every sample."""
HEAD_RULE = "how the heads of several tasks answer together can change an accuracy by more than the router does"
"""What the head rule of a CIL run means for its numbers."""
CHOOSE_RULE = " (--set head_rule=direct, compose or top1; docs/methods.md)"
"""Where the rule can be chosen: for the screen, not for a paper."""


def cautions(config: RunConfig, printed: bool = False) -> list[str]:
    """Sentences without a full stop; empty where nothing needs to be said.

    Args:
        config: of the run.
        printed: for a paper, where nothing can be chosen any more.
    """
    said = []
    if config.recipe.told_the_task:
        route = f"{config.recipe.route} route"
        said.append(f"told the true task of every sample ({route}): {TOLD_THE_TASK}")
    if config.head_rule is not None:
        said.append(
            f"CIL under the head rule '{config.head_rule}': {HEAD_RULE}{'' if printed else CHOOSE_RULE}"
        )
    return said


def named(config: RunConfig) -> str:
    """The run's name under its figures, which are taken along without their page: with its mark and its head rule."""
    marks = [f"{TOLD} told the true task"] if config.recipe.told_the_task else []
    marks += [f"head rule: {config.head_rule}"] if config.head_rule is not None else []
    return f"run {config.name} ({'; '.join(marks)})" if marks else f"run {config.name}"


def marked(config: RunConfig) -> str:
    """The recipe's name, with a mark where it is told the task."""
    return f"{config.recipe.name} {TOLD}" if config.recipe.told_the_task else config.recipe.name
