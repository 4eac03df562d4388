"""Each command of each page as if its button stood there for a guest, too: it is refused where it would write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.serving import rights
from app.shell import sharing
from cl_core.jobs.job import Outcome, Request
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from cl_core.store import key as key_of
from tests.app.conftest import Open

REFUSED = "Guests have read\\-only access"
STREAM = """name: mine
protocol: dil
tasks:
- {name: films, path: films.csv}
- {name: books, path: films.csv}
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with something for every command: a stream, an artifact that nobody needs, jobs."""
    workspace = Workspace(tmp_path_factory.mktemp("guest") / "workspace")
    inputs = {"of": "nothing"}
    workspace.store.write("timing", key_of("timing", inputs), inputs, data={"seconds": 1.0})
    streams = workspace.root / "streams"
    streams.mkdir(exist_ok=True)
    rows = [
        f"{split},word {row},{row % 2}"
        for split in ("train", "test", "validation")
        for row in range(4)
    ]
    (streams / "films.csv").write_text("\n".join(["split,text,label", *rows]))
    (streams / "mine.yaml").write_text(STREAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Jobs, "wake", lambda self: None)
        for run in ("ended", "waiting"):
            job = Jobs(workspace).submit(Request(run=run, stream="domains-dil", recipe="dam"))
            if run == "ended":
                job.begin()
                job.end(Outcome(state="stopped"))
    return workspace.root


@pytest.fixture
def shown_as_host(monkeypatch: pytest.MonkeyPatch, kept: Path) -> None:
    """Everything is drawn as for the host, and whoever presses it is a guest."""
    monkeypatch.setattr(sharing, "rights", SimpleNamespace(role=lambda: "host"))
    monkeypatch.setattr(rights, "role", lambda: "guest")
    monkeypatch.setattr(Jobs, "wake", lambda self: None)


def as_it_is(workspace: Path) -> dict[str, str]:
    return {
        str(path.relative_to(workspace)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else ""
        for path in sorted(workspace.rglob("*"))
        if path.suffix != ".lock"
    }


def jobs_of(run: str) -> Callable[[AppTest], None]:
    def choose(page: AppTest) -> None:
        page.segmented_control(key="show").set_value("Jobs").run()
        page.radio(key="job").set_value(run).run()

    return choose


def stream(label: str) -> Callable[[AppTest], None]:
    return lambda page: page.selectbox(key="stream").set_value(label).run()


def a_new_run(page: AppTest) -> None:
    page.segmented_control(key="show").set_value("New run").run()


def nothing(page: AppTest) -> None:
    """The page as it opens."""


def sure(page: AppTest) -> None:
    page.checkbox(key="sure").check()


def a_path(page: AppTest) -> None:
    page.text_input(key="take-in-path").set_value("films.csv")


MINE = "streams/mine.yaml"
COMMANDS: dict[str, tuple[str, Callable[[AppTest], None]]] = {
    "start": ("train", a_new_run),
    "stop": ("train", jobs_of("waiting")),
    "go-on": ("train", jobs_of("ended")),
    "remove": ("train", jobs_of("ended")),
    "again-start": ("train", jobs_of("ended")),
    "new-create": ("stream", nothing),
    "copy-create": ("stream", nothing),
    "remove-now": ("stream", stream(MINE)),
    "later-films": ("stream", stream(MINE)),
    "remove-films": ("stream", stream(MINE)),
    "remove-unused": ("settings", sure),
    "take-in-now": ("settings", a_path),
}
"""Key of a button -> its page, and what is to be done there before it stands there."""


@pytest.mark.usefixtures("shown_as_host")
@pytest.mark.parametrize("key", COMMANDS)
def test_a_guests_command_is_refused_where_it_would_write(
    key: str, open_page: Open, kept: Path
) -> None:
    before = as_it_is(kept)
    name, prepare = COMMANDS[key]
    page = open_page(name, workspace=kept)
    prepare(page)
    assert key in [button.key for button in page.button], [button.key for button in page.button]
    page.button(key=key).click().run()
    assert not page.exception
    said = [element.value for element in [*page.error, *page.text]]
    assert any(text.replace("\\", "").startswith(REFUSED.replace("\\", "")) for text in said), said
    assert as_it_is(kept) == before
