"""What a row of the table of initialisers says of its initialiser. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InitialiserTraits:
    """An initialiser; that it reads the tasks' mean embeddings (centroids), its row's need of features says.

    Attributes:
        improvises: whether the start is trained for (I2I's phases 1 and 2), rather than copied or drawn.
        settings: names of the settings that it reads, or of whole groups of them ("improvise").
    """

    improvises: bool = False
    settings: tuple[str, ...] = ()
