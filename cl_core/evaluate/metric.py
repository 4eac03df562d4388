"""What a row of the table of numbers says of its number. Functions are named as text, as in `cl_core.choices`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

Group = Literal["matrix", "score", "router", "oracle", "cost"]
Input = Literal[
    "R",
    "b",
    "final",
    "vanilla",
    "phase1",
    "phase2",
    "phase3",
    "labels",
    "predictions",
    "weights",
    "scores",
    "true",
    "k",
]
"""R (T, T) and b (T,): scores of the matrix and of the untrained model; final, vanilla (T,): what a task
scored right after it was learnt, and under an adapter that started afresh; phase1, phase2, phase3 (T - 1,): I2I's
scores of tasks 2..T after each phase; labels, predictions (N,): of one split; weights, scores (N, K), true
(N,) and k: of the routing of N samples."""


@dataclass(frozen=True)
class Metric:
    """One number.

    Attributes:
        name: its name in tables and files.
        title: its name for people.
        symbol: for narrow columns.
        formula: in the notation of `cl_core.evaluate.metrics`.
        direction: which way is better; None where neither is.
        unit: "share" (0 to 1, shown in per cent), "points" (a difference of shares), "%", "nats",
            ...
        group: what it is a function of.
        note: what it means, and where other libraries differ; one or two sentences.
        target: "module:function"; "" for what is measured rather than computed.
        inputs: what its function is given, in order.
        from_stage: the first stage after which it is defined, from 1.
        short: its name at the head of a narrow column, where runs are put side by side; "" where it is none of these.
        headline: whether a comparison on the terminal has it where nobody says which numbers.
    """

    name: str
    title: str
    symbol: str
    formula: str
    direction: Literal["higher", "lower"] | None
    unit: str
    group: Group
    note: str
    target: str = ""
    inputs: tuple[Input, ...] = ()
    from_stage: int = 1
    short: str = ""
    headline: bool = False

    @property
    def reads_unseen(self) -> bool:
        """Whether it needs the scores of tasks before they are learnt, set against the untrained model's."""
        return "b" in self.inputs

    def load(self) -> Any:
        """Imports and returns its function; raises `ValueError` for what is measured."""
        if not self.target:
            raise ValueError(f"{self.name} is measured, not computed from a matrix")
        module, _, function = self.target.partition(":")
        return getattr(import_module(module), function)
