"""Small files that ask for much: `python -m tests.limits.hostile_inputs FOLDER` reads each within 1 GiB."""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from datasets import Dataset
from safetensors.torch import save_file

from cl_core.adapters.adapterhub import read_adapterhub
from cl_core.analysis.static_merge import DESCRIPTION, load_merged
from cl_core.archive.unpack import unpack
from cl_core.backbones.backbone_loader import load_backbone
from cl_core.backbones.settings import BackboneSettings
from cl_core.errors import UserError
from cl_core.picture_decoder import open_picture
from cl_core.recipes.named import load_recipe
from cl_core.recipes.settings import parse_assignments
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store.artifact import Artifact
from cl_core.tasks.builtin import builtin_stream, read_builtin
from cl_core.tasks.sources.files import read_files
from cl_core.tasks.sources.formats import read_file
from cl_core.tasks.spec import TaskSpec
from cl_core.tasks.stream_file import read_stream_file
from cl_core.video import read_clip

ALLOWED = 2**30
"""Bytes that reading them all may take beyond what the libraries take."""
Case = Callable[[Path], object]


def laughing(levels: int = 9) -> str:
    """YAML of some 400 bytes that stands for 9 to the power of `levels` values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(lines) + "\n"


def sparse(file: Path, size: int) -> Path:
    """A file of zeros that takes no room."""
    with file.open("wb") as opened:
        opened.truncate(size)
    return file


def written(file: Path, content: str | bytes) -> Path:
    """The file with that content."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def table(file: Path, columns: dict[str, object]) -> Path:
    """A parquet file of these columns."""
    pq.write_table(pa.table(columns), file)
    return file


def rows(file: Path) -> None:
    """Reads a table; its problems are raised."""
    read = read_file(file, file.name)
    if read.problems:
        raise UserError(read.problems[0].message)


def of_run(folder: Path, name: str, make: Callable[[Path], object]) -> None:
    """Reads a run of which one file is hostile."""
    run = RunFolder(folder / "runs" / "one")
    run.path.mkdir(parents=True, exist_ok=True)
    make(run.path / name)
    try:
        if name == "run.yaml":
            run.config  # noqa: B018
        else:
            [*run.events, run.artifacts(), run.hashed]
            if name.endswith(".parquet"):
                run.table("scores")
    finally:
        (run.path / name).unlink()


def of_store(file: Path) -> None:
    """Reads an artifact's tables and data."""
    artifact = Artifact("kind", "key", {}, file.parent, (file.name,))
    [artifact.tables, artifact.data]  # noqa: B018 - they are read


def picture(width: int, height: int) -> bytes:
    """A PNG that claims a size and has none of it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def animation(width: int, height: int, frames: int) -> bytes:
    """A GIF whose frames of one pixel lie on a large canvas."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = (
        b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
        + b"\x2c"
        + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
        + b"\x02\x02\x44\x01\x00"
    )
    return head + frame * frames + b"\x3b"


def listing(size: int) -> io.BytesIO:
    """The end of a zip whose list of files would have that size, and as much before it."""
    return io.BytesIO(
        bytes(size) + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, size, 0, 0)
    )


def builtin(source: str) -> None:
    """Makes the rows of a built-in task; its faults are raised."""
    raw = read_builtin(TaskSpec(name="a", builtin=source))
    if raw.faults:
        raise UserError(raw.faults[0].message)


def arrow(file: Path, column: pa.Array, codec: str | None = None, stream: bool = False) -> Path:
    """An arrow file of one column."""
    batch = pa.record_batch([column], names=["a"])
    options = pa.ipc.IpcWriteOptions(compression=codec)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(file), batch.schema, options=options) as writer:
        writer.write(batch)
    return file


def swollen(file: Path, stream: bool = False) -> Path:
    """An arrow file whose one compressed buffer says that it is 5 GiB."""
    length = 2**12
    arrow(file, pa.array([7] * length, pa.int8()), "lz4", stream)
    content = file.read_bytes()
    return written(file, content.replace(struct.pack("<q", length), struct.pack("<q", 5 * 2**30)))


def pages(file: Path) -> Path:
    """A parquet file with three pages in a column, each of which says that it is 2 GiB, and holds nothing."""
    table(file, {"a": list(range(1000))})
    start = pq.read_metadata(file).row_group(0).column(0).dictionary_page_offset
    page = bytes([0x15, 0, 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0x15, 0, 0])
    content = file.read_bytes()
    return written(file, content[:start] + page * 3 + content[start + len(page) * 3 :])


def saved(folder: Path) -> Path:
    """A folder as `save_to_disk` writes it, whose one compressed buffer says that it is 5 GiB."""
    Dataset.from_dict({"text": ["a", "b"]}).save_to_disk(folder)
    (file,) = folder.glob("*.arrow")
    file.unlink()
    swollen(file, stream=True)
    return folder


def task(folder: Path) -> None:
    """Reads a task's data; its faults are raised."""
    raw = read_files(folder, TaskSpec(name="a", path=str(folder)), folder.name)
    if raw.faults:
        raise UserError(raw.faults[0].message)


def with_endless(folder: Path, name: str) -> Path:
    """A folder with a table, and a file of that name that has no end."""
    folder.mkdir()
    written(folder / "train.csv", "text,label\none,a\n")
    sparse(folder / name, 2**30)
    return folder


def configured(folder: Path, **fields: object) -> None:
    """Loads a checkpoint whose configuration says so."""
    folder.mkdir()
    shape = {"model_type": "bert", "hidden_size": 8, "num_attention_heads": 1}
    written(folder / "config.json", json.dumps({**shape, **fields}))
    save_file({"a": torch.zeros(1)}, folder / "model.safetensors")
    load_backbone(BackboneSettings(name=str(folder)), torch.device("cpu"))


MANY = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 2**20]))
CASES: dict[str, Case] = {
    "aliases in a stream": lambda at: read_stream_file(written(at / "a.yaml", laughing())),
    "aliases in a recipe": lambda at: load_recipe(str(written(at / "b.yaml", laughing()))),
    "aliases in a run": lambda at: of_run(at, "run.yaml", lambda f: written(f, laughing())),
    "an alias of itself": lambda at: read_stream_file(written(at / "c.yaml", "&a [*a]")),
    "aliases in a setting": lambda at: parse_assignments(
        [f"a={{{laughing().replace(chr(10), ', ')}}}"]
    ),
    "a long setting": lambda at: parse_assignments(["a=" + "[" * 20_000]),
    "YAML without end": lambda at: read_stream_file(sparse(at / "d.yaml", 5 * 2**20)),
    "YAML without bottom": lambda at: read_stream_file(written(at / "e.yaml", "[" * 3000)),
    "texts": lambda at: builtin_stream("domains:train=99999999999"),
    "texts of a task": lambda at: builtin("domains/films:train=99999999999"),
    "digits of a task": lambda at: builtin("digits/plain:test=99999999999"),
    "scenes": lambda at: builtin_stream("scenes:test=99999999999"),
    "clips": lambda at: builtin_stream("clips-qa:validation=99999999999"),
    "a number without end": lambda at: builtin_stream("domains:overlap=" + "9" * 5000),
    "domains": lambda at: builtin_stream("domains:n=99999999999"),
    "one text in all rows": lambda at: rows(table(at / "a.parquet", {"text": MANY})),
    "one text in all lists": lambda at: rows(
        table(at / "d.parquet", {"a": pa.ListArray.from_arrays([0, 5000], MANY)})
    ),
    "pages": lambda at: rows(pages(at / "f.parquet")),
    "one text in all rows of arrow": lambda at: rows(arrow(at / "a.arrow", MANY)),
    "one text in all lists of arrow": lambda at: rows(
        arrow(at / "b.arrow", pa.ListArray.from_arrays([0, 5000], MANY))
    ),
    "nothing in lists": lambda at: rows(
        arrow(at / "c.arrow", pa.ListArray.from_arrays([0, 6 * 10**8], pa.nulls(6 * 10**8)))
    ),
    "a batch of arrow": lambda at: rows(swollen(at / "d.arrow")),
    "a batch of a stream of arrow": lambda at: rows(swollen(at / "e.arrow", stream=True)),
    "a batch of a saved folder": lambda at: task(saved(at / "saved")),
    "a table of a run": lambda at: of_run(
        at, "scores.parquet", lambda f: table(f, {"task": MANY, "value": [0.5] * 5000})
    ),
    "a table of the store": lambda at: of_store(table(at / "g.parquet", {"a": MANY})),
    "data of the store": lambda at: of_store(sparse(at / "data.json", 2**30)),
    "equal rows": lambda at: rows(table(at / "b.parquet", {"a": pa.nulls(10_000_001, pa.int8())})),
    "columns": lambda at: rows(table(at / "c.parquet", {str(n): [0] for n in range(10_001)})),
    "cells of csv": lambda at: rows(written(at / "a.csv", "," * 10_001 + "\n")),
    "a csv of one line": lambda at: rows(written(at / "one.csv", "x" * 20_000_000)),
    "a cell without end": lambda at: rows(
        written(at / "cell.csv", 'text,label\n"' + "x " * 10_000_000)
    ),
    "names of json lines": lambda at: rows(
        written(at / "a.jsonl", "\n".join(json.dumps({str(n): 0}) for n in range(9000)))
    ),
    "csv without end": lambda at: rows(sparse(at / "b.csv", 5 * 2**30)),
    "json without end": lambda at: rows(sparse(at / "b.json", 2**30)),
    "pixels": lambda at: open_picture(picture(60_000, 60_000)),
    "a picture without end": lambda at: open_picture(sparse(at / "a.png", 2**30)),
    "pixels of frames": lambda at: read_clip(animation(60_000, 60_000, 2), 8),
    "frames on a canvas": lambda at: read_clip(animation(7_000, 7_000, 4), 8),
    "names in a zip": lambda at: unpack(Workspace(at / "w"), listing(40 * 2**20)),
    "events without end": lambda at: of_run(at, "events.jsonl", lambda f: sparse(f, 2**30)),
    "artifacts without end": lambda at: of_run(at, "artifacts.json", lambda f: sparse(f, 2**30)),
    "hashes without end": lambda at: of_run(at, "hashes.json", lambda f: sparse(f, 2**30)),
    "names of classes without end": lambda at: task(with_endless(at / "named", "meta.json")),
    "a checkpoint's configuration without end": lambda at: load_backbone(
        BackboneSettings(name=str(with_endless(at / "checkpoint", "config.json"))),
        torch.device("cpu"),
    ),
    "blocks of a checkpoint": lambda at: configured(at / "deep", num_hidden_layers=10**9),
    "labels of a checkpoint": lambda at: configured(at / "labelled", num_labels=10**10),
    "words of a checkpoint": lambda at: configured(at / "wordy", vocab_size=10**12),
    "width of a checkpoint": lambda at: configured(at / "wide", intermediate_size=10**12),
    "an adapter's configuration without end": lambda at: read_adapterhub(
        with_endless(at / "adapter", "adapter_config.json")
    ),
    "a merge's description without end": lambda at: load_merged(
        with_endless(at / "merged", DESCRIPTION)
    ),
    "a name": lambda at: Workspace(at).run("a" * 121),
}


def allow(further: int) -> None:
    """This process may take so many bytes beyond what it has."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(
        resource.RLIMIT_AS, (size + further, resource.getrlimit(resource.RLIMIT_AS)[1])
    )


def main() -> None:
    """Reads them all; prints JSON: by case what was said, or what else came; and the peak."""
    at = Path(sys.argv[1])
    said = {}
    allow(ALLOWED)
    for name, case in CASES.items():
        try:
            case(at)
            said[name] = "taken"
        except UserError as error:
            said[name] = f"refused: {error}"
        except (MemoryError, OSError, ValueError, TypeError, LookupError, RuntimeError) as error:
            said[name] = f"{type(error).__name__}: {error}"[:300]
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
