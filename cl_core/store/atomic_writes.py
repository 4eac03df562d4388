"""Writing a file so that a reader meets the old one or the new one, never a half.

The order is the point: write under another name in the same folder, fsync the file, rename it over
the final name, fsync the folder. A rename within one folder is atomic; without the first fsync a
power cut could leave the new name on an empty file, without the second it could undo the rename.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from pathlib import Path

from cl_core.output_files import PARTIAL_SUFFIX, sync_folder
from cl_core.store.keys import JSON, plain
from cl_core.system_faults import naming


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` atomically and durably. The folder must exist.

    Raises:
        OSError: the disk's answer (full, read-only, no such folder). `path` is then as it was.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")
    try:
        write_durably(partial, data)
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):  # as of a disk that became read-only: what went wrong first is said
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, data: JSON) -> None:
    """Writes `data` as JSON that people can read, atomically.

    Raises:
        TypeError, ValueError: `data` holds something that JSON cannot; the message says where.
    """
    write_bytes(path, json_bytes(data))


def json_bytes(data: JSON) -> bytes:
    """Returns indented JSON with sorted keys: the same data give the same bytes.

    Raises:
        TypeError, ValueError: as `write_json`.
    """
    text = json.dumps(plain(data), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def write_durably(path: Path, data: bytes) -> None:
    """Writes a new file that no reader can see yet, and waits until it is on the disk."""
    with naming(path), path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
