"""The error of a run's file that cannot be read: which file, what is wrong with it, and what to do.

Whatever is wrong (cut short, another encoding, nested without end, something else altogether, edited since the run
wrote it, numbers that cannot be) is a `DamagedFile`, so that one run that is damaged stops nothing that looks at all
runs.
"""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

from pydantic import ValidationError

from cl_core.errors import UserError
from cl_core.settings import allowed

ANEW = "'adapter-lab resume {run}' writes it anew"
MENDING = {
    "run.yaml": "put a copy of it back, or remove {folder} and run it again",
    "events.jsonl": "put a copy of it back, or remove the file and 'adapter-lab resume {run}'",
    "lost.parquet": "'adapter-lab explain {run}' writes it anew",
    "lost-hashes.json": "'adapter-lab explain {run}' writes it anew",
    "choices.json": "put a copy of it back, or remove {folder} and run it again",
}
"""What to do about a damaged file, where it is not `ANEW`."""
MOST_SAID = 200


class DamagedFile(UserError):
    """A file of a run cannot be read.

    Args:
        file: which.
        why: what is wrong with it.

    Attributes:
        fault: which file, and what is wrong with it.
        said: that, and what to do.
    """

    def __init__(self, file: Path, why: Exception | str) -> None:
        run = file.parent.name
        todo = MENDING.get(file.name, ANEW).format(run=run, folder=file.parent)
        self.fault = f"{file.name} {_reason(why)}"
        self.said = f"{self.fault}; {todo}"
        super().__init__(f"run '{run}': {self.said}")


class DamagedList(DamagedFile):
    """A list of hashes cannot be read: a run can be resumed all the same, which writes it anew."""


def _reason(why: Exception | str) -> str:
    """In one line, without what only a programmer can read."""
    match why:
        case str():
            return why
        case UnicodeDecodeError():
            said = f"it is not UTF-8 (byte {why.object[why.start]:#04x} at {why.start})"
        case OSError(errno=errno.ELOOP):
            said = "its links lead in a circle"
        case FileNotFoundError():
            said = "it is not there, or is a link to what is not"
        case RecursionError():
            said = "it is nested too deeply"
        case ValidationError():
            first, *others = why.errors()
            field = ".".join(map(str, first["loc"]))
            said = f"{field}: {allowed(first)}" + (f", and {len(others)} more" if others else "")
        case json.JSONDecodeError():
            said = f"it is no JSON ({why})"
        case _:
            # pyarrow begins with the file's whole path
            said = re.sub(r"^Could not open [^']*'[^']*': ", "", " ".join(str(why).split())).rstrip(
                "."
            )
    return f"cannot be read: {said[:MOST_SAID]}"
