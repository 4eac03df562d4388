"""Where the lab runs and what it holds, told without torch; what to send along with a question."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import streamlit as st

from app.data.runs import readable, workspace
from app.shell import preferences
from cl_core.archive.prune import Sizes
from cl_core.jobs.queue import Jobs
from cl_core.runs.environment import describe_environment
from cl_core.runs.published_text import backbone_title, without_folders

APP_PACKAGES = ("streamlit", "plotly", "umap-learn", "pandas", "scikit-learn", "open_clip_torch")


@st.cache_resource(show_spinner=False)
def environment() -> dict[str, Any]:
    """As a run's `environment.json`, with the app's packages; the device is what runs may find."""
    description = describe_environment(
        ", ".join(graphics_cards()) or "CPU: no NVIDIA driver answers"
    )
    description["packages"] |= {name: _version(name) for name in APP_PACKAGES}
    return description


def graphics_cards() -> list[str]:
    """Names that the NVIDIA driver gives; empty where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in said.stdout.splitlines() if line.strip()]


def as_text(sizes: Sizes) -> str:
    """All of it as JSON: versions, machine, runs, failures; no data and no names of files in it."""
    mine = workspace("Mine")
    jobs = Jobs(mine).all()
    report = {
        "environment": environment(),
        "offline": preferences.offline(),
        "bytes": {"runs": sum(sizes.runs.values()), "store": sizes.store, "rest": sizes.rest},
        "runs": [
            {
                "status": run.status,
                "recipe": run.recipe,
                "backbone": backbone_title(run.backbone or ""),
                "tasks": run.tasks,
            }
            for run in list(readable("Mine").values())[:20]
        ],
        "jobs": [
            {"state": job.state, "said": without_folders(job.log(3))}
            for job in jobs[-5:]
            if job.state == "failed"
        ],
    }
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
