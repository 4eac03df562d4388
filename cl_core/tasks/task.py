"""One task: a data set with labels, one step of a stream."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from cl_core.errors import UserError
from cl_core.picture_decoder import WHITE, picture_version

if TYPE_CHECKING:
    from datasets import Dataset, Features

Kind = Literal["text", "image", "image-qa", "video-qa"]
"""What a row is: a text, an image, or a question about an image or about a video."""
QA_KINDS: tuple[Kind, ...] = ("image-qa", "video-qa")
ENCODED = ("image", "video")
"""Columns that hold encoded bytes, or the path of a file."""
VOTES = ("answers", "answer_weights")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled rows in three splits.

    Attributes:
        name: unique in its stream.
        kind: see `Kind`.
        label_names: the classes, or the vocabulary of answers; labels are indices into it.
        splits: by name ("train", "validation", "test"), each with the columns ``id`` (str, unique in the
            stream: "task/split/row", rows counted from 0 in the source) and ``label`` (int64; -1 where the answer of
            a test sample is none of the vocabulary), and between them those of its kind:
            ``text`` (str) and ``text_pair`` (str, only where there is a second text); or
            ``image`` or ``video`` (encoded bytes, or the path of a file) and, where it is asked about, ``question``
            (str). Where answers carry votes there are ``answers`` (list of int64 labels) and ``answer_weights`` (list
            of float32 in 0..1) as well.
        source: where the rows came from, for people.
        ground: what shows where its pictures or clips are transparent; see `decode.ground_name`.
    """

    name: str
    kind: Kind
    label_names: tuple[str, ...]
    splits: Mapping[str, Dataset]
    source: str
    ground: str = WHITE
    _fingerprints: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @property
    def train(self) -> Dataset:
        """Training samples."""
        return self._split("train")

    @property
    def validation(self) -> Dataset:
        """Rows for early stopping and for choosing settings."""
        return self._split("validation")

    @property
    def test(self) -> Dataset:
        """Rows that are scored."""
        return self._split("test")

    def columns(self, split: str) -> dict[str, Sequence[Any]]:
        """What a backbone encodes of a split: its columns by name, and `ground` (N,) where that is not white."""
        rows = self._split(split)
        columns = {name: column_of(rows, name) for name in rows.column_names}
        return columns if self.ground == WHITE else {**columns, "ground": [self.ground] * len(rows)}

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over label names and all rows of all splits; see `split_fingerprint`."""
        digest = hashlib.sha256(b"task\0")
        for split in sorted(self.splits):
            digest.update(f"{split}:{self.split_fingerprint(split)}\n".encode())
        return digest.hexdigest()

    def split_fingerprint(self, split: str) -> str:
        """sha256 (hex) over the label names and the bytes of every column of one split.

        It depends on content and order alone: not on file paths, file formats, or the fingerprints that
        `datasets` keeps. Of pictures and clips it is that of the encoded bytes, and of the way in which they are
        decoded where that has changed, and of the ground where they are laid on another than white.

        Raises:
            UserError: the task has no such split.
        """
        if split not in self._fingerprints:
            rows = self._split(split)
            digest = hashlib.sha256(b"split\0")
            _add_strings(digest, self.label_names)
            for column in sorted(rows.column_names):
                digest.update(column.encode() + b"\0")
                values = rows[column][:]
                if column in ENCODED:  # the same picture is the same row, whichever way it came
                    values = pixel_hashes(column, values, self.ground)
                if column in VOTES:
                    values = [json.dumps(value) for value in values]
                if column == "label":
                    digest.update(len(values).to_bytes(8, "little"))
                    for value in values:
                        digest.update(int(value).to_bytes(8, "little", signed=True))
                else:
                    _add_strings(digest, values)
            self._fingerprints[split] = digest.hexdigest()
        return self._fingerprints[split]

    def _split(self, split: str) -> Dataset:
        if split not in self.splits:
            raise UserError(
                f"task '{self.name}' has no {split} rows; it has {', '.join(self.splits) or 'none at all'}"
            )
        return self.splits[split]


def column_of(rows: Dataset, column: str) -> Sequence[Any]:
    """(N,) values of a column, read at once; pictures and clips one by one, as all may be more than the memory holds.

    Where a column is iterated, `datasets` asks for each row by itself, which takes seventy times as long.
    """
    values: Sequence[Any] = rows[column]
    return values if column in ENCODED else values[:]


def make_task(
    name: str,
    label_names: Sequence[str],
    rows: Mapping[str, Sequence[tuple[str | bytes, int]]],
    source: str = "rows given in Python",
    kind: Kind = "text",
) -> Task:
    """Builds a task from (text or encoded picture, label index) pairs by split.

    Raises:
        UserError: a label index is out of range.
    """
    splits = {}
    for split, pairs in rows.items():
        bad = sorted({label for _, label in pairs if not 0 <= label < len(label_names)})
        if bad:
            raise UserError(
                f"task '{name}', {split}: labels {bad} are not indices into {list(label_names)}"
            )
        inputs: dict[str, Sequence[object]] = {kind: [value for value, _ in pairs]}
        splits[split] = make_rows(name, split, inputs, [label for _, label in pairs])
    return Task(name, kind, tuple(label_names), splits, source)


def make_rows(
    task: str,
    split: str,
    inputs: Mapping[str, Sequence[object]],
    labels: Sequence[int],
    numbers: Sequence[int] | None = None,
    votes: Sequence[Mapping[int, float]] | None = None,
) -> Dataset:
    """One split as a Dataset with the columns that `Task` promises.

    Args:
        task: for the ids.
        split: for the ids.
        inputs: what the rows are made of, (N,) each, by the column's name.
        labels: (N,) indices.
        numbers: (N,) row numbers in the source, for the ids; 0..N-1 by default.
        votes: (N,) by label, how far it answers the row rightly, in 0..1; None where each row has one right answer.
    """
    from datasets import Features, List, Value

    counted = range(len(labels)) if numbers is None else numbers
    columns: dict[str, list[object]] = {"id": [f"{task}/{split}/{row}" for row in counted]}
    features = {"id": Value("string")}
    for column, values in inputs.items():
        encoded = column in ENCODED and any(isinstance(value, bytes) for value in values)
        columns[column] = list(values)
        features[column] = Value("large_binary" if encoded else "large_string")
    if votes is not None:
        columns["answers"] = [list(row) for row in votes]
        columns["answer_weights"] = [list(row.values()) for row in votes]
        features["answers"] = List(Value("int64"))
        features["answer_weights"] = List(Value("float32"))
    columns["label"] = list(map(int, labels))
    return dataset_of(columns, Features({**features, "label": Value("int64")}))


def dataset_of(columns: Mapping[str, Sequence[object]], features: Features) -> Dataset:
    """A Dataset in memory.

    `Dataset.from_dict` hashes what it holds for a fingerprint, which takes longer than all the rest and nothing reads
    here (`Task.split_fingerprint` is of the content alone); this one's is drawn.
    """
    import pyarrow
    from datasets import Dataset, DatasetInfo
    from datasets.table import InMemoryTable

    table = pyarrow.Table.from_pydict(dict(columns), schema=features.arrow_schema)
    info = DatasetInfo(features=features)
    return Dataset(InMemoryTable(table), info=info, fingerprint=uuid4().hex)


def content_keys(rows: Mapping[str, Sequence[object]]) -> Sequence[str | tuple[str, str]]:
    """(N,) one key for each row, equal where the rows are.

    It is the text or both texts, or the hash of the picture's encoded bytes, with what is asked.

    Args:
        rows: with the columns of one kind of task.
    """
    encoded = next((column for column in ENCODED if column in rows), None)
    if encoded is None and "text_pair" in rows:
        pairs = zip(rows["text"], rows["text_pair"], strict=True)
        return [(str(first), str(second)) for first, second in pairs]
    if encoded is None:
        return [str(text) for text in rows["text"]]
    hashes = picture_hashes(rows[encoded])
    if "question" not in rows:
        return hashes
    return [f"{digest} {asked}" for digest, asked in zip(hashes, rows["question"], strict=True)]


def picture_hashes(pictures: Sequence[object]) -> list[str]:
    """(N,) `picture_hash` of each, reading a file once however many rows name it."""
    hashes: dict[object, str] = {}
    return [
        hashes[picture] if picture in hashes else hashes.setdefault(picture, picture_hash(picture))
        for picture in pictures
    ]


def pixel_hashes(column: str, values: Sequence[object], ground: str = WHITE) -> list[str]:
    """(N,) one string for each picture or clip, equal where its pixels are: its hash, and how it is decoded.

    Args:
        column: "image" or "video".
        values: encoded bytes, or paths of files.
        ground: what shows where they are transparent; white and what is not transparent go without a word.
    """
    from cl_core.video import clip_version  # numpy, which whoever reads a stream file needs not

    version = clip_version if column == "video" else picture_version
    hashes = picture_hashes(values)
    keys: dict[str, str] = {}
    for digest, value in zip(hashes, values, strict=True):
        if digest not in keys:
            way = version(value if isinstance(value, bytes) else str(value))
            laid = "" if ground == WHITE else f" on {ground}"
            keys[digest] = digest if way == 1 else f"{digest} decoded {way}{laid}"
    return [keys[digest] for digest in hashes]


def picture_hash(picture: object) -> str:
    """sha256 hex of an encoded picture or video, whether its bytes are given or the path of its file."""
    if isinstance(picture, bytes):
        return hashlib.sha256(picture).hexdigest()
    with Path(str(picture)).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add_strings(digest: hashlib._Hash, values: Sequence[str]) -> None:
    # Lengths first: ["ab", "c"] and ["a", "bc"] must differ.
    encoded = [value.encode() for value in values]
    lengths = array("Q", [len(encoded), *map(len, encoded)])
    digest.update(lengths.tobytes())
    digest.update(b"".join(encoded))
