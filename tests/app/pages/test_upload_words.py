"""What is said of an upload names the file as the visitor's computer does, never a place or a name inside the lab."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from app.data import stream_files
from app.shell import uploads
from cl_core.errors import UserError
from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open


def packed(content: bytes) -> bytes:
    """A zip of one file, whose bytes do not fit its checksum."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("cat/one.png", content)
    return file.getvalue().replace(content, content[::-1])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("my notes.csv", b"", r"^'my notes\.csv' is empty \(0 bytes\); choose a file"),
        ("my pets.zip", b"", r"^'my pets\.zip' is empty"),
        ("my pets.zip", b"PK", r"^'my pets\.zip' is no zip archive"),
        ("my pets.zip", packed(b"abcdefgh"), r"^'my pets\.zip' is damaged at 'cat/one\.png'"),
        ("my tool.exe", b"MZ", r"^'my tool\.exe': 'exe' files cannot be read"),
    ],
)
def test_a_refused_upload_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(UserError, match=said) as refused:
        uploads.receive(workspace, name, content)
    assert ".incoming" not in str(refused.value)
    assert uploads.waiting(workspace) == []


def test_what_is_wrong_with_its_rows_names_it_too(open_page: Open, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    stream_files.begin_draft(workspace, "begun", "cil")
    uploads.receive(workspace, "my notes.csv", b"text,label\n")
    page = open_page("stream", workspace=workspace.root)
    page.selectbox(key="stream").set_value("streams/begun.yaml").run()
    page.segmented_control(key="add_from").set_value("File").run()
    (said,) = [element.value.replace("\\", "") for element in page.error]
    assert "my-notes, train, my notes.csv: has no rows" in said
    assert "asked" not in said
    assert ".incoming" not in said
