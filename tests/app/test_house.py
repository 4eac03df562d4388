"""What the app may not do: import what takes seconds, or let plotly leak out of its folder."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import app

HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "sklearn",
    "umap",
    "numba",
    "open_clip",
    "torchvision",
)
ROOT = Path(app.__file__).parents[1]


def test_no_module_of_the_server_imports_what_takes_seconds() -> None:
    """All but the entry point, which draws a page, and what runs in processes of its own: workers, and a script."""
    names = [
        module.name
        for module in pkgutil.walk_packages([str(ROOT / "app")], "app.")
        if module.name not in ("app.main", "app.demonstration_assets")
        and not module.name.startswith("app.workers.")
    ]
    assert len(names) > 30
    code = (
        f"import sys, {', '.join(names)}; print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_plotly_is_imported_by_the_figures_alone() -> None:
    """Elsewhere at most for the checker of types."""
    importing = {
        file.relative_to(ROOT).as_posix()
        for folder in ("app", "pages")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"^(import|from) plotly", file.read_text(encoding="utf-8"), re.M)
    }
    assert importing
    assert all(name.startswith("app/figures/") for name in importing), importing


def test_processes_that_import_the_app_are_started_by_what_knows_where_it_lies() -> None:
    """By `adapter_lab.command`: otherwise they begin in the checkout, and nowhere else.

    The core begins its own in the queue, and pip, which is none of ours.
    """
    direct = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for folder in ("adapter_lab", "app", "pages", "cl_core")
        for file in (ROOT / folder).rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "sys.executable" in line
    ]
    assert sorted(direct) == [
        'adapter_lab/__init__.py: return [sys.executable, "-P", "-m", module, *words]',
        'cl_core/backbones/fetch/wheel_download.py: PIP = (sys.executable, "-P", "-m", "pip")',
        'cl_core/jobs/job.py: PYTHON = (sys.executable, "-P", "-m")',
    ]


def test_no_process_of_ours_begins_with_the_folder_where_the_user_is() -> None:
    """A module `cl_core`, `app` or `torch` that lies there would be taken for the lab's."""
    lines = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for folder in ("adapter_lab", "app", "pages", "cl_core", "benchmarks")
        for file in (ROOT / folder).rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r'"-m"', line)
    ]
    assert len(lines) >= 5
    assert [line for line in lines if '"-P", "-m"' not in line] == []


def test_processes_of_the_server_are_tied_to_it() -> None:
    """By `app/workers/tether.py`, so that none outlives it; what asks the driver for its cards waits five seconds.

    Forks of one that is tied are tied again: `test_they_all_end_with_the_server_that_asked`.
    """
    starting = {
        file.relative_to(ROOT).as_posix()
        for folder in ("app", "pages")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(
            r"subprocess\.(Popen\(|run\(|call|check_)|os\.(system|fork|spawn|popen|posix_spawn)|multiprocessing",
            file.read_text(encoding="utf-8"),
        )
    }
    assert starting == {
        "app/workers/tether.py",
        "app/workers/preloaded.py",
        "app/settings/diagnostics.py",
    }


def test_files_to_take_along_are_offered_by_what_says_why_one_cannot_be_made() -> None:
    offering = [
        file.relative_to(ROOT).as_posix()
        for folder in ("app", "pages")
        for file in (ROOT / folder).rglob("*.py")
        if "download_button(" in file.read_text(encoding="utf-8")
    ]
    assert offering == ["app/shell/downloads.py"]
