"""Hashes of what a run wrote, in its folder, so that a file that was edited since is told from one that was not.

    hashes.json        of the files that the process of the run writes, and of the parts of its model in the store
    lost-hashes.json   of `lost.parquet`, which whoever asks for it writes, be it while the run goes on

Of a file its size and SHA-256; of `events.jsonl`, which grows, those of its first lines; of an adapter or a router the
SHA-256 of its `meta.json`, which holds those of its tensors. Two files cannot be replaced at once, so both what a file
is and what it is to be are listed while it is replaced: after a kill in between, either is believed. A hash is no
signature: whoever may write into the folder may write new ones. Folders made before there were hashes have none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from os.path import lexists
from pathlib import Path

from pydantic import Field

from cl_core.bounded_files import read_json
from cl_core.limits import TooLarge
from cl_core.settings import Settings
from cl_core.store.artifact import META
from cl_core.store.atomic_writes import write_bytes, write_json

HASHES, LOST_HASHES = "hashes.json", "lost-hashes.json"
GROWS = "events.jsonl"
GIVEN = ("run.yaml", "choices.json")
"""Files that a run is carried out by, and never writes anew."""
PARTS = ("adapter", "router", "network", "shared", "fusion", "fisher")
"""Kinds of artifacts that a run's model is made of."""
SMALL = 2**20
"""Bytes up to which a file is hashed whenever its run is listed; larger ones when they are read."""


class FileHash(Settings):
    """Of a file, or of as much of it as was there."""

    bytes: int
    sha256: str


class RunHashes(Settings):
    """What one of the two lists holds."""

    format: int = 1
    files: dict[str, FileHash] = Field(default_factory=dict)
    before: dict[str, FileHash | None] = Field(default_factory=dict)
    """What a file was that is being replaced; None where there was none."""
    artifacts: dict[str, str] = Field(default_factory=dict)
    """By name in `artifacts.json`, the SHA-256 of an artifact's `meta.json`; of `PARTS` alone."""


def list_of(name: str) -> str:
    """The list that has the hash of a file."""
    return LOST_HASHES if name == "lost.parquet" else HASHES


def read_hashes(folder: Path, name: str = HASHES) -> RunHashes | None:
    """One of a run's lists; None where there is none.

    Raises:
        OSError, ValueError, TypeError, TooLarge: it is none.
    """
    file = folder / name
    if not lexists(file):
        return None
    return RunHashes(**read_json(file))


def fault_of(file: Path, hashes: RunHashes | None, large: bool = True) -> str:
    """In what a file is not what its run wrote; "" where it is, or has no hash.

    Args:
        file: in the run's folder; it need not be there.
        hashes: of the run.
        large: whether files above `SMALL` are hashed too; else their size is looked at.
    """
    written = None if hashes is None else hashes.files.get(file.name)
    if hashes is None or written is None:
        return ""
    either = {written, hashes.before.get(file.name, written)}
    if not file.is_file():
        return "" if None in either else "is missing"
    size = file.stat().st_size
    if file.name == GROWS:
        if not large and size > SMALL:
            return ""
        sound = size >= written.bytes and _hash(file, written.bytes) == written.sha256
        return (
            "" if sound else f"is not as the run wrote it: its first {written.bytes} bytes differ"
        )
    sizes = [version.bytes for version in either if version is not None]
    if size not in sizes:
        return f"is not as the run wrote it: it has {size} bytes instead of {written.bytes}"
    if not large and size > SMALL:
        return ""
    actual = _hash(file, size)
    if actual in [version.sha256 for version in either if version is not None]:
        return ""
    return f"is not as the run wrote it: its SHA-256 is {actual[:12]}... instead of {written.sha256[:12]}..."


def write_hashed(folder: Path, name: str, content: bytes) -> None:
    """Replaces a file of a run, atomically, and its hash with it."""
    file, listed = folder / name, list_of(name)
    hashes, new = _or_none(folder, listed), _of(content)
    sound = not fault_of(file, hashes)
    old = _of(file.read_bytes()) if file.is_file() and sound else None
    if old == new and hashes.files.get(name) == new and name not in hashes.before:
        return
    files, before = {**hashes.files, name: new}, hashes.before
    _write(folder, listed, hashes, files=files, before={**before, name: old})
    write_bytes(file, content)
    rest = {other: version for other, version in before.items() if other != name}
    _write(folder, listed, hashes, files=files, before=rest)


def begin(folder: Path) -> None:
    """A process takes the run up: lists what is as it was written, and what the run is carried out by, as it is.

    What is not as it was written is listed no more; the run writes it anew.
    """
    hashes = _or_none(folder, HASHES)
    files = {
        name: written if name == GROWS else _of((folder / name).read_bytes())
        for name, written in hashes.files.items()
        if (folder / name).is_file() and not fault_of(folder / name, hashes)
    }
    for name in GIVEN:
        if (folder / name).is_file():
            files[name] = _of((folder / name).read_bytes())
    if (files, {}) != (hashes.files, hashes.before):
        _write(folder, HASHES, hashes, files=files, before={})


def seal(folder: Path) -> None:
    """Lists the events that there are by now; those that come later are believed as they are."""
    hashes = _or_none(folder, HASHES)
    events = _of((folder / GROWS).read_bytes())
    _write(folder, HASHES, hashes, files={**hashes.files, GROWS: events})


def list_artifacts(folder: Path, names: Mapping[str, str]) -> None:
    """Lists the parts of a run's model that the store has.

    Args:
        folder: of the run.
        names: name in `artifacts.json` to key.
    """
    store = store_of(folder)
    metas = {
        name: digest
        for name, key in names.items()
        if (digest := meta_hash(store, name, key)) is not None
    }
    hashes = _or_none(folder, HASHES)
    if metas != hashes.artifacts:
        _write(folder, HASHES, hashes, artifacts=metas)


def meta_hash(store: Path, name: str, key: str) -> str | None:
    """The SHA-256 of an artifact's `meta.json`; None where it is no part of a model, or is not there."""
    kind = name.partition("/")[0]
    if kind not in PARTS:
        return None
    file = store / kind / key / META
    if not file.is_file():
        return None
    stat = file.stat()
    return _hash_of_version(file, stat.st_size, stat.st_ctime_ns, stat.st_ino)


def store_of(folder: Path) -> Path:
    """The store of a run's workspace."""
    return folder.absolute().parents[1] / "store"


def _or_none(folder: Path, name: str) -> RunHashes:
    """A list, or an empty one in place of one that cannot be read."""
    try:
        return read_hashes(folder, name) or RunHashes()
    except (OSError, ValueError, TypeError, TooLarge):
        return RunHashes()


def _write(folder: Path, name: str, hashes: RunHashes, **changed: object) -> None:
    written = hashes.model_copy(update=changed)
    write_json(folder / name, written.model_dump(mode="json", exclude_defaults=True))


def _of(content: bytes) -> FileHash:
    return FileHash(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _hash(file: Path, size: int) -> str:
    """Of a file's first bytes."""
    stat = file.stat()
    if size == stat.st_size:
        return _hash_of_version(file, size, stat.st_ctime_ns, stat.st_ino)
    with file.open("rb") as opened:
        return hashlib.sha256(opened.read(size)).hexdigest()


@lru_cache(maxsize=16384)
def _hash_of_version(file: Path, size: int, changed: int, inode: int) -> str:
    """Of a file for as long as it is the same."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
