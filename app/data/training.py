"""Training in words and numbers: states of jobs, durations, failures and what to do about them; no widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from cl_core.jobs.job import State
from cl_core.reports.run_summary import RunSummary

Colour = Literal["gray", "blue", "green", "orange", "red"]
STATES: dict[State, tuple[str, str, Colour]] = {
    "queued": ("waiting", ":material/hourglass_empty:", "gray"),
    "running": ("training", ":material/play_circle:", "blue"),
    "finished": ("finished", ":material/check_circle:", "green"),
    "stopped": ("stopped", ":material/pause_circle:", "orange"),
    "failed": ("failed", ":material/error:", "red"),
    "interrupted": ("interrupted", ":material/power_off:", "orange"),
    "damaged": ("damaged", ":material/broken_image:", "red"),
    "cancelled": ("cancelled", ":material/cancel:", "gray"),
}
"""What a state is called, its icon and its colour."""
STILL: tuple[str, str, Colour] = ("stands still", ":material/pause_circle:", "orange")
"""The same of a job whose process was stopped by a signal."""

WAYS_OUT = (
    ("out of memory", "Choose a smaller batch size, a shorter max length, or the CPU."),
    ("no space left", "Free some disk space (Settings shows what uses it), then resume."),
    (
        "exists with other settings",
        "A run of this name was made differently: run again under another name.",
    ),
    (
        "tasks; stream",
        "Choose a backbone that reads this kind of task, under *Change the settings*.",
    ),
    ("changed since it began", "Start a new run; whatever is unchanged is not computed again."),
    (
        "there is no stream",
        "The stream's file is gone or was renamed: choose another under *Change the settings*.",
    ),
    ("stream '", "Open the stream on the page *Stream*: it lists every problem with its row."),
    ("hub", "Go online once, or give the data as a file or folder."),
    ("cuda", "Choose the device cpu under *Change the settings*."),
)
"""Words of a failure, in order, and what to do about it."""
OTHERWISE = (
    "Fix what the message names and resume: the run continues from its last checkpoint. "
    "The log has the details."
)


def way_out(message: str) -> str:
    """What to do about a failure, in Markdown of our own."""
    lower = message.lower()
    return next((advice for words, advice in WAYS_OUT if words in lower), OTHERWISE)


def duration(seconds: float) -> str:
    """ "45 s", "3 min", "2 h 5 min": as exact as an estimate is."""
    if seconds < 100:
        return f"{max(round(seconds), 0)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def measured(
    runs: Iterable[tuple[str, RunSummary]], backbone: str, max_length: int
) -> tuple[float, str] | None:
    """Seconds per training sample and epoch with this backbone, and the newest run that knows."""
    for name, summary in runs:
        same = (summary.backbone, summary.max_length) == (backbone, max_length)
        if same and summary.pace is not None:
            return summary.pace, name
    return None


def rows_learnt(rows: Mapping[str, int], limit: int | None) -> int:
    """Training samples of all tasks together, each cut to the limit."""
    return sum(count if limit is None else min(count, limit) for count in rows.values())
