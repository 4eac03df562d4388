"""A shared lab: its server, and a workspace with something for every command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cl_core.jobs.job import Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from tests.app.serving.sharing_server import SharingServer
from tests.remade_runs import remade

HERE = r"'(127\.0\.0\.1|localhost|0\.0\.0\.0)'"
"""What processes of the server may ask for, all the time: this machine."""
STREAM = """name: mine
protocol: dil
tasks:
- name: films
  path: films.csv
  kind: text
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a stream and a job that can be gone on with: something for every command."""
    workspace = Workspace(tmp_path_factory.mktemp("shared") / "workspace")
    streams = workspace.root / "streams"
    streams.mkdir(parents=True)
    rows = "".join(
        f"{split},word {row},{row % 2}\n"
        for split in ("train", "validation", "test")
        for row in range(4)
    )
    (streams / "films.csv").write_text("split,text,label\n" + rows)
    (streams / "mine.yaml").write_text(STREAM)
    remade(workspace, "dam", "seen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Jobs, "wake", lambda self: None)
        job = Jobs(workspace).submit(Request(run="long", stream="domains-dil", recipe="dam"))
    job.begin()
    job.end(Outcome(state="stopped"))
    return workspace.root


@pytest.fixture(scope="module")
def server(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharingServer]:
    folder = tmp_path_factory.mktemp("sharing")
    with SharingServer(mine, folder, "--share", "--address", "lab.example.org") as started:
        yield started
        outside = [line for line in started.asked if not re.search(HERE, line)]
    assert not outside, outside
