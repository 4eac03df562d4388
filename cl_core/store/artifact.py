"""One artifact: its files, checked against their hashes and loaded when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.limits import TooLarge
from cl_core.store import keys
from cl_core.table_sizes.table_limits import check_parquet

if TYPE_CHECKING:  # the app's server reads tables and JSON without torch
    import numpy
    import pyarrow
    import torch

FORMAT = 1
TENSORS, DATA, META = "tensors.safetensors", "data.json", "meta.json"


@dataclass(frozen=True)
class Artifact:
    """A whole artifact whose files matched their hashes when it was read. Contents are loaded when
    asked for.

    Attributes:
        kind: what it is.
        key: hash of `kind` and `inputs`.
        inputs: everything that it depends on.
        folder: where its files are.
        files: names of its files, `meta.json` left out.
    """

    kind: str
    key: str
    inputs: Mapping[str, Any]
    folder: Path
    files: tuple[str, ...]

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """Its tensors on the CPU, by name; empty when it has none. Imports torch; loads at each
        call.
        """
        from safetensors.torch import load_file

        return dict(load_file(self.folder / TENSORS)) if TENSORS in self.files else {}

    @property
    def arrays(self) -> dict[str, numpy.ndarray[Any, Any]]:
        """Its tensors as numpy arrays, for readers without torch; loads at each call."""
        from safetensors.numpy import load_file

        return dict(load_file(self.folder / TENSORS)) if TENSORS in self.files else {}

    @property
    def tables(self) -> dict[str, pyarrow.Table]:
        """Its tables, by name; loads at each call.

        Raises:
            TooLarge: one is larger than what is read.
        """
        names = [name for name in self.files if name.endswith(".parquet")]
        return {name.removesuffix(".parquet"): _read_table(self.folder / name) for name in names}

    @property
    def data(self) -> Any:
        """Its JSON data; None when it has none.

        Raises:
            TooLarge: it is larger than what is read.
            UserError: it is no JSON, or nested too deeply, though its hash agrees: somebody made it.
        """
        if DATA not in self.files:
            return None
        try:
            return read_json(self.folder / DATA)
        except ValueError as error:
            said = f"'{self.folder / DATA}' cannot be read ({error}); remove its folder"
            raise UserError(said) from None


def _read_table(file: Path) -> pyarrow.Table:
    import pyarrow.parquet

    check_parquet(file, f"'{file.name}'")
    with pyarrow.parquet.ParquetFile(file) as opened:
        return opened.read()


class DamageError(Exception):
    """What is wrong with an artifact's file."""


def checked(kind: str, key: str, folder: Path) -> Artifact:
    """Returns the artifact in `folder` after checking the size and SHA-256 of each file.

    Raises:
        DamageError: which file, and what is wrong with it.
    """
    try:
        meta = read_json(folder / META)
        inputs, files = meta["inputs"], meta["files"]
        sound = meta["format"] == FORMAT and key == keys.key(kind, inputs)
        expected = {
            str(name): (int(entry["bytes"]), str(entry["sha256"])) for name, entry in files.items()
        }
    except FileNotFoundError as error:
        raise DamageError(f"{META} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TooLarge) as error:
        raise DamageError(f"{META} cannot be read ({error})") from error
    if not sound:
        raise DamageError(f"{META} does not belong to this key")
    for name, (size, digest) in expected.items():
        try:
            found_size = (folder / name).stat().st_size
            if found_size != size:
                raise DamageError(f"{name} has {found_size} bytes instead of {size}")
            with (folder / name).open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise DamageError(f"{name} is missing") from error
        if actual != digest:
            raise DamageError(
                f"{name} has the SHA-256 {actual[:12]}... instead of {digest[:12]}..."
            )
    return Artifact(kind, key, inputs, folder, tuple(sorted(expected)))
