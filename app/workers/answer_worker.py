"""The worker of predictions: how samples are routed, merged and answered. `python -m app.workers.answer_worker`.

Holds the last few models and the last few samples that were encoded, so that a what-if costs one small forward pass.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar

from app.workers.near_rows import near_rows
from app.workers.request_loop import serve
from app.workers.scored_rows import ScoredRows, shown
from cl_core.analysis.nearest_rows import TrainingFeatures
from cl_core.errors import UserError
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.predict import Predictor
from cl_core.model.sample import describe_sample
from cl_core.model.what_if import WhatIf
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.tasks.task import ENCODED

Value = TypeVar("Value")


class LeastRecentlyUsed(Generic[Value]):
    """The last few values made, by key.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of this key, made where it is not kept."""
        if key not in self._values:
            self._values[key] = make()
        self._values.move_to_end(key)
        while len(self._values) > self.most:
            self._values.popitem(last=False)
        return self._values[key]


class AnswerWorker:
    """Models by (workspace, run, stage), test samples by (workspace, run), and samples that were encoded."""

    def __init__(self) -> None:
        self.models: LeastRecentlyUsed[Predictor] = LeastRecentlyUsed(6)
        self.encoded: LeastRecentlyUsed[EncodedSamples] = LeastRecentlyUsed(64)
        self.routed: LeastRecentlyUsed[dict[str, Any]] = LeastRecentlyUsed(512)
        self.rows: LeastRecentlyUsed[ScoredRows] = LeastRecentlyUsed(3)
        self.training: LeastRecentlyUsed[TrainingFeatures] = LeastRecentlyUsed(2)

    def kinds(self, workspace: str, run: str, stage: int) -> list[str]:
        """What the run's samples are: "text", "image", "image-qa", "video-qa"; so may be those of one's own.

        Where its data are gone, whatever its backbone can read.
        """
        try:
            return self._rows(workspace, run).kinds()
        except UserError:
            return list(self._model(workspace, run, stage).kinds)

    def samples(self, workspace: str, run: str) -> list[dict[str, str]]:
        """Every row that the run was scored on, in one line: its id, and its text or question."""
        return self._rows(workspace, run).lines()

    def shown(self, workspace: str, run: str, sample: dict[str, str]) -> dict[str, Any]:
        """A row or a sample of one's own in full; pictures and frames as base64 of PNG files."""
        inputs = self._inputs(workspace, run, sample)
        return shown(inputs, self._ground(workspace, run, sample))

    def route(
        self,
        workspace: str,
        run: str,
        stage: int,
        sample: dict[str, str],
        what_ifs: list[dict[str, Any]],
        task: str | None = None,
    ) -> list[dict[str, Any]]:
        """How a sample is answered under each of several what-ifs; {} is the run's own way.

        Args:
            workspace: the folder.
            run: its name.
            stage: 1-based.
            sample: {"id": of a test sample}, or a sample of one's own by column, pictures and clips as base64.
            what_ifs: fields of `WhatIf`.
            task: the true one, where the recipe must be told.

        Raises:
            UserError: the run, the stage or the row does not exist, or a change does not fit the recipe.
        """
        model = self._model(workspace, run, stage)
        encoded = self._encoded_sample(model, workspace, run, stage, sample)

        def answer(change: dict[str, Any]) -> dict[str, Any]:
            return model.route(encoded, task=task, what_if=WhatIf(**change))[0].as_dict()

        # The run's own way is asked for with every what-if, and teachers go to and fro between two.
        asked = (*self._sample_key(workspace, run, stage, sample), task)
        return [
            self.routed.get((*asked, json.dumps(change, sort_keys=True)), partial(answer, change))
            for change in what_ifs
        ]

    def embed(self, workspace: str, run: str, stage: int, sample: dict[str, str]) -> list[float]:
        """The d numbers that the router reads of a sample, for a place on the map.

        Args:
            workspace: the folder.
            run: its name.
            stage: 1-based.
            sample: as for `route`.

        Raises:
            UserError: the run, the stage or the row does not exist, or the backbone does not read such a sample.
        """
        model = self._model(workspace, run, stage)
        features = self._encoded_sample(model, workspace, run, stage, sample).features
        return [float(number) for number in features[0]]

    def near(
        self, workspace: str, run: str, stage: int, sample: dict[str, str], k: int
    ) -> list[dict[str, Any]]:
        """The k training samples of the tasks learnt by the stage that are nearest to a sample; see `near_rows`.

        Empty where no features of training samples are stored.

        Args:
            workspace: the folder.
            run: its name.
            stage: 1-based.
            sample: as for `route`.
            k: how many.

        Raises:
            UserError: as `embed`, or the training samples are no longer there.
        """
        folder = Workspace(workspace)
        key = self._key(workspace, run)
        training = self.training.get(key, lambda: TrainingFeatures(folder, folder.find(run)))
        if not training.keys:
            return []
        model = self._model(workspace, run, stage)
        encoded = self._encoded_sample(model, workspace, run, stage, sample)
        query = encoded.features[0].float().cpu().numpy()
        nearest = training.nearest(query, k, stage)
        return near_rows(self._rows(workspace, run).stream, training, nearest)

    def _encoded_sample(
        self, model: Predictor, workspace: str, run: str, stage: int, sample: dict[str, str]
    ) -> EncodedSamples:
        """The sample with what has been computed of it already."""
        key = self._sample_key(workspace, run, stage, sample)
        return self.encoded.get(key, lambda: self._encode(model, workspace, run, sample))

    def _sample_key(
        self, workspace: str, run: str, stage: int, sample: dict[str, str]
    ) -> tuple[Hashable, ...]:
        """Names a sample at a stage of a run."""
        digest = sha256(json.dumps(sample, sort_keys=True).encode()).hexdigest()
        return (*self._key(workspace, run), stage, digest)

    def _encode(
        self, model: Predictor, workspace: str, run: str, sample: dict[str, str]
    ) -> EncodedSamples:
        inputs = self._inputs(workspace, run, sample)
        if "id" not in sample:
            return model.encode([inputs])
        # Not through `encode`, which takes what users give: a row may have a second text.
        rows = {column: [value] for column, value in inputs.items()}
        rows["ground"] = [self._ground(workspace, run, sample)]
        return model.encode_columns(rows, [describe_sample(inputs)])

    def _inputs(self, workspace: str, run: str, sample: dict[str, str]) -> dict[str, str | bytes]:
        """By column; pictures and clips decoded from base64."""
        if "id" in sample:
            return self._rows(workspace, run).inputs(sample["id"])
        return {
            column: b64decode(value) if column in ENCODED else value
            for column, value in sample.items()
        }

    def _ground(self, workspace: str, run: str, sample: dict[str, str]) -> str:
        """What shows where the sample is transparent."""
        if "id" in sample:
            return self._rows(workspace, run).ground(sample["id"])
        return Workspace(workspace).find(run).config.ground

    def _model(self, workspace: str, run: str, stage: int) -> Predictor:
        folder = Workspace(workspace)
        key = (*self._key(workspace, run), stage)
        return self.models.get(key, lambda: Predictor(folder, folder.find(run), stage))

    def _rows(self, workspace: str, run: str) -> ScoredRows:
        return self.rows.get(
            self._key(workspace, run), lambda: ScoredRows(Workspace(workspace).find(run))
        )

    def _key(self, workspace: str, run: str) -> tuple[str, str, int]:
        """Another one when the run has been carried on."""
        folder: RunFolder = Workspace(workspace).find(run)
        file = folder.path / "artifacts.json"
        return str(Path(workspace).resolve()), run, file.stat().st_mtime_ns if file.is_file() else 0


def main() -> None:
    """Serves until standard input is closed."""
    worker = AnswerWorker()
    serve(
        {
            "ready": lambda: True,
            "kinds": worker.kinds,
            "samples": worker.samples,
            "shown": worker.shown,
            "route": worker.route,
            "embed": worker.embed,
            "near": worker.near,
        }
    )


if __name__ == "__main__":
    main()
