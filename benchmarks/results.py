"""Kept results: what a benchmark measured, with commit and machine, and the tables of docs/ that show it.

    python benchmarks/results.py            write the tables between their marks
    python benchmarks/results.py --check    fail where a page differs

A file `benchmarks/results/NAME.json` holds what one script measured. A page names a table of it between two marks,
`<!-- benchmark: NAME/TABLE -->` and `<!-- end -->`; what stands there is made from the
file and is never edited by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS_FOLDER = ROOT / "benchmarks" / "results"
MARKED = re.compile(r"(<!-- benchmark: ([\w-]+)/([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Table:
    """Numbers as a page shows them.

    Attributes:
        columns: titles.
        align: of each column as Markdown has it: "---" or "---:".
        rows: cells, as many as there are columns.
    """

    columns: list[str]
    align: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """The table, a line each for the titles, the rule and the rows."""
        lines = (self.columns, self.align, *self.rows)
        padded = ([f" {cell} " if cell else " " for cell in line] for line in lines)
        return "".join(f"|{'|'.join(cells)}|\n" for cells in padded)


@dataclass(frozen=True)
class Result:
    """What one script measured.

    Attributes:
        benchmark: the script.
        commit: of the code that was measured, or None where none was noted at the time.
        source: where the numbers come from, where they were not written by the script itself: the commit in which
            they came into the page, by table.
        machine: on which.
        date: UTC, of the measurement or of the newest such commit.
        load: the machine's load averages over 1, 5 and 15 minutes as it ended, where they were noted.
        tables: by name.
    """

    benchmark: str
    commit: str | None
    source: dict[str, str] | None
    machine: str
    date: str
    load: list[float] | None
    tables: dict[str, Table]


def keep(benchmark: str, tables: Mapping[str, Table], kept: Path = RESULTS_FOLDER) -> Path:
    """Writes what a script measured just now, and returns the file.

    Args:
        benchmark: the script, from this folder on and without its ending: "speed/startup".
        tables: by name.
        kept: the folder of results.
    """
    result = Result(
        benchmark=f"benchmarks/{benchmark}.py",
        commit=_commit(),
        source=None,
        machine=f"{os.cpu_count()} x {_processor()}, {platform.system()}, Python {platform.python_version()}",
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        load=[round(minutes, 2) for minutes in os.getloadavg()],
        tables=dict(tables),
    )
    file = kept / f"{Path(benchmark).name}.json"
    kept.mkdir(exist_ok=True)
    text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")
    return file


def load(name: str, kept: Path = RESULTS_FOLDER) -> Result:
    """What `NAME.json` holds."""
    fields = json.loads((kept / f"{name}.json").read_text(encoding="utf-8"))
    fields["tables"] = {name: Table(**table) for name, table in fields["tables"].items()}
    return Result(**fields)


def written(page: str, kept: Path = RESULTS_FOLDER) -> str:
    """A page's text with each marked table as its result says.

    Raises:
        FileNotFoundError: there is no such result.
        KeyError: it has no such table.
    """

    def table(marks: re.Match[str]) -> str:
        begin, name, wanted, end = marks.groups()
        return f"{begin}{load(name, kept).tables[wanted].markdown()}{end}"

    return MARKED.sub(table, page)


def pages() -> list[Path]:
    """Those that show results."""
    return [
        page for page in sorted(ROOT.glob("docs/*.md")) if MARKED.search(page.read_text("utf-8"))
    ]


def _commit() -> str:
    """The commit that is checked out, and whether anything differs from it."""
    line = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.+)", facts.read_text()) if facts.is_file() else None
    return named[1] if named else platform.processor() or platform.machine()


def main() -> None:
    """Writes the pages, or says which differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    differing = []
    for page in pages():
        text = page.read_text("utf-8")
        if written(text) != text:
            differing.append(page.name)
            if not check:
                page.write_text(written(text), encoding="utf-8")
    print(f"{'differ' if check else 'written'}: {', '.join(differing) or 'none'}")
    if check and differing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
