"""What is scored as a run goes on: the untrained model, I2I's phases, and each stage's row of the score matrix."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cl_core.adapters.heads import Head
from cl_core.adapters.task_weights import TaskWeights
from cl_core.engine.artifact_keys import ArtifactKeys
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.i2i import I2ITrainer
from cl_core.engine.stage_models import StageModels
from cl_core.engine.untrained_model import untrained_model
from cl_core.errors import UserError, counted
from cl_core.runs.events import EvaluationEvent
from cl_core.runs.results import Predictions, Results
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.undefined_scores import UNKNOWN_LABELS, answerable


class StageEvaluator:
    """Scores the rows of one split, `evaluate.split`.

    Args:
        run: is told of each cell.
        artifacts: of the run.
        results: where scores and routing records go.
        stages: the model of each.
        i2i_trainer: has I2I's phases.
        artifact_keys: what the run has learnt so far.
        knows_task: whether the router is told the true task.
    """

    def __init__(
        self,
        run: RunFolder,
        artifacts: RunArtifacts,
        results: Results,
        stages: StageModels,
        i2i_trainer: I2ITrainer,
        artifact_keys: ArtifactKeys,
        knows_task: bool,
    ) -> None:
        self.run = run
        self.artifacts = artifacts
        self.results = results
        self.stages = stages
        self.i2i_trainer = i2i_trainer
        self.artifact_keys = artifact_keys
        self.knows_task = knows_task
        self.split: str = artifacts.settings.evaluate.split

    def evaluate_untrained(self) -> None:
        """b_j for every task; says where they are of no use.

        Raises:
            RunStopped: somebody asked the run to stop.
        """
        data, untrained = self.artifacts.data, untrained_model(self.artifacts, self.run.config)
        if self.artifacts.stream.protocol == "cil":
            self.run.warn(f"unseen=true gives no forward transfer here: {UNKNOWN_LABELS}")
        for task in range(len(self.artifacts.stream.tasks)):
            self.artifacts.check_stop()
            samples = self.stages.samples(0, task, self.split)
            best = untrained.answer(samples, task).logits.argmax(dim=1)
            self.results.add_untrained(data.name(task), self._predictions(task, best))

    def evaluate_improvised(self, task: int) -> None:
        """A task as I2I's phase 1 leaves it."""
        adapters, key = self.artifact_keys.adapters, self.artifact_keys.improvised[task]
        states, head = self.i2i_trainer.improvised_states(task, adapters, key, self.split)
        self._add_phase("phase1_accuracy", task, states, head)

    def evaluate_distilled(self, task: int) -> None:
        """A task as I2I's phase 2 leaves it."""
        key = self.artifact_keys.distilled[task]
        states, head = self.i2i_trainer.distilled_states(task, key, self.split)
        self._add_phase("phase2_accuracy", task, states, head)

    def evaluate_vanilla(self, task: int, weights: TaskWeights) -> None:
        """A task under the adapter that it would have had without I2I."""
        states = self.i2i_trainer.adapter_states(task, weights, self.split)
        self._add_phase("vanilla_accuracy", task, states, weights.head)

    def evaluate_stage(self, stage: int) -> dict[str, str]:
        """Fills a row of the score matrix, 0-based; returns the keys of the states behind it, by name.

        Raises:
            RunStopped: somebody asked the run to stop.
        """
        names: dict[str, str] = {}
        for task in self._scored_tasks(stage):
            self.artifacts.check_stop()
            names |= self._cell(stage, task)
        self.results.finish_stage()
        return names

    def _scored_tasks(self, stage: int) -> list[int]:
        """The tasks seen; those still to come where asked for; those that are held out.

        Unseen tasks have neither a head (TIL) nor an adapter that the oracle could name.
        """
        stream = self.artifacts.stream
        tasks, all_tasks = len(stream.tasks), len(stream.all_tasks)
        if stream.protocol == "til" or self.knows_task:
            return list(range(stage + 1))
        to_come = range(stage + 1, tasks) if self.artifacts.settings.evaluate.unseen else ()
        return [*range(stage + 1), *to_come, *range(tasks, all_tasks)]

    def _is_score(self, stage: int, task: int) -> bool:
        """Whether the stage can answer the task rightly at all; where it cannot, it is routed but not scored."""
        is_learnt = task < len(self.artifacts.stream.tasks)
        return not is_learnt or bool(self._answerable[stage, task])

    @cached_property
    def _answerable(self) -> NDArray[np.bool_]:
        return answerable(self.run.config)  # looked at for every cell

    def _cell(self, stage: int, task: int) -> dict[str, str]:
        """Fills cell (stage, task), with a routing record for each sample; returns the keys of its states."""
        samples = self.stages.samples(stage, task, self.split)
        answer = self.stages.model(stage).answer(samples, task)
        name = self.artifacts.data.name(task)
        check_answers(answer.logits, name)
        ids = self.artifacts.stream.all_tasks[task].splits[self.split]["id"][:]
        scores = self.results.add(
            stage,
            task,
            ids,
            answer.routing,
            self._predictions(task, answer.logits.argmax(dim=1)),
            self._is_score(stage, task),
        )
        if scores:
            self.run.record(
                EvaluationEvent(
                    stage=stage + 1,
                    task=name,
                    accuracy=scores["accuracy"],
                    rows=len(ids),
                    recomputed=samples.recomputed,
                )
            )
        names = {}
        for number, states in enumerate(samples.state_keys, start=1):
            suffix = f"/{number}" if len(samples.state_keys) > 1 else ""
            names[f"states/{stage + 1}/{name}{suffix}"] = states
        return names

    def _predictions(self, task: int, predicted: Tensor) -> Predictions:
        """What was predicted of a task's samples, beside what is true in the stream's label space."""
        data = self.artifacts.data
        labels, votes = data.global_labels(task, self.split), data.global_votes(task, self.split)
        return Predictions(predicted, labels, votes)

    def _add_phase(self, metric: str, task: int, states: Tensor, head: Head) -> None:
        logits = head.logits(states.to(self.artifacts.device.torch_device))
        check_answers(logits, self.artifacts.data.name(task))
        best = logits.argmax(dim=1).cpu()
        rows = self.artifacts.data.rows(task, self.split)
        self.results.add_phase(metric, task, Predictions(best, rows.labels, rows.votes))


def check_answers(logits: Tensor, task: str) -> None:
    """Refuses logits among which no largest one can be found; -inf marks labels that cannot be the answer.

    Args:
        logits: (N, C).
        task: whose rows they are.

    Raises:
        UserError: some are not a number.
    """
    unclear = int(logits.isnan().any(dim=1).sum())
    if unclear:
        raise UserError(
            f"training diverged: {unclear} of {counted(len(logits), 'row')} of task '{task}' get answers that "
            "are not numbers, "
            "although all losses were finite. Lower the learning rate, for example to a tenth"
        )
