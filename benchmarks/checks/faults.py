"""What the fault harness tried, what held and what failed: the table of docs/reliability.md.

    python benchmarks/checks/faults.py            # everything (`make faults`), fifty minutes of two cores
    python benchmarks/checks/faults.py --fast     # what the tests try each time, a few minutes
    python benchmarks/checks/faults.py --list     # what would be tried

Carries out `tests/faults`, counts by the kind that a test is marked with, and keeps the counts. A test may count
several faults (`record_property`). The exit status is 1 when one did not hold.

Workspaces lie in memory where the system has room for files there: a killed process leaves the same on any disk, and
none has to wait for one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

# The processes that share the tests are given this path, too.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from results import Table, keep

ROOT = Path(__file__).resolve().parents[2]
MEMORY = "/dev/shm"  # noqa: S108 - a folder of its own is made there
"""Where Linux keeps files in memory."""


KIND = "fault"
"""What `tests/faults/conftest.py` notes of each test: the kind that it is marked with."""


class FaultCounts:
    """Counts faults by kind, as pytest's plugin.

    Attributes:
        tried: by kind.
        failed: by kind.
        skipped: tests that could not be tried here.
    """

    def __init__(self) -> None:
        self.tried: dict[str, int] = defaultdict(int)
        self.failed: dict[str, int] = defaultdict(int)
        self.skipped = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts what a test tried, in this process or in another."""
        self.skipped += report.skipped
        noted = dict(report.user_properties)
        if KIND not in noted or report.skipped:
            return
        if report.when == "call" or report.failed:
            kind = str(noted[KIND])
            self.tried[kind] += int(str(noted.get("tried", 1)))
            self.failed[kind] += max(int(str(noted.get("failed", 0))), int(report.failed))

    def table(self) -> Table:
        """A row for each kind."""
        rows = [
            [kind, str(tried), str(tried - self.failed[kind]), str(self.failed[kind])]
            for kind, tried in sorted(self.tried.items())
        ]
        return Table(["kind", "tried", "held", "failed"], ["---", "---:", "---:", "---:"], rows)


def main() -> None:
    """Tries, keeps the table, and shows it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="only what the tests try each time")
    parser.add_argument("--list", action="store_true", help="try nothing, and say what would be")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at once")
    chosen = parser.parse_args()
    if not chosen.fast:
        os.environ["FAULTS"] = "whole"
    os.environ["OMP_NUM_THREADS"] = "1"
    os.chdir(ROOT)
    if chosen.list:
        sys.exit(pytest.main(["tests/faults", "--collect-only"]))
    counts = FaultCounts()
    memory = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="faults-", dir=memory) as folder:
        shared = [
            "-n",
            str(chosen.processes),
            "--dist",
            "worksteal",
            "--basetemp",
            f"{folder}/tests",
        ]
        status = pytest.main(["tests/faults", *shared], plugins=[counts])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        sys.exit(f"not everything was tried ({status}): nothing is kept")
    table = counts.table()
    file = keep("checks/faults", {"faults": table})
    print(f"{table.markdown()}\nnot tried here: {counts.skipped} tests\nkept in {file}")
    sys.exit(1 if status else 0)


if __name__ == "__main__":
    main()
