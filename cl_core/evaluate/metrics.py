"""Continual-learning metrics: pure functions of the score matrix.

Notation. R[i, j] is the score on task j's test split after learning task i, with i, j = 1..T in the
formulas and 0..T-1 in the arrays. b[j] is the score of the untrained model on task j. NaN stands
for "not evaluated", and a metric that needs such an entry is NaN: a mean over what happens to be
there would be another number under the same name. For the metrics as they stood after stage i, pass
`R[:i, :i]`.

Libraries disagree about these names; each docstring says where. Scores are fractions in [0, 1], and
so are the metrics, unless it says per cent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

NAN = float("nan")


def average_accuracy(matrix: ArrayLike) -> float:
    """Returns mean_j R[T, j], the final average; higher is better. From T = 1.

    PILOT calls another number, `average_incremental`, "average accuracy".

    >>> average_accuracy([[0.75, 0.25], [0.5, 1.0]])
    0.75
    """
    return float(_square(matrix)[-1].mean())


def average_incremental(matrix: ArrayLike) -> float:
    """Returns mean_i mean_{j<=i} R[i, j], the average over stages; higher is better. From T = 1.

    PILOT's "average accuracy". Where tasks differ in size, others pool the samples of the tasks
    seen; here each task counts the same.

    >>> average_incremental([[0.5, 0.25], [0.5, 1.0]])  # of 0.5 and 0.75
    0.625
    """
    R = _square(matrix)
    return float(np.mean([R[i, : i + 1].mean() for i in range(len(R))]))


def backward_transfer(matrix: ArrayLike) -> float:
    """Returns mean_{j<T} (R[T, j] - R[j, j]); higher is better, below 0 is loss. NaN for T = 1.

    Lopez-Paz and Ranzato (GEM, 2017). Avalanche's "forgetting" is this with the sign turned (first
    minus last).

    >>> backward_transfer([[0.75, 0.25], [0.5, 1.0]])
    -0.25
    """
    R = _square(matrix)
    if len(R) < 2:
        return NAN
    return float((R[-1] - R.diagonal())[:-1].mean())


def forgetting(matrix: ArrayLike) -> float:
    """Returns mean_{j<T} (max_{j<=l<T} R[l, j] - R[T, j]); lower is better. NaN for T = 1.

    Chaudhry et al. (2018, "Riemannian Walk"): best score *before the last stage* minus
    the last one, so that a task which the last stage answers best counts as below 0. Their maximum
    runs over stages before the task is learnt as well; here it begins with the task's own **(ours)**.

    Mammoth and PILOT (`print_forget`) take the maximum over all stages, the last included: never
    below 0, and larger where one task gains and another loses. Avalanche takes first minus last,
    which is smaller where a task gained from a later one before it was forgotten.

    >>> forgetting([[0.5, 0.0, 0.0], [0.75, 1.0, 0.0], [0.5, 1.0, 1.0]])  # of 0.25 and 0
    0.125
    >>> forgetting([[0.5, 0.0], [0.75, 1.0]])  # the first task gained
    -0.25
    """
    R = _square(matrix)
    if len(R) < 2:
        return NAN
    last = len(R) - 1
    return float(np.mean([R[j:last, j].max() - R[last, j] for j in range(last)]))


def forward_transfer(matrix: ArrayLike, b: ArrayLike) -> float:
    """Returns mean_{j>=2} (R[j-1, j] - b[j]); higher is better. NaN for T = 1.

    Lopez-Paz and Ranzato (GEM, 2017): what is known of a task before it is learnt. Needs the scores
    of unseen tasks (one above the diagonal). Some libraries subtract the score of a model trained
    on task j alone instead.

    Not a number in CIL: answers are among the labels learnt so far, so R[j-1, j] is no score where
    task j has others (`cl_core/runs/undefined_scores.py`).

    Args:
        matrix: R (T, T).
        b: (T,) scores of the untrained model; the first is not read.

    >>> forward_transfer([[0.75, 0.5], [0.5, 1.0]], b=[0.25, 0.25])
    0.25
    """
    R, untrained = _square(matrix), _vector(b)
    if len(untrained) != len(R):
        raise ValueError(f"b has {len(untrained)} scores for {len(R)} tasks")
    if len(R) < 2:
        return NAN
    return float((R.diagonal(offset=1) - untrained[1:]).mean())


def transfer(scores: ArrayLike, vanilla: ArrayLike) -> NDArray[np.float64]:
    """Returns 100 (S_i - S_i^vanilla) / S_i^vanilla for each task, in per cent; higher is better.

    I2I (arXiv 2304.02168). NaN where the vanilla score is 0.

    Args:
        scores: (T,) score on each task by the recipe, right after the task was learnt.
        vanilla: (T,) the same by vanilla adapters (recipe `adapters`), same stream, order and seed.

    >>> transfer(scores=[0.5, 0.75], vanilla=[0.5, 0.5]).tolist()
    [0.0, 50.0]
    """
    ours, base = _vector(scores), _vector(vanilla)
    if ours.shape != base.shape:
        raise ValueError(f"{len(ours)} scores cannot be compared with {len(base)} vanilla scores")
    return 100 * (ours - base) / np.where(base == 0, NAN, base)


def knowledge_transfer(scores: ArrayLike, vanilla: ArrayLike) -> float:
    """Returns the mean of `transfer` over tasks 2..T, in per cent; higher is better. NaN for T = 1.

    I2I (arXiv 2304.02168), "overall transfer"; over several orders, the mean of all their tasks
    2..T. A relative gain: one point counts for more on a hard task than on an easy one. Not the
    forward transfer of GEM.

    Args:
        scores, vanilla: (T,) each, as in `transfer`.
    """
    gains = transfer(scores, vanilla)[1:]
    return float(gains.mean()) if len(gains) else NAN


def distillation_decay(phase1: ArrayLike, phase2: ArrayLike) -> float:
    """Returns mean_{i>=2} 100 (S_phase1 - S_phase2) / S_phase1, in per cent; lower is better.

    I2I (arXiv 2304.02168): what the distilled adapter lost of its teacher's score, before phase 3.

    Args:
        phase1, phase2: (n,) each, score on a task under the fusion and under the distilled adapter.

    >>> distillation_decay(phase1=[0.5, 0.5], phase2=[0.25, 0.5])
    25.0
    """
    losses = transfer(phase2, phase1)
    return -float(losses.mean()) if len(losses) else NAN


def phase3_gain(phase2: ArrayLike, phase3: ArrayLike) -> float:
    """Returns mean_{i>=2} 100 (S_phase3 - S_phase2) / S_phase2, in per cent; higher is better.

    I2I: what training on the task's full data added to its start. NaN where a start scored 0.

    Args:
        phase2, phase3: (n,) each, score on a task before and after phase 3.
    """
    gains = transfer(phase3, phase2)
    return float(gains.mean()) if len(gains) else NAN


def _square(matrix: ArrayLike) -> NDArray[np.float64]:
    R = np.asarray(matrix, dtype=np.float64)
    if R.ndim != 2 or R.shape[0] != R.shape[1] or R.size == 0:
        raise ValueError(f"the score matrix must be (T, T) with T > 0; found {R.shape}")
    return R


def _vector(scores: ArrayLike) -> NDArray[np.float64]:
    vector = np.asarray(scores, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"scores must be (T,), one per task; found {vector.shape}")
    return vector
