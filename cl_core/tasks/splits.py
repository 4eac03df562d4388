"""Stratified splits and subsets that every machine draws alike.

No random generator is used: rows are ranked by a hash of the seed and of what they hold, so the same rows are chosen
whatever the platform, and a smaller limit's rows are part of a larger one's **(ours)**.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from cl_core.tasks.task import Task, column_of, content_keys, dataset_of

if TYPE_CHECKING:
    from datasets import Dataset


def limit_rows(task: Task, limits: Mapping[str, int | None], seed: int = 0) -> Task:
    """At most so many rows in each split, stratified by class, in their order.

    Every class keeps at least one row where the limit allows it.

    Args:
        task: it stays as it is.
        limits: rows by split; None or a missing split means all.
        seed: draws the subset.
    """
    splits: dict[str, Dataset] = dict(task.splits)
    for split, rows in task.splits.items():
        limit = limits.get(split)
        if limit is not None and limit < len(rows):
            columns = {name: column_of(rows, name) for name in rows.column_names}
            chosen = stratified_subset(columns["label"], content_keys(columns), limit, seed)
            # Copied out, so that nothing later reads through an indices table.
            kept = rows.select(chosen).to_dict()
            splits[split] = dataset_of(kept, rows.features)
    return replace(task, splits=splits)


def stratified_subset(
    labels: Sequence[object], texts: Sequence[object], size: int, seed: int
) -> list[int]:
    """Positions of ``size`` rows with the classes' shares kept, ascending.

    Args:
        labels: (N,) anything hashable.
        texts: (N,) what the rows are ranked by; of pairs both.
        size: at most N are returned.
        seed: another seed, another subset.

    >>> labels, texts = ["good", "good", "good", "bad"], ["one", "two", "three", "four"]
    >>> chosen = stratified_subset(labels, texts, size=2, seed=0)
    >>> [labels[row] for row in chosen]
    ['good', 'bad']
    """
    ranked = _ranked(labels, texts, seed)
    quotas = share_out(size, {label: len(rows) for label, rows in ranked.items()})
    return sorted(row for label, rows in ranked.items() for row in rows[: quotas[label]])


def stratified_split(
    labels: Sequence[object], texts: Sequence[object], fractions: Mapping[str, float], seed: int
) -> dict[str, list[int]]:
    """Cuts rows into "train" and the named other splits, class by class, each in the rows' order.

    A class of at least as many rows as there are splits has a row in each. Equal texts of a class, and pairs with
    an equal first text, rank side by side, so that duplicates seldom end up on both sides.

    Args:
        labels: (N,) anything hashable.
        texts: (N,) what the rows are ranked by; of pairs both.
        fractions: share of each class by split, train excluded.
        seed: another seed, another split.
    """
    cut: dict[str, list[int]] = {"train": [], **{split: [] for split in fractions}}
    for rows in _ranked(labels, texts, seed).values():
        start = 0
        for split, fraction in fractions.items():
            size = round(fraction * len(rows))
            if len(rows) > len(fractions):
                size = max(size, 1)
            size = min(size, len(rows) - start - 1)  # train keeps at least one
            cut[split] += rows[start : start + size]
            start += size
        cut["train"] += rows[start:]
    return {split: sorted(rows) for split, rows in cut.items()}


def share_out(size: int, counts: Mapping[object, int]) -> dict[object, int]:
    """Shares ``size`` rows out to classes in proportion to ``counts``, by largest remainder.

    Each class gets one first, while there are enough; ties go to the class that comes first.

    >>> share_out(10, {"good": 60, "bad": 38, "so-so": 2})
    {'good': 6, 'bad': 3, 'so-so': 1}
    """
    total = sum(counts.values())
    if size >= total:
        return dict(counts)
    least = 1 if size >= len(counts) else 0
    wanted = {label: size * count / total for label, count in counts.items()}
    quotas = {label: min(max(int(wanted[label]), least), counts[label]) for label in counts}
    while sum(quotas.values()) != size:
        step = 1 if sum(quotas.values()) < size else -1
        able = [
            label
            for label in counts
            if (quotas[label] < counts[label] if step > 0 else quotas[label] > least)
        ]
        # The class that is furthest from its exact share, on the side that is to be mended.
        chosen = max(able, key=lambda label: step * (wanted[label] - quotas[label]))
        quotas[chosen] += step
    return quotas


def _ranked(
    labels: Sequence[object], texts: Sequence[object], seed: int
) -> dict[object, list[int]]:
    classes: dict[object, list[int]] = {}
    for row, label in enumerate(labels):
        classes.setdefault(label, []).append(row)
    key = str(seed).encode()

    def ranks(text: object) -> tuple[bytes, ...]:
        """A pair is ranked by its first text, and among those of one first text by the second."""
        parts = text if isinstance(text, tuple) else (text,)
        encoded = (str(part).encode(errors="replace") for part in parts)
        return tuple(blake2b(part, digest_size=8, key=key).digest() for part in encoded)

    hashes = [ranks(text) for text in texts]
    ranked = {
        label: sorted(rows, key=lambda row: (hashes[row], row)) for label, rows in classes.items()
    }
    return dict(sorted(ranked.items(), key=lambda item: str(item[0])))
