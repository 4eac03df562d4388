"""How long the terminal takes to answer, and which heavy modules it imports for that.

    python benchmarks/speed/startup.py

Measured: the wall time of whole processes, `adapter-lab --help` and `adapter-lab recipes`, the best of
five each; the target is less than 1 s each. Then each command is carried out in a fresh interpreter
that lists the modules it has imported: torch, transformers and datasets must not be among them. The ten
imports that take longest are named, for whoever wants to make it faster. `--keep` writes the times to
`benchmarks/results/startup.json`, which docs/results.md shows (`make tables`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the results that are kept

from results import Table, keep

COMMANDS = (("--help",), ("recipes",))
TARGET_SECONDS = 1.0
FORBIDDEN = ("torch", "transformers", "datasets")
HEAVY = (*FORBIDDEN, "numpy", "pyarrow", "pandas", "sklearn", "safetensors", "rich", "pydantic")

# What the console script `adapter-lab` does; written out, so that the interpreter can be asked afterwards.
START = "from cl_core.cli import main; main()"
LISTING = f"""
import sys
from cl_core.cli import main
try:
    main()
finally:
    print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="processes started per command")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/startup.json")
    chosen = parser.parse_args()
    rows = []
    for command in COMMANDS:
        times = [seconds(command) for _ in range(chosen.rounds)]
        verdict = "meets" if min(times) < TARGET_SECONDS else "misses"
        print(
            f"adapter-lab {' '.join(command)}: {min(times):.2f} s, best of {len(times)} "
            f"(worst {max(times):.2f} s): {verdict} the target of less than {TARGET_SECONDS:g} s"
        )
        line, best, worst = f"`adapter-lab {' '.join(command)}`", min(times), max(times)
        rows.append([line, f"{best:.2f}", f"{worst:.2f}", f"under {TARGET_SECONDS:g}"])
        modules = imported(command)
        forbidden = [name for name in modules if name in FORBIDDEN]
        print(f"  of {', '.join(HEAVY)} it imports: {', '.join(modules) or 'none'}")
        print(
            f"  {'misses' if forbidden else 'meets'}: {', '.join(FORBIDDEN)} "
            f"{'must not be imported, but ' + ', '.join(forbidden) + ' is' if forbidden else 'are not imported'}"
        )
    if chosen.keep:
        titles = ["command", f"best of {chosen.rounds} (s)", "worst (s)", "promised"]
        print(
            keep("speed/startup", {"seconds": Table(titles, ["---", "---:", "---:", "---"], rows)})
        )
    for command in COMMANDS:
        longest = ", ".join(f"{name} {share * 1e3:.0f} ms" for name, share in slowest(command))
        print(f"imported longest by {' '.join(command)}, without what they import: {longest}")


def seconds(command: Sequence[str]) -> float:
    """Wall time of one process, from its start to its end."""
    began = time.perf_counter()
    python("-c", START, *command)
    return time.perf_counter() - began


def imported(command: Sequence[str]) -> list[str]:
    """Which of `HEAVY` are imported once the command has answered."""
    return python("-c", LISTING, *command).stderr.splitlines()[-1].split()


def slowest(command: Sequence[str], count: int = 10) -> list[tuple[str, float]]:
    """The modules that take longest to import, with their own seconds."""
    lines = python("-X", "importtime", "-c", START, *command).stderr.splitlines()
    # import time: self [us] | cumulative | imported package
    fields = [line.removeprefix("import time:").split("|") for line in lines if "|" in line][1:]
    seconds = [(name.strip(), int(micro) / 1e6) for micro, _, name in fields]
    return sorted(seconds, key=lambda module: -module[1])[:count]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter.

    Raises:
        CalledProcessError: it ended with an error.
    """
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, env=environment
    )


if __name__ == "__main__":
    main()
