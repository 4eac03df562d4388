"""The store: a folder of artifacts, each whole or absent.

    root/<kind>/<key>/   tensors.safetensors   NAME.parquet   data.json   meta.json
    root/.partial/       artifacts being written
    root/.damaged/       artifacts that failed their check, for a person to look at

An artifact is written in `.partial`, brought to the disk and renamed into place as a folder, so
that a reader or a resumed run meets a whole one or none. `meta.json` holds what the artifact
depends on and the size and SHA-256 of each of its files; `read` checks them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.limits import TooLarge
from cl_core.output_files import sync_folder
from cl_core.store import keys
from cl_core.store.artifact import DATA, FORMAT, META, TENSORS, Artifact, DamageError, checked
from cl_core.store.atomic_writes import json_bytes, write_durably
from cl_core.store.contents import table_bytes, tensor_bytes
from cl_core.store.keys import JSON

if TYPE_CHECKING:
    import pyarrow
    import torch

LEFTOVER_SECONDS = 24 * 3600
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_KEY = re.compile(r"[0-9a-f]{64}")


class ReadOnlyError(UserError):
    """Something was to be written where nothing may be."""


class Store:
    """Artifacts under one folder, safe to share between processes.

    Args:
        root: the folder; made when something is written, so that one that is read-only can be read.
        on_damage: called with one sentence naming kind, key, file and fault when an artifact fails
            its check. By default the sentence is a warning.
        read_only: nothing under `root` is written, moved or removed, whatever is found there.
    """

    def __init__(
        self,
        root: Path,
        on_damage: Callable[[str], None] | None = None,
        read_only: bool = False,
    ) -> None:
        self.root = Path(root)
        self.read_only = read_only
        self.on_damage = on_damage or (lambda message: warnings.warn(message, stacklevel=3))
        self._partial = self.root / ".partial"
        self._damaged = self.root / ".damaged"
        self._had_folder = self.root.parent.is_dir()
        if not read_only:
            self._remove_leftovers()

    def folder(self, kind: str, key: str) -> Path:
        """Returns where the artifact is or would be.

        Raises:
            ValueError: kind or key is malformed.
        """
        if not _NAME.fullmatch(kind):
            raise ValueError(f"artifact kind {kind!r} must be lower-case letters, digits, - and _")
        if not _KEY.fullmatch(key):
            raise ValueError(f"artifact key {key!r} must be 64 hexadecimal digits")
        return self.root / kind / key

    def has(self, kind: str, key: str) -> bool:
        """Whether the artifact is there, damaged or not: only `read` checks its files."""
        return (self.folder(kind, key) / META).is_file()

    def keys(self, kind: str) -> Iterator[str]:
        """Yields the keys of all artifacts of a kind, sorted."""
        folder = self.root / kind
        if folder.is_dir():
            yield from sorted(
                entry.name for entry in folder.iterdir() if _KEY.fullmatch(entry.name)
            )

    def inputs(self, kind: str, key: str) -> Mapping[str, JSON] | None:
        """Returns what an artifact depends on, for choosing among many; None when it cannot be told.

        Nothing is checked: whoever needs the content calls `read`.
        """
        try:
            recorded: Mapping[str, JSON] = read_json(self.folder(kind, key) / META)["inputs"]
        except (OSError, ValueError, KeyError, TypeError, TooLarge):
            return None
        return recorded

    def write(
        self,
        kind: str,
        key: str,
        inputs: Mapping[str, JSON],
        tensors: Mapping[str, torch.Tensor] | None = None,
        tables: Mapping[str, pyarrow.Table] | None = None,
        data: JSON = None,
    ) -> Artifact:
        """Writes an artifact whole and returns it. Of two writers of one key the first one's stays.

        Raises:
            ReadOnlyError: the store is read-only.
            ValueError: `key` is not the key of `kind` and `inputs`, or a name is malformed.
            OSError: the disk's answer. Nothing is then left under the key.
        """
        self._check_writable()
        final = self.folder(kind, key)
        if key != keys.key(kind, inputs):
            raise ValueError(
                f"{key} is not the key of this {kind}'s inputs; make it with key(kind, inputs)"
            )
        contents: dict[str, bytes] = {}
        if tensors is not None:
            contents[TENSORS] = tensor_bytes(tensors)
        for name, table in (tables or {}).items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"table name {name!r} must be lower-case letters, digits, - and _")
            contents[f"{name}.parquet"] = table_bytes(table)
        if data is not None:
            contents[DATA] = json_bytes(data)
        meta: dict[str, JSON] = {"format": FORMAT, "kind": kind, "key": key, "inputs": inputs}
        meta["files"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(contents.items())
        }
        if self._had_folder and not self.root.parent.is_dir():
            # A workspace that was moved meanwhile is not begun anew where it was.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.root.parent))
        partial = self._partial / uuid.uuid4().hex
        try:
            partial.mkdir(parents=True)
            for name, content in {**contents, META: json_bytes(meta)}.items():
                write_durably(partial / name, content)
            sync_folder(partial)
            final.parent.mkdir(exist_ok=True)
            self._rename(partial, final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        sync_folder(final.parent)
        return Artifact(kind, key, json.loads(json_bytes(inputs)), final, tuple(sorted(contents)))

    def read(self, kind: str, key: str) -> Artifact | None:
        """Returns the artifact after checking each file, or None when it is absent or damaged.

        A damaged one is named through `on_damage` and moved to `.damaged`, so that the caller
        computes it again.
        """
        folder = self.folder(kind, key)
        if not folder.is_dir():
            return None
        try:
            return checked(kind, key, folder)
        except DamageError as damage:
            if not folder.is_dir():  # another process moved it aside meanwhile
                return None
            self.set_aside(kind, key, str(damage))
            return None

    def set_aside(self, kind: str, key: str, fault: str) -> None:
        """Moves an artifact to `.damaged`, so that it is computed again, and names it through `on_damage`.

        Args:
            kind: of the artifact.
            key: of the artifact.
            fault: what is wrong with it.
        """
        if self.read_only:
            self.on_damage(
                f"artifact {kind}/{key} is damaged: {fault}. It stays where it is: read-only."
            )
            return
        aside = self._damaged / f"{kind}-{key}-{uuid.uuid4().hex[:8]}"
        self._damaged.mkdir(parents=True, exist_ok=True)
        try:
            self.folder(kind, key).rename(aside)
        except FileNotFoundError:
            return
        self.on_damage(
            f"artifact {kind}/{key} is damaged: {fault}. "
            f"It was moved to .damaged/{aside.name} and will be computed again."
        )

    def remove(self, kind: str, key: str) -> None:
        """Removes the artifact, at once for every reader; does nothing when it is absent.

        Raises:
            ReadOnlyError: the store is read-only.
        """
        self._check_writable()
        aside = self._partial / uuid.uuid4().hex
        self._partial.mkdir(parents=True, exist_ok=True)
        try:
            self.folder(kind, key).rename(aside)
        except FileNotFoundError:
            return
        shutil.rmtree(aside, ignore_errors=True)

    def _check_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(f"the store {self.root} is read-only")

    def _rename(self, partial: Path, final: Path) -> None:
        try:
            partial.rename(final)
        except OSError:
            # Either another writer was first, whose artifact is as good as ours, or a damaged
            # one lies there, which `read` moves aside. Any other failure shows again below.
            if self.read(final.parent.name, final.name) is None:
                partial.rename(final)

    def _remove_leftovers(self) -> None:
        """Removes what killed writers left; younger folders may belong to a living one."""
        for entry in self._partial.iterdir() if self._partial.is_dir() else ():
            try:
                if time.time() - entry.stat().st_mtime > LEFTOVER_SECONDS:
                    shutil.rmtree(entry, ignore_errors=True)
            except FileNotFoundError:
                continue
