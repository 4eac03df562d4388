"""Uploads of data sets: checked, kept under a name of their own, never run and never unpickled."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from app.data.server_paths import TABLES, uploaded
from app.serving.rights import check_host
from cl_core.bounded_files import check_zip_directory, read_json
from cl_core.errors import Faults, UserError, counted
from cl_core.limits import UPLOAD_ZIP_BYTES, UPLOAD_ZIP_FILES, ZIP_RATIO, TooLarge
from cl_core.runs.workspace import Workspace
from cl_core.store.atomic_writes import write_bytes, write_json
from cl_core.tasks.sources.image_folder import SUFFIXES
from cl_core.tasks.sources.split_names import is_hidden
from cl_core.tasks.sources.unused_data import ARCHIVE_NOTE

MOST_BYTES = 50 * 2**20
"""Of an upload; larger data by a path on the server."""
MOST_UNPACKED = UPLOAD_ZIP_BYTES.most
MOST_FILES = UPLOAD_ZIP_FILES.most
MOST_RATIO = ZIP_RATIO.most
"""Unpacked over packed: pictures are packed already, so more than that is a bomb."""
DAY = 24 * 3600


@dataclass(frozen=True)
class Upload:
    """An upload that was not added to a stream yet.

    Attributes:
        path: the file; of a zip, the folder of its pictures.
        name: what the visitor's computer calls the file.
    """

    path: Path
    name: str


def receive(workspace: Workspace, name: str, content: bytes) -> Path:
    """Keeps an upload until it is added to a stream, is forgotten, or a day has passed.

    What it is called lies beside it, so that it is found again after a reload of the page: see `waiting`.

    Args:
        workspace: whose.
        name: what the visitor's computer calls the file.
        content: its bytes.

    Returns:
        The file; of a zip, the folder of its pictures. The same content gives the same path.

    Raises:
        UserError: its kind or size is not allowed.
        Faults: everything that is wrong with a zip.
    """
    check_host()
    suffix = Path(name).suffix.lower().removeprefix(".")
    if suffix not in (*TABLES, "zip"):
        raise UserError(
            f"'{name}': '{suffix}' files cannot be read; allowed are {', '.join(TABLES)} and zip"
        )
    if not content:
        raise UserError(
            f"'{name}' is empty (0 bytes); choose a file that has rows or pictures in it"
        )
    if len(content) > MOST_BYTES:
        raise UserError(
            f"'{name}': {len(content) / 2**20:.0f} MB are too many for an upload (at most {MOST_BYTES // 2**20}); put "
            "the file on the server and give its path"
        )
    incoming = _incoming(workspace)
    incoming.mkdir(parents=True, exist_ok=True)
    _sweep(incoming)
    upload_folder = incoming / hashlib.sha256(content).hexdigest()[:16]
    path = upload_folder
    if suffix == "zip":
        if not upload_folder.is_dir():
            _unpack(content, upload_folder, name)
    else:
        upload_folder.mkdir(exist_ok=True)
        path = upload_folder / f"{plain_name(Path(name).stem)}.{suffix}"
        if not path.is_file():
            write_bytes(path, content)
    write_json(_note(upload_folder), {"name": name, "path": path.relative_to(incoming).as_posix()})
    return path


def waiting(workspace: Workspace) -> list[Upload]:
    """Uploads that were not added to a stream yet, the newest first."""
    incoming = _incoming(workspace)
    notes = incoming.glob("*.json") if incoming.is_dir() else ()
    uploads = []
    for note in sorted(notes, key=lambda note: -note.stat().st_mtime_ns):
        said = _read_note(note)
        if said is not None and (incoming / said["path"]).exists():
            uploads.append(Upload(incoming / said["path"], said["name"]))
    return uploads


def called(said: Any, received: Upload) -> Any:
    """What was said of an upload, with the file's own name in place of the path that it is kept under for now.

    Args:
        said: a text, or lists and mappings of any.
        received: the upload.
    """
    match said:
        case str():
            return said.replace(str(received.path), received.name)
        case list():
            return [called(part, received) for part in said]
        case dict():
            return {name: called(part, received) for name, part in said.items()}
        case _:
            return said


def forget(workspace: Workspace, received: Path) -> None:
    """Has an upload not be found again; what is in it goes with the day."""
    check_host()
    _note(_folder(received)).unlink(missing_ok=True)


def keep(workspace: Workspace, received: Path, name: str) -> Path:
    """Moves what was received to `data/<name>/`; returns the file there, or the folder of pictures."""
    check_host()
    folder = _folder(received)
    forget(workspace, received)
    target = uploaded(workspace) / plain_name(name)
    number = 2
    while target.exists():
        target, number = uploaded(workspace) / f"{plain_name(name)}-{number}", number + 1
    shutil.move(folder, target)
    return target / received.name if folder != received else target


def plain_name(name: str) -> str:
    """As a file name: letters, digits, dash and underscore."""
    return re.sub(r"[^\w-]+", "-", name).strip("-_") or "data"


def _unpack(content: bytes, target_folder: Path, name: str) -> None:
    """Unpacks a zip of pictures, which is called so; nothing else is allowed in, and nothing leaves the folder."""
    import io

    try:
        check_zip_directory(io.BytesIO(content), f"'{name}'")
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise UserError(f"'{name}' is no zip archive, or is damaged") from None
    with archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        members = [member for member in files if not _litter(member.filename)]
        faults = _wrong(members)
        if faults:
            raise Faults(f"zip archive '{name}'", faults)
        partial = target_folder.with_name(f".{target_folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        spent = 0
        for member in members:
            target = partial / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with archive.open(
                    member
                ) as source:  # the size that the archive claims may be a lie
                    picture = source.read(MOST_UNPACKED - spent + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                shutil.rmtree(partial, ignore_errors=True)
                raise UserError(f"'{name}' is damaged at '{member.filename}': {error}") from None
            spent += len(picture)
            if spent > MOST_UNPACKED:
                shutil.rmtree(partial)
                raise UserError(f"'{name}' unpacks to more than {MOST_UNPACKED // 2**20} MB")
            target.write_bytes(picture)
        inner = [folder for folder in partial.iterdir() if folder.is_dir()]
        # A zip of one folder that holds the folders of classes: the folder is the wrapping.
        wrapped = len(inner) == 1 and not any(entry.is_file() for entry in inner[0].iterdir())
        top = inner[0] if wrapped else partial
        if litter := [_one_line(file.filename) for file in files if _litter(file.filename)]:
            (top / ARCHIVE_NOTE).write_text("\n".join(litter), encoding="utf-8")
        top.rename(target_folder)
        shutil.rmtree(partial, ignore_errors=True)


def _one_line(name: str) -> str:
    """A member's name as it can be listed."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def _litter(name: str) -> bool:
    """What is hidden, and what operating systems leave in archives; a way out of the folder is neither."""
    return any(map(is_hidden, PurePosixPath(name.replace("\\", "/")).parts))


def _wrong(members: list[zipfile.ZipInfo]) -> list[str]:
    faults = []
    if not members:
        faults.append("it holds no files")
    if len(members) > MOST_FILES:
        faults.append(f"it holds {counted(len(members), 'file')}; at most {MOST_FILES} are taken")
    size = sum(member.file_size for member in members)
    if size > MOST_UNPACKED:
        faults.append(f"it unpacks to {size / 2**20:.0f} MB; at most {MOST_UNPACKED // 2**20}")
    packed = sum(member.compress_size for member in members)
    if size > MOST_RATIO * max(packed, 1):
        faults.append(f"it unpacks to more than {MOST_RATIO} times its size")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            faults.append(f"'{member.filename}' would leave the folder")
        elif stat.S_ISLNK(member.external_attr >> 16):
            faults.append(f"'{member.filename}' is a link")
        elif member.flag_bits & 1:
            faults.append(f"'{member.filename}' is encrypted")
        elif path.suffix.lower() not in SUFFIXES:
            faults.append(f"'{member.filename}' is no picture ({', '.join(SUFFIXES)})")
    return faults


def _sweep(incoming: Path) -> None:
    """Forgets uploads that were never added."""
    for entry in incoming.iterdir():
        if time.time() - entry.stat().st_mtime <= DAY:
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _incoming(workspace: Workspace) -> Path:
    return uploaded(workspace) / ".incoming"


def _folder(received: Path) -> Path:
    """What an upload lies in: a folder of its own, or of a zip, that of its pictures."""
    return received.parent if received.is_file() else received


def _note(upload_folder: Path) -> Path:
    return upload_folder.with_name(f"{upload_folder.name}.json")


def _read_note(note: Path) -> dict[str, str] | None:
    try:
        said = read_json(note)
        return {name: str(said[name]) for name in ("name", "path")}
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        TooLarge,
    ):  # not there, or whoever put it there
        return None
