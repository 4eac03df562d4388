"""The Python interface: `run`, and a run as an object with its scores, report and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cl_core.engine.execution import Watcher, carry_out
from cl_core.engine.launch import prepare, reopen
from cl_core.recipes.recipe import Recipe
from cl_core.reports.report import Report
from cl_core.reports.report_formats import FORMATS
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace

if TYPE_CHECKING:
    from cl_core.device import Precision
    from cl_core.model.predict import Predictor
    from cl_core.model.routed_sample import RoutedSample
    from cl_core.model.sample import Sample


class Run:
    """One run: its numbers, and its model to try on new samples.

    Args:
        workspace: where it is.
        folder: its folder.
    """

    def __init__(self, workspace: Workspace, folder: RunFolder) -> None:
        self.workspace = workspace
        self.folder = folder

    @property
    def name(self) -> str:
        """What it is called in its workspace."""
        return self.folder.name

    @property
    def matrix(self) -> NDArray[np.float64]:
        """R (T, T): accuracy on task j after learning task i, 0 to 1; NaN where not evaluated."""
        return Report(self.folder).matrix

    @property
    def metrics(self) -> dict[str, float]:
        """Average accuracy, average incremental accuracy, backward transfer, forgetting, forward transfer."""
        return Report(self.folder).transfer

    def report(self, form: Literal["text", "csv", "latex"] = "text") -> str:
        """The report in one of its forms."""
        return FORMATS[form](Report(self.folder))

    def resume(self, watcher: Watcher | None = None) -> Run:
        """Goes on where it was left; a finished run is read from its artifacts.

        Raises:
            UserError: its data changed since it began.
        """
        carry_out(self.workspace, self.folder, reopen(self.folder), watcher)
        return self

    @cached_property
    def model(self) -> Predictor:
        """Backbone, adapters, heads and router after the last stage."""
        from cl_core.model.predict import Predictor

        return Predictor(self.workspace, self.folder)

    def route(
        self, *samples: Sample, k: int | None = None, task: str | None = None
    ) -> list[RoutedSample]:
        """How new samples are routed and answered; see `Predictor.route`."""
        return self.model.route(samples, k=k, task=task)


def run(
    stream: str | Path,
    recipe: str | Recipe = "dam",
    *,
    name: str | None = None,
    seed: int = 0,
    workspace: str | Path | None = None,
    preset: str = "default",
    protocol: Literal["til", "cil", "dil"] | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    watcher: Watcher | None = None,
    **settings: Any,
) -> Run:
    """Carries a recipe out on a stream and returns the finished run.

    A run of the same name and settings is resumed, or read if it is finished.

    Args:
        stream: a preset's name ("domains") or the path of a stream file.
        recipe: a recipe or the name of one.
        name: of the run; by default stream, recipe and seed.
        seed: of initialisation, order and dropout.
        workspace: folder of runs; by default `$ADAPTER_LAB_WORKSPACE`, else `workspace`.
        preset: named training settings ("dam-published").
        protocol: overrides the stream's.
        device: "auto", "cpu", "cuda" or "cuda:n".
        precision: of forward passes: "auto", "float32", "bfloat16".
        watcher: is told what happens.
        settings: single settings by their flat names (`epochs=3`).

    Raises:
        UserError: something asked for does not exist or does not fit; the message says what to do.
    """
    opened = Workspace(workspace)
    asked: Mapping[str, Any] = settings
    folder, loaded = prepare(
        opened,
        str(stream),
        recipe,
        name=name,
        seed=seed,
        preset=preset,
        settings=asked,
        protocol=protocol,
        device=device,
        precision=precision,
    )
    if folder.status != "finished":
        carry_out(opened, folder, loaded, watcher)
    return Run(opened, folder)
