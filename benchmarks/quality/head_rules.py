"""Which rule should heads trained apart answer by (CIL)? Chosen on validation samples, none of `domains` in any report.

    CL_DATA=FOLDER python benchmarks/quality/head_rules.py --workspace DIR --recipes dam l2r-wavg l2r-merge --seeds 0 1

Prints average accuracy on validation samples after the last task, for each recipe with each rule.
"""

from __future__ import annotations

import argparse
from typing import Any

import cl_core as cl
from cl_core.evaluate.statistics import format_summary, summarise

SETTINGS: dict[str, Any] = {
    "limit_validation": 100,
    "epochs": 4,
    "learning_rate": 1e-3,
    "max_length": 64,
    "split": "validation",
}


def main() -> None:
    """Carries out each recipe with each rule; the adapters are the same, so they are trained once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workspace", default="workspace")
    parser.add_argument("--streams", nargs="+", default=["wos", "domains"])
    parser.add_argument("--recipes", nargs="+", default=["dam"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, default=300, help="training samples a task")
    asked = parser.parse_args()
    for stream in asked.streams:
        for recipe in asked.recipes:
            for rule in ("direct", "compose", "top1"):
                accuracies = [accuracy(asked, stream, recipe, rule, s) for s in asked.seeds]
                print(
                    f"{stream} {recipe} {rule}: {format_summary(summarise(accuracies))}", flush=True
                )


def accuracy(asked: argparse.Namespace, stream: str, recipe: str, rule: str, seed: int) -> float:
    """Average accuracy in per cent after the last task."""
    run = cl.run(
        stream,
        recipe,
        name=f"rule-{stream}-{recipe}-{rule}-seed{seed}",
        workspace=asked.workspace,
        limit_train=asked.rows,
        precision="bfloat16",
        seed=seed,
        router_stages="last",
        **SETTINGS,
        head_rule=rule,
    )
    return 100 * run.metrics["average_accuracy"]


if __name__ == "__main__":
    main()
