"""Scores of one test split, from labels and predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Returns the share of samples whose prediction is the label; NaN without samples.

    Args:
        labels, predictions: (N,) class indices.

    Raises:
        ValueError: the two differ in length.
    """
    true, predicted = _pair(labels, predictions)
    return float((true == predicted).mean()) if len(true) else float("nan")


def macro_f1(
    labels: ArrayLike, predictions: ArrayLike, classes: Sequence[int] | None = None
) -> float:
    """Returns the plain mean over classes of F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c); NaN without
    samples.

    Args:
        labels, predictions: (N,) class indices.
        classes: which classes are averaged. By default those that occur among labels or
            predictions, as in scikit-learn; then a prediction of another task's class adds a class
            with F1 = 0. Pass a task's own classes to leave those out; an own class that does not
            occur counts as 0.

    Raises:
        ValueError: as `accuracy`.

    >>> round(macro_f1([0, 0, 1, 1], [0, 0, 1, 2]), 2)  # class 2, which is only predicted, counts as 0
    0.56
    >>> round(macro_f1([0, 0, 1, 1], [0, 0, 1, 2], classes=[0, 1]), 2)
    0.83
    """
    _, f1, _ = _f1_by_class(labels, predictions, classes)
    return float(f1.mean()) if len(f1) else float("nan")


def weighted_f1(
    labels: ArrayLike, predictions: ArrayLike, classes: Sequence[int] | None = None
) -> float:
    """Returns the mean over classes of F1_c weighted by how many labels are c; NaN without samples.

    AfriSenti's metric. Arguments and errors as in `macro_f1`.
    """
    _, f1, support = _f1_by_class(labels, predictions, classes)
    return float((f1 * support).sum() / support.sum()) if support.sum() else float("nan")


def confusion(labels: ArrayLike, predictions: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Returns (n_classes, n_classes) counts: row = label, column = prediction.

    Raises:
        ValueError: as `accuracy`, or a class index outside 0..n_classes-1.

    >>> confusion(labels=[0, 0, 1], predictions=[0, 1, 1], n_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    true, predicted = _pair(labels, predictions)
    return cross_counts(true, predicted, n_classes, n_classes)


def cross_counts(
    rows: NDArray[np.int64], columns: NDArray[np.int64], n_rows: int, n_columns: int
) -> NDArray[np.int64]:
    """Returns (n_rows, n_columns) counts of index pairs; raises `ValueError` for an index
    outside.
    """
    for name, index, count in (("row", rows, n_rows), ("column", columns, n_columns)):
        if len(index) and not (index.min() >= 0 and index.max() < count):
            raise ValueError(
                f"{name} indices {index.min()}..{index.max()} do not fit in {count} {name}s"
            )
    flat = np.bincount(rows * n_columns + columns, minlength=n_rows * n_columns)
    return flat.reshape(n_rows, n_columns).astype(np.int64)


def _f1_by_class(
    labels: ArrayLike, predictions: ArrayLike, classes: Sequence[int] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Returns classes, F1 and number of labels, (C,) each. F1 is 0 where a class never occurs."""
    true, predicted = _pair(labels, predictions)
    chosen = np.union1d(true, predicted) if classes is None else np.asarray(classes, dtype=np.int64)
    support = (true[:, None] == chosen).sum(axis=0)
    guessed = (predicted[:, None] == chosen).sum(axis=0)
    right = ((true == predicted)[:, None] & (true[:, None] == chosen)).sum(axis=0)
    f1 = 2 * right / np.maximum(support + guessed, 1)  # 2 TP + FP + FN = labels + predictions of c
    return chosen, f1, support


def _pair(labels: ArrayLike, predictions: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    true = np.asarray(labels, dtype=np.int64)
    predicted = np.asarray(predictions, dtype=np.int64)
    if true.ndim != 1 or true.shape != predicted.shape:
        raise ValueError(f"labels {true.shape} and predictions {predicted.shape} must both be (N,)")
    return true, predicted
