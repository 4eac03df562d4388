"""The pages of docs/extending, carried out as they stand in a copy of the checkout: one file and one row each."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.extending.added import INSIDE
from tests.extending.documented import NAMES, ROOT, add, all_blocks, blocks
from tests.test_variable_names import WORDS, names_bound

pytestmark = pytest.mark.skipif(INSIDE, reason="a copy makes no copies of itself")
COPIED = ("adapter_lab", "cl_core", "app", "pages", "tests", "docs/extending")
HELD = (
    "tests/test_choices.py",
    "tests/test_imports.py",
    "tests/route/test_routers.py",
    "tests/backbones/test_sites.py",
)
"""Tests of all rows, which run on the added ones by themselves."""
WHERE = "import cl_core, app, pathlib; print(pathlib.Path(cl_core.__file__).parents[1])"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which all pages have been carried out, one after the other."""
    root = tmp_path_factory.mktemp("copy")
    for folder in COPIED:
        shutil.copytree(
            ROOT / folder, root / folder, ignore=shutil.ignore_patterns("demonstration")
        )
    (root / "app" / "demonstration").symlink_to(ROOT / "app" / "demonstration")
    shutil.copy2(ROOT / "pyproject.toml", root)
    for page in NAMES:
        add(root, page)
    return root


def carried_out(checkout: Path, *words: str) -> str:
    """What a module of Python's says, started in the checkout; it must end well."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    done = subprocess.run(
        [sys.executable, *words],
        cwd=checkout,
        env={**environment, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def test_the_list_of_pages_is_what_there_is() -> None:
    folder = ROOT / "docs" / "extending"
    assert {page.stem for page in folder.glob("*.md")} == {"README", *NAMES}
    table = (folder / "README.md").read_text(encoding="utf-8")
    for page in NAMES:
        (row,) = [block for block in blocks(page) if block.kind == "row"]
        (line,) = re.findall(rf"^\| \[{page}\.md\].*$", table, re.MULTILINE)
        assert line.endswith(f"| `{row.table}` in `{row.path}` |")


@pytest.mark.parametrize("page", NAMES)
def test_a_page_asks_for_one_file_and_one_row_at_most(page: str) -> None:
    kinds = sorted(block.kind for block in blocks(page))
    assert kinds in (["file", "row", "test"], ["file", "row"], ["row"])


def test_what_the_pages_add_is_in_the_house_style(checkout: Path) -> None:
    files = [block.path for block in all_blocks()]
    carried_out(checkout, "-m", "ruff", "check", *files)
    carried_out(checkout, "-m", "ruff", "format", "--check", *files)
    names = {name for block in all_blocks() for _, name in names_bound(block.code)}
    assert not names & WORDS


def test_what_the_pages_add_is_typed(checkout: Path) -> None:
    kept = ROOT / ".mypy_cache"
    cache = [f"--cache-dir={os.devnull}"]  # nobody reads this copy again
    if kept.is_dir():  # what `make lint` has read already
        shutil.copytree(kept, checkout / ".mypy_cache")
        cache = []
    files = [block.path for block in all_blocks() if block.kind != "test"]
    assert "Success" in carried_out(checkout, "-m", "mypy", *cache, *files)


def test_what_the_pages_add_is_at_home_in_the_lab(checkout: Path) -> None:
    """Its own tests, those that hold for every row, and `test_added.py`, which looks into terminal and app."""
    assert carried_out(checkout, "-c", WHERE).strip() == str(checkout)
    test_files = [block.path for block in all_blocks("test")]
    chosen = [
        "nearest",
        "camembert",
        "test_choices",
        "test_imports",
        "test_added",
        *(Path(path).stem for path in test_files),
    ]
    words = ["-p", "no:cacheprovider", "-k", " or ".join(chosen)]
    said = carried_out(
        checkout, "-m", "pytest", *words, *test_files, *HELD, "tests/extending/test_added.py"
    )
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 25
