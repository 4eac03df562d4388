"""The model of each stage of a run in progress, and the rows that it answers."""

from __future__ import annotations

from cl_core.adapters.bank import Bank
from cl_core.engine.artifact_keys import ArtifactKeys
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.cached_states import ComposedStates, RunSamples
from cl_core.engine.task_adapters import TaskAdapterTrainer
from cl_core.model.model import Model
from cl_core.model.stored_weights import StageKeys
from cl_core.route.router import Router
from cl_core.runs.run_config import RunConfig
from cl_core.train.traits import TrainerTraits


class StageModels:
    """Builds models from what the run has learnt so far; stages, from 0, are asked for in their order.

    Args:
        config: of the run.
        artifacts: of the run.
        trainer_traits: says what the run holds after a stage.
        router: as the last `add_task` left it.
        task_trainer: has Fisher information.
        artifact_keys: keys of what is there.
    """

    def __init__(
        self,
        config: RunConfig,
        artifacts: RunArtifacts,
        trainer_traits: TrainerTraits,
        router: Router,
        task_trainer: TaskAdapterTrainer,
        artifact_keys: ArtifactKeys,
    ) -> None:
        self.config, self.artifacts, self.trainer_traits = config, artifacts, trainer_traits
        self.router, self.task_trainer, self.artifact_keys = router, task_trainer, artifact_keys
        self._model: tuple[int, Model] | None = None
        self._composed: dict[int, ComposedStates] = {}

    def model(self, stage: int) -> Model:
        """The model after a stage."""
        if self._model is None or self._model[0] != stage:
            parts = self.artifacts.weights.parts(
                self.keys(stage),
                self.trainer_traits.pool(stage),
                None if self.trainer_traits.shared else self.router,
                lambda: self._fishers(stage),
            )
            model = parts.model(self.config, stage + 1, self.artifacts.passes)
            self._model = stage, model
        return self._model[1]

    def samples(self, stage: int, task: int, split: str) -> RunSamples:
        """A split of a task, for the model after a stage; the task may be unseen."""
        keys = self.keys(stage)
        return RunSamples(self.artifacts, keys, stage, task, split, self._composed)

    def keys(self, stage: int) -> StageKeys:
        """What the model after a stage is made of."""
        artifact_keys = self.artifact_keys
        if self.trainer_traits.form == "shared":
            return StageKeys(shared=artifact_keys.adapters[-1] if artifact_keys.adapters else None)
        adapters = tuple(artifact_keys.adapters[: stage + 1])
        return StageKeys(adapters, None, artifact_keys.networks.get(stage), artifact_keys.fusions)

    def _fishers(self, stage: int) -> Bank:
        adapters = self.artifact_keys.adapters[: stage + 1]
        return Bank.stack(
            [self.task_trainer.fisher(task, key) for task, key in enumerate(adapters)]
        )
