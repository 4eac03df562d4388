"""How one new sample was answered: its router's word, the answer, and what each adapter says alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class AdapterShare:
    """What one adapter had to do with one sample.

    Attributes:
        task: whose adapter it is.
        score: the router's score; the cosine to the task's centroid for `centroid`.
        weight: p_t(x), 0 for an adapter that was not used.
        alone: the label that this adapter by itself predicts; None where one adapter serves all tasks, whose answer
            is the run's.
    """

    task: str
    score: float
    weight: float
    alone: str | None


@dataclass(frozen=True)
class RoutedSample:
    """How one new sample was answered.

    Attributes:
        sample: the text, or the path of the picture.
        prediction: the label that the composed model predicts.
        confidence: its softmax probability under the heads' rule, not calibrated.
        shares: one entry per adapter, in descending order of weight.
        entropy: of the weights, nats.
        margin: the largest weight minus the second.
        per_block: L2R: the weights of each adapted block, in the order of the tasks; else None.
    """

    sample: str
    prediction: str
    confidence: float
    shares: tuple[AdapterShare, ...]
    entropy: float
    margin: float
    per_block: dict[str, tuple[float, ...]] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        used = [share for share in self.shares if share.weight >= 0.005]  # shown as 0.01 or more
        merge = " + ".join(f"{share.weight:.2f} {share.task}" for share in used)
        if all(share.alone is None for share in self.shares):
            merge = "one adapter for all tasks"
        lines = [
            f"“{self.sample}”",
            f"  = {self.prediction} ({self.confidence:.0%})   from {merge}",
        ]
        width = max(len(share.task) for share in self.shares)
        lines += [
            f"    {share.task:<{width}}  score {share.score:6.3f}  weight {share.weight:5.3f}  alone: {share.alone}"
            for share in self.shares
            if share.alone is not None
        ]
        if self.per_block is not None:
            lines += [
                f"    {block:<{width}}  " + " ".join(f"{weight:5.3f}" for weight in weights)
                for block, weights in self.per_block.items()
            ]
        return "\n".join(lines)
