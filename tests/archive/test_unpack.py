"""Archives that nobody should trust: nothing leaves the workspace, nothing floods it, nothing is half there."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from cl_core.archive.unpack import Limits, unpack
from cl_core.errors import UserError
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import key


def run_yaml() -> bytes:
    """Of a run that has not begun."""
    import tempfile

    from cl_core.recipes.named import RECIPES
    from cl_core.recipes.settings import make_settings

    recipe = RECIPES["dam"]
    config = RunConfig(
        name="one",
        stream="domains",
        stream_name="domains",
        protocol="cil",
        recipe=recipe,
        settings=make_settings(recipe.settings, {}),
        seed=0,
        label_space=("a",),
        tasks=(),
    )
    with tempfile.TemporaryDirectory() as folder:
        RunFolder(Path(folder) / "one").create(config)
        return (Path(folder) / "one" / "run.yaml").read_bytes()


RUN = run_yaml()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> io.BytesIO:
    """A zip with these names, whatever they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out


def refused(archive: io.BytesIO, root: Path, limits: Limits | None = None) -> str:
    """The message; and whatever it says, nothing was written anywhere."""
    before = sorted(root.parent.rglob("*"))
    with pytest.raises(UserError) as error:
        unpack(Workspace(root), archive, limits)
    left = [path for path in root.parent.rglob("*") if path not in before and path != root]
    assert left == []
    return str(error.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace that is not there yet, in a folder of its own."""
    return tmp_path / "around" / "workspace"


@pytest.fixture(autouse=True)
def around(root: Path) -> None:
    root.parent.mkdir()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.yaml",
        "runs/one/../../../evil.yaml",
        "/etc/evil.yaml",
        "runs\\..\\..\\evil.yaml",
        "\\\\server\\share\\evil.yaml",
        "C:\\evil.yaml",
        "runs/one/a\nb.yaml",
        "runs/one/run.yaml:stream",
        "..",
    ],
)
def test_no_name_leaves_the_workspace(name: str, root: Path) -> None:
    said = refused(zipped({"runs/one/run.yaml": RUN, name: b"x"}), root)
    assert "would leave the folder" in said or "no plain file name" in said


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int, root: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("runs/one/run.yaml")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    said = refused(out, root)
    assert "is a link" in said or "is no regular file" in said


def test_a_link_that_is_in_the_workspace_already_is_not_written_through(
    root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "runs").mkdir(parents=True)
    (root / "runs" / "one").symlink_to(outside)
    came = unpack(Workspace(root), zipped({"runs/one/run.yaml": RUN}))
    assert (came.runs, came.already) == ((), ("one",))
    assert not list(outside.iterdir())


def test_a_bomb_is_refused_by_what_it_announces(root: Path) -> None:
    bomb = zipped(
        {"runs/one/run.yaml": RUN, "data/x/a.csv": bytes(20_000_000)}, zipfile.ZIP_DEFLATED
    )
    assert "more than 100 times its size" in refused(bomb, root)
    assert "at most 10" in refused(bomb, root, Limits(bytes=10 * 2**20, ratio=1e9))


def test_a_bomb_that_announces_little_is_stopped(root: Path) -> None:
    """The sizes of both headers are patched: 20 MB that are said to be 1,000 bytes."""
    content = bytes(20_000_000)
    bomb = zipped({"data/x/a.csv": content}, zipfile.ZIP_DEFLATED)
    lie = bomb.getvalue().replace(struct.pack("<I", len(content)), struct.pack("<I", 1_000))
    assert lie != bomb.getvalue()
    assert "damaged at 'data/x/a.csv'" in refused(io.BytesIO(lie), root)


def test_too_many_files_are_refused(root: Path) -> None:
    many = zipped({f"data/x/{number}.csv": b"" for number in range(50)})
    assert "it holds 50 files; at most 49" in refused(many, root, Limits(files=49))


def test_what_does_not_fit_on_the_disk_is_refused_before(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    assert "make room there" in refused(zipped({"runs/one/run.yaml": RUN}), root)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.99])
def test_a_truncated_archive_is_refused(kept: float, root: Path) -> None:
    whole = zipped({"runs/one/run.yaml": RUN, "data/x/a.csv": bytes(range(256)) * 99}).getvalue()
    assert "no zip archive" in refused(io.BytesIO(whole[: int(kept * len(whole))]), root)


def test_a_flipped_bit_is_found_and_nothing_is_left(root: Path) -> None:
    whole = bytearray(zipped({"runs/one/run.yaml": RUN, "data/x/a.csv": b"a,b\n" * 500}).getvalue())
    whole[whole.index(b"a,b\na,b\n") + 40] ^= 1
    assert "damaged at 'data/x/a.csv'" in refused(io.BytesIO(bytes(whole)), root)


def test_an_encrypted_file_is_refused(root: Path) -> None:
    whole = bytearray(zipped({"runs/one/run.yaml": RUN}).getvalue())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(signature) + at] |= 1
    assert "is encrypted" in refused(io.BytesIO(bytes(whole)), root)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(root: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("runs/one/run.yaml", RUN)
        archive.writestr("runs/one/run.yaml", b"another")
    assert "is there 2 times" in refused(out, root)


def test_a_file_that_is_also_a_folder_is_refused(root: Path) -> None:
    both = zipped({"data/x/a.csv": b"1", "data/x/a.csv/b.csv": b"2"})
    assert "as file and folder" in refused(both, root)


def test_pickles_and_programs_are_not_taken_in(root: Path) -> None:
    evil = {
        "runs/one/weights.pkl": b"",
        "store/adapter/x.pt": b"",
        "data/x/setup.py": b"",
        "a.sh": b"",
    }
    came = unpack(Workspace(root), zipped({"runs/one/run.yaml": RUN, **evil}))
    assert (came.runs, len(came.left_out)) == (("one",), 4)
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["run.yaml"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"runs/one/events.jsonl": b""}, "runs/one has no run.yaml"),
        ({"runs/one/run.yaml": b"- 1"}, "runs/one/run.yaml cannot be read"),
        ({"runs/one/run.yaml": b"name: [" + b"x" * 5 * 2**20}, "and can be none"),
        (
            {"runs/one/run.yaml": RUN, "runs/one/scores.parquet": b"no"},
            "runs/one/scores.parquet cannot be read",
        ),
        ({f"store/adapter/{'0' * 64}/data.json": b"{}"}, "meta.json is missing"),
        ({"readme.json": b"{}"}, "holds no run"),
    ],
)
def test_what_is_no_run_and_no_artifact_is_refused(
    files: dict[str, bytes], message: str, root: Path
) -> None:
    assert message in refused(zipped(files), root)


def test_a_run_of_which_a_part_is_unsound_brings_nothing_in(root: Path) -> None:
    files = {"runs/one/run.yaml": RUN, "runs/two/run.yaml": b"?"}
    assert "runs/two/run.yaml cannot be read" in refused(zipped(files), root)


def test_an_artifact_names_its_key_and_its_kind(root: Path) -> None:
    """A sound one under another key would be taken for something that it is not."""
    source = Workspace(root.parent.parent / "source")
    inputs = {"of": "this"}
    adapter_key = key("adapter", inputs)
    artifact = source.store.write("adapter", adapter_key, inputs, data={"x": 1})
    files = {file.name: file.read_bytes() for file in artifact.folder.iterdir()}
    right = {f"store/adapter/{adapter_key}/{name}": content for name, content in files.items()}
    wrong = {f"store/adapter/{'0' * 64}/{name}": content for name, content in files.items()}
    assert "does not belong to this key" in refused(zipped(wrong), root)
    assert unpack(Workspace(root), zipped(right)).artifacts == 1
    assert Workspace(root).store.read("adapter", adapter_key) is not None
