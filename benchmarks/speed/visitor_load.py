"""Many visitors beside a training job: whether pages come, memory stays, and training goes on.

    python benchmarks/speed/visitor_load.py --minutes 10 --visitors 30 --keep

A server is started on a workspace with a copy of the demonstration; visitors who speak Streamlit's own protocol
(`light_visitors.py`) go from page to page with pauses of one to three seconds, while runs are trained one after the
other in a process of their own. One visitor opens every page before; then a fifth of the time is warm-up. Promised: no
error; 95 of 100 pages within 3 s; memory of the server with all that it started, at the end within 10 % of what it was
after the warm-up; and a run beside the visitors takes no longer than its share of the machine says: its time alone,
times cores / (cores - what the server and the visitors took), with a tenth for the measurement. Ends with status 1
where one of these is broken.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the results that are kept
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # for the tests' server and backbone

from full_workspace import SMALL
from light_visitors import LightVisitor
from results import Table, keep

from app.data.bundled import NAMES
from app.data.runs import DEMONSTRATION
from cl_core.archive.copy import copy_runs
from cl_core.runs.workspace import Workspace
from tests.backbones.checkpoints import write_checkpoint
from tests.browser.serving import OURS, Server

PAGES = ("", "stream", "train", "routing", "sample", "forgetting", "compare", "learn", "settings")
"""All but the map, which a worker computes for a minute where nobody has asked for it before."""
MOST_VISITORS = 50
"""A measurement, no attack: on the loopback interface alone, and never more."""
P95, GROWTH, TOLERANCE = 3.0, 0.10, 0.10
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Processes:
    """A process with all that it started, read from /proc."""

    root: int
    samples: list[tuple[float, int]] = field(default_factory=list)

    def ids(self) -> list[int]:
        """Of the process and its descendants."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:  # it has just ended
                    continue
                parents[int(entry.name)] = int(fields[1])
        family = {self.root}
        while more := {child for child, parent in parents.items() if parent in family} - family:
            family |= more
        return sorted(family)

    def memory(self) -> int:
        """Resident bytes of all of them."""
        return sum(_kilobytes(process) for process in self.ids()) * 1024

    def seconds(self) -> float:
        """Of processor time that those alive have taken."""
        return sum(_ticks(process) for process in self.ids()) / TICKS

    def watch(self, until: float) -> None:
        """Notes the memory each second."""
        while (now := time.perf_counter()) < until:
            self.samples.append((now, self.memory()))
            time.sleep(1)


def _kilobytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _ticks(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


class Training:
    """Runs that are carried out one after the other, each of the same work.

    Args:
        workspace: where they go.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.backbone = write_checkpoint("bert", workspace / "data" / "backbone")
        self.number = 0

    def run(self) -> float:
        """Seconds of one.

        Raises:
            CalledProcessError: it failed.
        """
        self.number += 1
        words = [*OURS, "run", "--stream", "domains-dil", "--recipe", "dam", "--device", "cpu"]
        words += ["--seed", str(self.number), "--name", f"trained-{self.number}"]
        words += ["--workspace", str(self.workspace)]
        settings = {**SMALL, "limit_train": 200, "epochs": 8, "backbone": self.backbone}
        for name, value in settings.items():
            words += ["--set", f"{name}={value}"]
        began = time.perf_counter()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(words, check=True, capture_output=True, env=environment)
        return time.perf_counter() - began

    def until(self, moment: float) -> list[float]:
        """Seconds of each run that is begun before a moment of `perf_counter`."""
        times = []
        while time.perf_counter() < moment:
            times.append(self.run())
        return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--visitors", type=int, default=30, help=f"at most {MOST_VISITORS}")
    parser.add_argument("--keep", action="store_true", help="write the result")
    asked = parser.parse_args()
    visitors, seconds = min(asked.visitors, MOST_VISITORS), asked.minutes * 60
    with tempfile.TemporaryDirectory(prefix="adapter-lab-") as folder:
        workspace = Path(folder) / "workspace"
        copy_runs(Workspace(DEMONSTRATION), Workspace(workspace), list(NAMES))
        training = Training(workspace)
        training.run()  # features and files are read for the first time
        alone = [training.run() for _ in range(3)]
        with Server(workspace, Path(folder) / "server.log") as server:
            if server._process is None:
                raise RuntimeError("the server does not run")
            processes = Processes(server._process.pid)
            there = [
                LightVisitor(server.url, {"ws": "Mine", "run": "dam"}) for _ in range(visitors)
            ]
            for page in PAGES:  # what a server imports and starts for its first visitor
                LightVisitor(server.url, {"ws": "Mine", "run": "dam"}).open(page)
            began = time.perf_counter()
            until = began + seconds
            spent = processes.seconds(), time.process_time()
            threads = [
                threading.Thread(target=visitor.stay, args=(PAGES, seconds, seed))
                for seed, visitor in enumerate(there)
            ]
            threads.append(threading.Thread(target=processes.watch, args=(until,)))
            for thread in threads:
                thread.start()
            beside = training.until(until)
            taken = processes.seconds() - spent[0] + time.process_time() - spent[1]
            passed = time.perf_counter() - began
            for thread in threads:
                thread.join()
    rows, kept = judged(there, processes, (alone, beside), taken / passed, (began, seconds))
    table = Table(["what", "measured", "promised"], ["---", "---:", "---"], rows)
    print(f"{visitors} visitors, {asked.minutes:g} minutes\n\n{table.markdown()}")
    for fault in {fault for visitor in there for fault in visitor.faults}:
        print(f"- {fault}")
    if asked.keep:
        print(keep("speed/visitor_load", {"load": table}))
    if not kept:
        raise SystemExit(1)


def judged(
    visitors: list[LightVisitor],
    processes: Processes,
    runs: tuple[list[float], list[float]],
    cores_taken: float,
    span: tuple[float, float],
) -> tuple[list[list[str]], bool]:
    """Lines of the table, and whether all promises are kept.

    Args:
        visitors: who were there.
        processes: the server's.
        runs: seconds of each run alone, and beside the visitors.
        cores_taken: by the server and the visitors, on average.
        span: when they came, and for how long.
    """
    came, seconds = span
    steady = [at for at in processes.samples if at[0] > came + seconds / 5]
    third = max(len(steady) // 3, 1)
    first, last = (
        float(np.median([b for _, b in part])) for part in (steady[:third], steady[-third:])
    )
    times = [taken for visitor in visitors for taken in visitor.times]
    faults = sum(len(visitor.faults) for visitor in visitors)
    p95, growth = float(np.quantile(times, 0.95)), last / first - 1
    cores = os.cpu_count() or 1
    alone, beside = (float(np.median(its)) for its in runs)
    share = cores / max(cores - cores_taken, 0.1)
    slower = beside / alone
    rows = [
        ["errors", str(faults), "0"],
        ["pages", str(len(times)), ""],
        ["page, median (s)", f"{np.median(times):.2f}", ""],
        ["page, p95 (s)", f"{p95:.2f}", f"under {P95:g}"],
        ["memory after the warm-up (MB)", f"{first / 1e6:.0f}", ""],
        ["memory at the end, against that", f"{100 * growth:+.1f} %", f"within {100 * GROWTH:g} %"],
        ["cores that server and visitors took", f"{cores_taken:.2f} of {cores}", ""],
        ["a run alone (s)", f"{alone:.1f}", ""],
        [
            "a run beside them, times that",
            f"{slower:.2f}",
            f"at most {share * (1 + TOLERANCE):.2f}",
        ],
    ]
    kept = not faults and p95 < P95 and abs(growth) <= GROWTH and slower <= share * (1 + TOLERANCE)
    return rows, kept


if __name__ == "__main__":
    main()
