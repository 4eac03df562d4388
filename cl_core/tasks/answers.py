"""Answers to questions: the vocabulary, votes as weights, and answers that are not in it.

Training and validation samples whose answers are all out of vocabulary are left out and counted; test samples are kept
and count as wrong (DAM, arXiv 2403.08755). Answers are compared without case and surplus spaces **(ours)**.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cl_core.errors import cut
from cl_core.tasks.raw_rows import Fault, RawRows
from cl_core.tasks.spec import TaskSpec

NO_ANSWER = -1
"""The label of a test sample whose answer is none of the vocabulary."""


@dataclass(frozen=True)
class SplitAnswers:
    """One split's answers.

    Attributes:
        labels: (N,) the best answer's index, NO_ANSWER where none is in the vocabulary, None where the row is left out.
        votes: (N,) by index, how far the answer is right, in 0..1; None where each row has one answer.
        unknown: how many rows have no answer in the vocabulary.
    """

    labels: Sequence[int | None]
    votes: Sequence[Mapping[int, float]] | None
    unknown: int


def read_votes(value: object) -> dict[str, int] | None:
    """Votes by answer; None where there is no answer, or nothing that could be one.

    Args:
        value: an answer; a list of them, each a string or a mapping with `answer` (as VQAv2 has them); or a mapping
            from an answer to its votes.

    >>> read_votes(["two dogs", "Two  dogs", "2"])
    {'two dogs': 2, '2': 1}
    >>> read_votes({"yes": 3, "no": 0})
    {'yes': 3}
    """
    if isinstance(value, Mapping):
        counts = {clean(answer): votes for answer, votes in value.items()}
        whole = all(isinstance(n, int) and not isinstance(n, bool) for n in counts.values())
        return {answer: n for answer, n in counts.items() if n > 0 and answer} if whole else None
    given = value if isinstance(value, list | tuple) else [value]
    answers = [item.get("answer") if isinstance(item, Mapping) else item for item in given]
    if any(isinstance(answer, list | tuple | Mapping | bytes) for answer in answers):
        return None
    return dict(Counter(cleaned for answer in answers if (cleaned := clean(answer)))) or None


def clean(answer: object) -> str:
    """An answer as it is compared: lower case, single spaces; yes and no for true and false.

    >>> clean(" Two  Dogs"), clean(2.0), clean(True)
    ('two dogs', '2', 'yes')
    """
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, float) and answer.is_integer():
        answer = int(answer)
    if answer is None or answer != answer:  # missing numbers of tables are NaN
        return ""
    return " ".join(str(answer).lower().split())


def find_vocabulary(
    votes: Sequence[Mapping[str, int] | None],
    given: Sequence[str] | None,
    most: int | None,
) -> tuple[str, ...]:
    """The answers that a task knows.

    Args:
        votes: of the training samples.
        given: by the stream file or a meta.json; None takes the training samples' answers, those that most rows give
            first, equals in alphabetical order.
        most: at most so many.
    """
    if given is not None:
        names = tuple(dict.fromkeys(clean(name) for name in given))
    else:
        counts = Counter(answer for row in votes if row for answer in row)
        names = tuple(sorted(counts, key=lambda answer: (-counts[answer], answer)))
    return names[:most]


def index_answers(
    rows: RawRows,
    split: str,
    spec: TaskSpec,
    votes: Sequence[Mapping[str, int] | None],
    names: Sequence[str],
) -> tuple[SplitAnswers, list[Fault]]:
    """Turns a split's votes into labels; rows without any answer are faults.

    An answer's weight is min(votes / agreement, 1): VQA accuracy with 3 (Antol et al. 2015), iVQA's with 2 (Yang et
    al. 2021). The best answer has the most votes, of equals the first of the vocabulary.
    """
    index = {name: position for position, name in enumerate(names)}
    labels: list[int | None] = []
    weights: list[dict[int, float]] = []
    empty: list[int] = []
    unknown = 0
    for number, row in zip(rows.numbers, votes, strict=True):
        counts = sorted((index[answer], n) for answer, n in (row or {}).items() if answer in index)
        weights.append({label: min(n / spec.agreement, 1.0) for label, n in counts})
        if row is None:
            empty.append(number + 1)
            labels.append(None)
        elif counts:
            labels.append(max(counts, key=lambda pair: pair[1])[0])
        else:
            unknown += 1
            labels.append(NO_ANSWER if split == "test" else None)
    column = next(iter(spec.outcome.values()))
    message = f"'{cut(column)}' holds no answer"
    faults = [Fault(spec.name, split, message, rows.source, tuple(empty))] if empty else []
    return SplitAnswers(labels, weights if spec.answers else None, unknown), faults


def describe_unknown(task: str, split: str, unknown: int, rows: int) -> str:
    """A sentence for people: what became of rows whose answers are out of vocabulary."""
    fate = "kept, and count as wrong" if split == "test" else "left out"
    return f"task '{task}': {unknown} of {rows} {split} rows have no answer in the vocabulary; they are {fate}"
