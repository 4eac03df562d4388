"""Which rule should heads trained apart answer by (CIL)? Chosen on validation data of streams that no report uses.

    CL_DATA=FOLDER python benchmarks/head_rules.py --workspace DIR

Prints average accuracy on validation rows of `wos` and `domains` after the last task, for DAM with each rule.
"""

from __future__ import annotations

import argparse

import cl_core as cl

SETTINGS = {
    "limit_train": 300,
    "limit_validation": 100,
    "epochs": 4,
    "learning_rate": 1e-3,
    "max_length": 64,
    "split": "validation",
}


def main() -> None:
    """Carries out DAM with each rule; the adapters are the same, so they are trained once."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workspace", default="workspace")
    parser.add_argument("--streams", nargs="+", default=["wos", "domains"])
    arguments = parser.parse_args()
    for stream in arguments.streams:
        for rule in ("direct", "compose", "top1"):
            run = cl.run(
                stream,
                "dam",
                name=f"rule-{stream}-{rule}",
                workspace=arguments.workspace,
                precision="bfloat16",
                **SETTINGS,
                head_rule=rule,
            )
            print(f"{stream} {rule}: {100 * run.metrics['average_accuracy']:.1f} %", flush=True)


if __name__ == "__main__":
    main()
