"""What the pages of docs/extending add, in this process and in those that it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cl_core as cl
from app.data import answer_client
from cl_core import choices
from tests.app.conftest import components_are_looked_for_once, menus_are_open, open_page
from tests.backbones.checkpoints import write_checkpoint
from tests.extending.added import ANCHORED, INSIDE, THEIRS
from tests.extending.documented import OUTSIDE, ROOT, notebook, package
from tests.small_runs import SMALL

__all__ = ["components_are_looked_for_once", "menus_are_open", "open_page"]


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A folder with a package that adds all that the pages add; None where the rows stand in the tables themselves."""
    if INSIDE:
        return None
    site = tmp_path_factory.mktemp("site")
    package(site)
    return site


@pytest.fixture(scope="module")
def listed(distribution: Path | None) -> Iterator[None]:
    """The rows are there, in this process and in those that it starts; afterwards they are not."""
    with pytest.MonkeyPatch.context() as patch:
        paths = [ROOT] if distribution is None else [distribution, ROOT]
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))
        if distribution is not None:
            for table in choices._LISTS.values():
                patch.setattr(table, "_rows", {row.name: row for row in table.values()})
            patch.syspath_prepend(str(distribution))
            from_a_notebook: dict[str, Any] = {}
            exec(notebook(), from_a_notebook)  # noqa: S102 - our own page
            assert from_a_notebook["mine"].model_copy(update={"name": THEIRS.name}) == THEIRS
        answer_client.worker.clear()
        yield
    answer_client.worker.clear()
    for name in [name for name in sys.modules if name.split(".")[0] == OUTSIDE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def small_workspace(listed: None, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run of each of the two recipes; that with the added router is on the added architecture."""
    root = tmp_path_factory.mktemp("added")
    options = {**SMALL, "epochs": 1, "device": "cpu", "workspace": root / "workspace"}
    added = write_checkpoint("camembert", root / "camembert")
    for recipe, backbone in ((THEIRS, added), (ANCHORED, tiny)):
        cl.run("domains-dil", recipe, name=recipe.name, backbone=str(backbone), **options)
    return root / "workspace"
