"""How long a workspace of a thousand runs takes to be listed, compared and opened in the browser.

    python benchmarks/speed/many_runs.py
    python benchmarks/speed/many_runs.py --workspace FOLDER --runs 500 --rounds 3 --keep

Makes the workspace of `full_workspace.py`, or takes FOLDER where there is one. Measured as whole processes: the
commands `runs`, `runs --json` and `compare`; and pages of a server that was started for it, from the first question of
the first visitor (`light_visitors.py`) to the last piece of the page, imports included. Each of them once without the
index of the workspace, which is then made, and with it as the best of `--rounds`. `--lab` measures the `adapter-lab` of
another checkout. `--keep` writes `benchmarks/results/many_runs.json`, which docs/reliability.md shows (`make tables`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the results that are kept
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' server

from full_workspace import fill
from light_visitors import LightVisitor
from results import Table, keep

from cl_core.store.folder_index import SETTLED_NS
from tests.browser.serving import OURS, Server

COMMANDS: dict[tuple[str, ...], float | None] = {
    ("runs",): 1.0,
    ("runs", "--json"): 1.0,
    ("compare",): None,
}
"""With the seconds that are promised."""
PAGES = {"Start": ("start", 2.0), "Compare": ("compare", 2.0), "Train": ("train", 2.0)}
"""By what the navigation calls them: their addresses, and the seconds that are promised."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, help="one that is there, or where to make it")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=100, help="of the long runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lab", nargs="+", default=list(OURS), help="the command to measure")
    parser.add_argument("--keep", action="store_true", help="write the result")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adapter-lab-") as folder:
        workspace = asked.workspace or Path(folder) / "workspace"
        if not (workspace / "runs").is_dir():
            fill(workspace, asked.runs, asked.tasks)
            time.sleep(SETTLED_NS / 1e9)  # what changed just now is not kept
        runs = len(list((workspace / "runs").iterdir()))
        rows = []
        for words, promised in COMMANDS.items():
            act = partial(command, asked.lab, words, workspace)
            rows.append(
                row(f"`adapter-lab {' '.join(words)}`", act, workspace, asked.rounds, promised)
            )
        for name, (page, promised) in PAGES.items():
            act = partial(cold, asked.lab, page, workspace, Path(folder) / "server.log")
            rows.append(row(name, act, workspace, asked.rounds, promised))
    titles = ["what", "first, without index (s)", "with it, best (s)", "worst (s)", "promised"]
    table = Table(titles, ["---", "---:", "---:", "---:", "---"], rows)
    print(f"{runs} runs\n\n{table.markdown()}")
    if asked.keep:
        print(keep("speed/many_runs", {"seconds": table}))


def row(
    what: str, act: Callable[[], float], workspace: Path, rounds: int, promised: float | None
) -> list[str]:
    """A line of the table; the index is taken away before the first time."""
    for file in workspace.glob("index.sqlite*"):
        file.unlink()
    first = act()
    times = [act() for _ in range(rounds)]
    cells = [f"{seconds:.2f}" for seconds in (first, min(times), max(times))]
    line = [what, *cells, "" if promised is None else f"under {promised:g}"]
    print("  ".join(line), flush=True)
    return line


def command(lab: Sequence[str], words: Sequence[str], workspace: Path) -> float:
    """Seconds of one process, from its start to its end.

    Raises:
        CalledProcessError: it ended with an error.
    """
    began = time.perf_counter()
    subprocess.run([*lab, *words, "--workspace", str(workspace)], check=True, capture_output=True)
    return time.perf_counter() - began


def cold(lab: Sequence[str], page: str, workspace: Path, log: Path) -> float:
    """Seconds of the first page of a server, once it listens.

    Raises:
        RuntimeError: the page has an error, or did not come.
    """
    with Server(workspace, log, lab) as server:
        visitor = LightVisitor(server.url, {"ws": "Mine"})
        visitor.open(page)
        if visitor.faults:
            raise RuntimeError("; ".join(visitor.faults))
        return visitor.times[0]


if __name__ == "__main__":
    main()
