"""Stream, as a visitor meets it: cards, changes that are written at once, uploads that are added."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from app.data import stream_edits, stream_files
from app.data.server_paths import uploaded
from app.shell import uploads
from app.shell.stream_choice import PROTOCOLS
from app.stream.stream_columns import ADD
from cl_core.jobs.queue import Jobs
from cl_core.runs.workspace import Workspace
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.stream_file import read_stream_file
from cl_core.tasks.stream_loader import find_stream
from tests.app.conftest import ROOT, Open

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0"
    "000003010100c9fe92ef0000000049454e44ae426082"
)
"""A PNG of one red pixel."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def button(page: AppTest, key: str) -> object:
    return next(element for element in page.button if element.key == key)


def copy_of(workspace: Workspace, source: str = "domains-dil", name: str = "mine") -> Path:
    spec, folder = find_stream(source)
    return stream_files.save(workspace, stream_edits.copied(spec, name, folder), "")


def test_a_named_stream_is_shown_at_once(open_page: Open, workspace: Workspace) -> None:
    page = open_page("stream", workspace=workspace.root)
    assert page.selectbox(key="stream").value == "domains"
    assert any("400 train" in element.value for element in page.markdown)
    assert not [element for element in page.button if (element.key or "").startswith("earlier")]


def test_changes_are_written_at_once(open_page: Open, workspace: Workspace) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    button(page, "later-restaurants").click()
    page.run()
    names = [task.name for task in read_stream_file(path).tasks]
    assert names == ["films", "restaurants", "products"]
    next(
        element for element in page.text_input if element.key == "name-streams/mine.yaml-films"
    ).set_value("cinema")
    button(page, "rename-films").click()
    page.run()
    button(page, "remove-products").click()
    page.run()
    assert not page.exception, page.exception
    assert [task.name for task in read_stream_file(path).tasks] == ["cinema", "restaurants"]


def test_the_first_task_goes_no_earlier_and_the_last_no_later(
    open_page: Open, workspace: Workspace
) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()
    names = [task.name for task in read_stream_file(path).tasks]
    grey = {element.key for element in page.button if element.disabled}
    assert grey == {f"earlier-{names[0]}", f"later-{names[-1]}"}
    for name in names[1:]:
        button(page, f"remove-{name}").click()
        page.run()
    grey = {element.key for element in page.button if element.disabled}
    assert grey == {f"earlier-{names[0]}", f"later-{names[0]}"}


def test_a_name_that_is_taken_is_refused_and_said(open_page: Open, workspace: Workspace) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    next(
        element for element in page.text_input if element.key.endswith("yaml-restaurants")
    ).set_value("films")
    button(page, "rename-restaurants").click()
    page.run()
    assert "unique" in page.error[0].value
    assert read_stream_file(path).tasks[0].name == "restaurants"


def test_a_new_stream_begins_with_a_task_of_the_gallery(
    open_page: Open, workspace: Workspace
) -> None:
    page = open_page("stream", workspace=workspace.root)
    next(element for element in page.text_input if element.key == "new-name").set_value("fresh")
    button(page, "new-create").click()
    page.run()
    assert page.selectbox(key="stream").value == "streams/fresh.yaml"
    picks = next(element for element in page.pills if element.key == "gallery-tasks-domains")
    picks.set_value(["films", "travel"])
    page.run()
    button(page, "add-gallery").click()
    page.run()
    assert not page.exception, page.exception
    spec = read_stream_file(workspace.root / "streams" / "fresh.yaml")
    assert (spec.protocol, [task.name for task in spec.tasks]) == ("cil", ["films", "travel"])
    assert next(element for element in page.pills if element.key == picks.key).value == []
    button(page, "add-gallery").click()
    page.run()
    assert "No task is picked" in page.error[0].value


def test_a_stream_without_tasks_waits_for_its_first_one_in_another_visit(
    open_page: Open, workspace: Workspace
) -> None:
    stream_files.begin_draft(workspace, "fresh", "dil")
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/fresh.yaml").run()
    assert any("Add its first task" in element.value for element in page.info)
    next(element for element in page.pills if element.key == "gallery-tasks-domains").set_value(
        ["films"]
    )
    page.run()
    button(page, "add-gallery").click()
    page.run()
    assert not page.exception, page.exception
    assert read_stream_file(workspace.root / "streams" / "fresh.yaml").protocol == "dil"
    assert stream_files.drafts(workspace) == {}


def test_an_upload_is_still_there_after_a_visit_to_another_page_and_after_a_reload(
    open_page: Open, workspace: Workspace
) -> None:
    copy_of(workspace)

    def files(page: AppTest) -> AppTest:
        page.selectbox(key="stream").set_value("streams/mine.yaml").run()
        return page.segmented_control(key="add_from").set_value("File").run()

    page = files(open_page("stream", workspace=workspace.root))
    page.file_uploader(key="upload").set_value(
        ("lifts.csv", b"text,label\n" + b"slow,bad\nquick,good\n" * 20, "text/csv")
    ).run()
    assert any("2 classes: ready" in element.value for element in page.success)
    page.switch_page("../pages/compare.py").run()
    page.switch_page("../pages/stream.py").run()
    anew = open_page("stream", workspace=workspace.root)
    for shown in (files(page), files(anew)):
        assert shown.selectbox(key="received").options == ["lifts.csv"]
        assert any("2 classes: ready" in element.value for element in shown.success)
    anew.button(key="forget-upload").click().run()
    assert not any("2 classes: ready" in element.value for element in anew.success)
    assert not uploads.waiting(workspace)


def test_a_stream_that_was_trained_stays_as_it_is(
    workspace: Workspace, small_workspace: Path, open_page: Open
) -> None:
    path = copy_of(workspace)
    run = Workspace(small_workspace).find("dam")
    changed = run.config.model_copy(update={"name": "kept", "stream": str(path)})
    workspace.run("kept").create(changed)
    assert stream_files.users(workspace, path) == ["kept"]
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    assert any("stays as it is" in element.value for element in page.info)
    assert not [element for element in page.button if (element.key or "").startswith("later")]


def test_a_guest_changes_no_stream(
    open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of(workspace)
    for module in ("app.shell.stream_choice", "app.stream.stream_toolbar"):
        monkeypatch.setattr(f"{module}.is_guest", lambda: True)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    assert {element.key for element in page.button} <= {None, "yaml-stream", "train-on-it"}


def test_whoever_is_second_to_change_a_stream_is_told_and_changes_nothing(
    open_page: Open, workspace: Workspace
) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    spec = stream_files.read(path)
    stream_files.save(workspace, stream_edits.removed(spec, 1), stream_files.stamp(path))
    left = path.read_bytes()
    button(page, "later-restaurants").click()
    page.run()
    assert "was changed meanwhile, in another tab or by hand" in page.error[0].value
    assert path.read_bytes() == left, "the first one's change stays as it is"
    button(page, "later-restaurants").click()
    page.run()
    assert [task.name for task in read_stream_file(path).tasks] == ["products", "restaurants"]
    button(page, "earlier-restaurants").click()
    page.run()
    assert not page.error, "one's own change is no other's"


def protocol_menu(page: AppTest) -> Selectbox:
    return next(
        box for box in page.selectbox if box.key == f"protocol-{page.selectbox(key='stream').value}"
    )


def asked(page: AppTest, protocol: str) -> None:
    protocol_menu(page).set_value(PROTOCOLS[protocol])
    page.run()
    assert not page.exception, page.exception


def test_a_protocol_that_is_chosen_is_written_and_stays_chosen(
    open_page: Open, workspace: Workspace
) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()
    for protocol in ("til", "cil", "dil"):
        asked(page, protocol)
        assert not page.error
        assert read_stream_file(path).protocol == protocol
        assert protocol_menu(page).value == PROTOCOLS[protocol]
    page.run()
    assert read_stream_file(path).protocol == "dil"
    page.selectbox(key="stream").set_value("domains").run()
    assert protocol_menu(page).value == PROTOCOLS[find_stream("domains")[0].protocol]
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()
    assert protocol_menu(page).value == PROTOCOLS["dil"]


def test_a_protocol_that_the_disk_refuses_is_said_and_the_menu_says_what_holds(
    open_page: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_of(workspace)
    left = path.read_bytes()
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(stream_files, "write_text", full)
    asked(page, "til")
    assert page.error[0].value.startswith("there is no room left on the disk")
    assert path.read_bytes() == left
    assert protocol_menu(page).value == PROTOCOLS["dil"]
    page.run()
    assert not page.error, "it is not tried again unasked"


@pytest.mark.parametrize("other", ["moved", "protocol"])
def test_a_protocol_chosen_on_a_stream_that_another_changed_is_not_written(
    open_page: Open, workspace: Workspace, other: str
) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()
    spec = stream_files.read(path)
    changed = (
        stream_edits.moved(spec, index=0, by=1)
        if other == "moved"
        else stream_edits.rebuilt(spec, protocol="cil")
    )
    stream_files.save(workspace, changed, stream_files.stamp(path))
    left = path.read_bytes()
    asked(page, "til")
    assert "was changed meanwhile, in another tab or by hand" in page.error[0].value
    assert path.read_bytes() == left, "the first one's change stays as it is"
    assert protocol_menu(page).value == PROTOCOLS[changed.protocol]
    asked(page, "til")
    assert not page.error, "it was seen by then"
    assert read_stream_file(path).protocol == "til"


def test_a_protocol_chosen_after_a_run_was_made_of_the_stream_is_not_written(
    workspace: Workspace, small_workspace: Path, open_page: Open
) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()
    left = path.read_bytes()
    run = Workspace(small_workspace).find("dam")
    changed = run.config.model_copy(update={"name": "kept", "stream": str(path)})
    workspace.run("kept").create(changed)
    asked(page, "til")
    assert any("nothing was written" in element.value for element in page.error)
    assert path.read_bytes() == left
    assert protocol_menu(page).value == PROTOCOLS["dil"]


def test_a_stream_that_another_changed_is_not_removed(
    open_page: Open, workspace: Workspace
) -> None:
    path = copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml").run()
    spec = stream_files.read(path)
    stream_files.save(workspace, stream_edits.removed(spec, 1), stream_files.stamp(path))
    left = path.read_bytes()
    button(page, "remove-now").click()
    page.run()
    assert "was changed meanwhile, in another tab or by hand" in page.error[0].value
    assert path.read_bytes() == left
    button(page, "remove-now").click()
    page.run()
    assert not page.error
    assert not path.exists()


def test_a_disk_that_refuses_is_a_banner_and_no_traceback(
    open_page: Open, workspace: Workspace
) -> None:
    copy_of(workspace)
    (workspace.root / "runs").symlink_to("runs")  # which leads in a circle
    page = open_page("stream", workspace=workspace.root)
    assert not page.exception
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    assert not page.exception


def test_a_stream_with_problems_is_said_and_not_started(
    open_page: Open, workspace: Workspace
) -> None:
    path = copy_of(workspace)
    spec = stream_files.read(path)
    other = find_stream("domains")[0].tasks[2]
    stream_files.save(workspace, stream_edits.added(spec, [other]), stream_files.stamp(path))
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    assert "share one label space" in page.error[0].value
    page.switch_page("../pages/train.py").run()
    page.selectbox(key="on").set_value("streams/mine.yaml")
    page.run()
    assert "share one label space" in page.error[0].value
    button(page, "start").click()
    page.run()
    assert "Not started" in page.error[0].value
    assert Jobs(workspace).all() == []


def added_by_path(open_page: Open, workspace: Workspace, name: str) -> AppTest:
    """The page of a stream of one's own, at a path that was typed."""
    copy_of(workspace)
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/mine.yaml")
    page.run()
    page.button_group(key="add_from").set_value("Path on the server")
    page.run()
    page.text_input(key="server-path").set_value(name)
    page.run()
    return page


def tasks_of(workspace: Workspace) -> list[TaskSpec]:
    return list(read_stream_file(stream_files.folder(workspace) / "mine.yaml").tasks)


def test_pairs_of_texts_and_several_columns_of_labels_are_chosen_as_in_yaml(
    open_page: Open, workspace: Workspace
) -> None:
    rows = "".join(f"why {i},since {i},{'ab'[i % 2]},{'xy'[i // 2 % 2]}\n" for i in range(80))
    uploaded(workspace).mkdir(parents=True)
    (uploaded(workspace) / "pairs.csv").write_text(f"text,passage,label,tone\n{rows}")
    page = added_by_path(open_page, workspace, "pairs.csv")
    seed = "../data/pairs.csv"
    page.selectbox(key=f"map-text_pair-{seed}").set_value("passage")
    page.multiselect(key=f"map-label-{seed}").set_value(["label", "tone"])
    page.run()
    button(page, ADD).click()
    page.run()
    new_tasks = tasks_of(workspace)[-2:]
    assert [(task.name, task.label) for task in new_tasks] == [
        ("pairs label", "label"),
        ("pairs tone", "tone"),
    ]
    assert {(task.text_pair, task.path) for task in new_tasks} == {("passage", seed)}


def test_a_folder_of_pictures_is_added_by_its_path(open_page: Open, workspace: Workspace) -> None:
    for kind in ("cat", "dog"):
        folder = uploaded(workspace) / "pets" / kind
        folder.mkdir(parents=True)
        for number in range(12):
            (folder / f"{number}.png").write_bytes(DOT)
    page = added_by_path(open_page, workspace, "pets")
    page.text_input(key="map-ground-../data/pets").set_value("blue")
    page.run()
    assert "a ground is white, black or a colour" in page.error[0].value
    page.text_input(key="map-ground-../data/pets").set_value("#203040")
    button(page, ADD).click()
    page.run()
    task = tasks_of(workspace)[-1]
    assert (task.kind, task.path, task.ground) == ("image", "../data/pets", "#203040")


def test_the_pages_import_nothing_heavy() -> None:
    names = (
        "app.train.new_run, app.train.train_jobs, app.stream.new_task, "
        "app.stream.stream_cards, app.stream.stream_toolbar"
    )
    heavy = "('torch', 'umap', 'sklearn', 'datasets', 'transformers')"
    code = f"import sys, {names}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
