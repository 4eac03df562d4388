"""The training samples that a sample is most like, as the router sees it: by cosine of the backbone's frozen features.

Read from stored features, without torch. The adapters were trained on these rows, so they say why a sample is routed as
it is: its nearest rows are usually of the task whose centroid is nearest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cl_core.analysis.embeddings import Array, find_training, stored_array
from cl_core.evaluate.neighbours import nearest, unit
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace


@dataclass(frozen=True)
class NearRow:
    """A training sample near a sample.

    Attributes:
        task: place of its task in the stream, from 0.
        row: place in the task's training split, from 0.
        cosine: of its features and the sample's, -1 to 1.
    """

    task: int
    row: int
    cosine: float


class TrainingFeatures:
    """Features of the training samples of a run's tasks, read once.

    Args:
        workspace: whose store has them.
        run: one of its runs.

    Attributes:
        keys: by the place of the task, where its features are; empty where none were made.
    """

    def __init__(self, workspace: Workspace, run: RunFolder) -> None:
        self.workspace = workspace
        self.keys = find_training(workspace, run)

    @cached_property
    def features(self) -> dict[int, Array]:
        """(N, d) of each task, every row of length 1.

        Raises:
            UserError: an artifact was removed or is damaged.
        """
        read = {
            task: stored_array(self.workspace, "features", key, "features")
            for task, key in self.keys.items()
        }
        return {task: unit(rows) for task, rows in read.items()}

    def nearest(self, query: Array, k: int, stage: int) -> list[NearRow]:
        """The k rows nearest to a sample, nearest first; fewer where there are fewer.

        Args:
            query: (d,) the sample's features, of any length.
            k: how many.
            stage: how many tasks have been learnt; rows of later ones are left out.

        Raises:
            UserError: an artifact was removed or is damaged.
            ValueError: the sample has another number of features than the rows.
        """
        by_task = {task: rows for task, rows in self.features.items() if task < stage and len(rows)}
        if not by_task:
            return []
        points = np.concatenate(list(by_task.values()))
        if query.shape != points.shape[1:]:
            raise ValueError(f"{query.shape} features cannot be compared with {points.shape[1:]}")
        places = [(task, row) for task, rows in by_task.items() for row in range(len(rows))]
        scaled = unit(query[None])
        indices, _ = nearest(scaled, points, min(k, len(points)))
        cosines = points[indices[0]] @ scaled[0]
        return [
            NearRow(places[index][0], places[index][1], float(cosine))
            for index, cosine in zip(indices[0], cosines, strict=True)
        ]
