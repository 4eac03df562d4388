"""The numbers at the top of the page Routing: how many routes and predictions are right, and of which samples."""

from __future__ import annotations

from collections.abc import Sequence

from app.data.routing_records import RoutingRecords
from app.data.view import View
from app.figures.confidence import interval
from app.shell import widgets
from cl_core.errors import counted
from cl_core.evaluate.routing import router_accuracy, top_k_recall
from cl_core.runs.run_config import RunConfig


def draw(view: View, routed: RoutingRecords, adapters: Sequence[str]) -> None:
    """All of the samples of the tasks that are learnt: others have no adapter of their own, and may have no label yet.

    Args:
        view: what is looked at.
        routed: the stage's records.
        adapters: K numbered names.
    """
    if view.run is not None:
        widgets.metrics(numbers(view.run.config, routed, adapters))


def numbers(
    config: RunConfig, routed: RoutingRecords, adapters: Sequence[str]
) -> list[tuple[str, str, str]]:
    """What each is called, how much it is, and of which samples, with its 95 % interval.

    Args:
        config: of the run.
        routed: the stage's records.
        adapters: K numbered names.
    """
    learnt = routed.true < len(adapters)
    right, predicted = routed.right_route[learnt], routed.right_prediction[learnt]
    samples, wrong = len(right), int((~right).sum())
    forgiven = int((~right & predicted).sum())
    k = config.settings.router.k
    tasks = "task" if len(adapters) == 1 else counted(len(adapters), "task")
    of = f"of the {counted(samples, 'sample')} of the {tasks} learnt"
    route = router_accuracy(routed.weights[learnt], routed.true[learnt])
    rows = [
        (
            "Routing accuracy",
            f"{100 * route:.1f} %",
            f"share {of} whose top-1 adapter is their true task's; higher is better; "
            + interval(route, samples),
        )
    ]
    if config.recipe.router.traits.scores:
        recall = top_k_recall(routed.scores[learnt], routed.true[learnt], k)
        rows.append(
            (
                f"Top-{k} recall",
                f"{100 * recall:.1f} %",
                f"share {of} whose true task is among the k best scores; higher is better; "
                + interval(recall, samples),
            )
        )
    share = float(predicted.mean()) if samples else float("nan")
    rows += [
        (
            "Right predictions despite a wrong route",
            f"{forgiven} of {wrong}",
            f"{of} those with a wrong top-1 adapter that are predicted rightly all the same; "
            + interval(forgiven / max(wrong, 1), wrong),
        ),
        (
            "Accuracy",
            f"{100 * share:.1f} %",
            f"share {of} that are predicted rightly, each sample alike; tasks to come and held-out ones "
            "are not in it; higher is better; " + interval(share, samples),
        ),
    ]
    return rows
