"""One task: a data set with labels, one step of a stream."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cl_core.errors import UserError

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled texts in three splits.

    Attributes:
        name: unique in its stream.
        kind: "text".
        label_names: the classes; labels are indices into it.
        splits: by name ("train", "validation", "test"), each with the columns ``id`` (str, unique in the
            stream: "task/split/row", rows counted from 0 in the source), ``text`` (str), ``text_pair`` (str,
            only where there is a second text) and ``label`` (int64).
        source: where the rows came from, for people.
    """

    name: str
    kind: str
    label_names: tuple[str, ...]
    splits: Mapping[str, Dataset]
    source: str
    _fingerprints: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @property
    def train(self) -> Dataset:
        """Training rows."""
        return self._split("train")

    @property
    def validation(self) -> Dataset:
        """Rows for early stopping and for choosing settings."""
        return self._split("validation")

    @property
    def test(self) -> Dataset:
        """Rows that are scored."""
        return self._split("test")

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
        `datasets` keeps.

        Raises:
            UserError: the task has no such split.
        """
        if split not in self._fingerprints:
            rows = self._split(split)
            digest = hashlib.sha256(b"split\0")
            _add_strings(digest, self.label_names)
            for column in sorted(rows.column_names):
                digest.update(column.encode() + b"\0")
                values = list(rows[column])
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


def make_task(
    name: str,
    label_names: Sequence[str],
    rows: Mapping[str, Sequence[tuple[str, int]]],
    source: str = "rows given in Python",
) -> Task:
    """Builds a task from (text, label index) pairs by split.

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
        splits[split] = make_rows(
            name, split, [text for text, _ in pairs], [label for _, label in pairs]
        )
    return Task(name, "text", tuple(label_names), splits, source)


def make_rows(
    task: str,
    split: str,
    texts: Sequence[str],
    labels: Sequence[int],
    pairs: Sequence[str] | None = None,
    numbers: Sequence[int] | None = None,
) -> Dataset:
    """One split as a Dataset with the columns that `Task` promises.

    Args:
        task: for the ids.
        split: for the ids.
        texts: (N,) texts.
        labels: (N,) indices.
        pairs: (N,) second texts, if there are any.
        numbers: (N,) row numbers in the source, for the ids; 0..N-1 by default.
    """
    from datasets import Dataset, Features, Value

    counted = range(len(texts)) if numbers is None else numbers
    columns = {"id": [f"{task}/{split}/{row}" for row in counted], "text": list(texts)}
    features = {"id": Value("string"), "text": Value("large_string")}
    if pairs is not None:
        columns["text_pair"] = list(pairs)
        features["text_pair"] = Value("large_string")
    return Dataset.from_dict(
        {**columns, "label": list(labels)}, Features({**features, "label": Value("int64")})
    )


def _add_strings(digest: hashlib._Hash, values: Sequence[str]) -> None:
    # Lengths first: ["ab", "c"] and ["a", "bc"] must differ.
    encoded = [value.encode() for value in values]
    lengths = array("Q", [len(encoded), *map(len, encoded)])
    digest.update(lengths.tobytes())
    digest.update(b"".join(encoded))
