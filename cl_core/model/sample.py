"""A new sample as a user gives it: a text, a picture, or a question with what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cl_core.errors import UserError, counted

Sample = str | bytes | Mapping[str, str | bytes]
"""A text, a picture (its path or encoded bytes), or values by column."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("image",),
    "image-qa": ("image", "question"),
    "video-qa": ("video", "question"),
}
"""What a sample of each kind is made of."""


def sample_columns(samples: Sequence[Sample], kinds: Sequence[str]) -> dict[str, list[str | bytes]]:
    """The samples by column, as a backbone encodes them.

    Args:
        samples: B of one kind.
        kinds: that the backbone reads, the first of a single column: samples that are no mapping are of it.

    Raises:
        UserError: there are none, one is empty, or they are of several kinds or of one that is not read.
    """
    plain = kinds[0]
    rows = [dict(sample) if isinstance(sample, Mapping) else {plain: sample} for sample in samples]
    wanted = [set(COLUMNS[kind]) for kind in kinds]
    if not rows or any(not value.strip() for row in rows for value in row.values()):
        nothing = "word" if plain == "text" else "picture"
        raise UserError(f"there is no {plain} to route; give at least one {nothing}")
    if any(set(row) != set(rows[0]) for row in rows) or set(rows[0]) not in wanted:
        given = " or ".join(sorted({" and ".join(row) for row in rows}))
        allowed = ", ".join(" and ".join(COLUMNS[kind]) for kind in kinds)
        raise UserError(
            f"a sample is {given}; this run answers for {allowed}, one of them at a time"
        )
    return {column: [row[column] for row in rows] for column in rows[0]}


def describe_sample(sample: Sample) -> str:
    """A sample in one line: the text, the picture's path, or the question and what it is about."""
    if isinstance(sample, Mapping):
        return " · ".join(describe_sample(value) for value in sample.values())
    return sample if isinstance(sample, str) else counted(len(sample), "byte")
