"""What a row of the table of compositions says of its composition. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CompositionTraits:
    """A composition.

    Attributes:
        explanation: what becomes of the weighted adapters, in a sentence that needs no paper; Markdown and formulas
            have no place here.
        formula: LaTeX of what a sample passes through, given weights p; empty where there is nothing to write down.
        differentiable: whether routers can be learnt through it, for it has a gradient in the weights.
        paths: the several exact ways to compute it, of which the shape chooses; a composition that has them has no
            settings.
        passes: forward passes of a sample: "one", or "one per adapter", each of which answers with its own head.
        one_adapter: whether only the adapter of the largest weight counts.
        trained: whether it has weights of its own, which are trained for each task after its adapter.
        settings: names of the settings that it reads.
    """

    explanation: str
    formula: str = ""
    differentiable: bool = False
    paths: tuple[str, ...] = ()
    passes: Literal["one", "one per adapter"] = "one"
    one_adapter: bool = False
    trained: bool = False
    settings: tuple[str, ...] = ()

    @property
    def by_weights(self) -> bool:
        """Whether it is a function of the bank and one forward pass's weights, which `compose` carries out."""
        return self.passes == "one" and not self.trained
