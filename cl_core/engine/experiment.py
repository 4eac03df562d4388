"""A plan carried out: for each task its features, its training, its row of the score matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cl_core.backbones.encoder import Backbone
from cl_core.device import Device
from cl_core.engine.artifact_cache import Reporter
from cl_core.engine.artifact_keys import ArtifactKeys
from cl_core.engine.artifacts import RunArtifacts
from cl_core.engine.i2i import I2ITrainer
from cl_core.engine.l2r import RouterTrainer
from cl_core.engine.memory_selection import MemorySelector
from cl_core.engine.parameter_counts import count_parameters
from cl_core.engine.shared_adapter import SharedAdapterTrainer
from cl_core.engine.stage_models import StageModels
from cl_core.engine.stage_scores import StageEvaluator
from cl_core.engine.task_adapters import Start, TaskAdapterTrainer
from cl_core.engine.task_fusion import FusionTrainer
from cl_core.engine.visual_tokens import stored_tokens
from cl_core.recipes.plan import Step
from cl_core.runs.events import PhaseEvent
from cl_core.runs.results import Results
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.store import Store, key
from cl_core.tasks.stream import Stream


class Experiment:
    """One recipe on one stream, from the first task to the last.

    Args:
        run: the folder that the results go to.
        config: what is run.
        stream: its data.
        backbone: frozen.
        device: where.
        store: artifacts.
        progress: told of each step inside a phase, for a progress bar.
    """

    def __init__(
        self,
        run: RunFolder,
        config: RunConfig,
        stream: Stream,
        backbone: Backbone,
        device: Device,
        store: Store,
        progress: Callable[[int, int], None],
    ) -> None:
        self.run = run
        self.config = config
        self.stream = stream
        self.store = store
        settings, recipe = config.settings, config.recipe
        reporter = Reporter(run.record, progress, run.stop_requested, run.warn)
        self.artifacts = RunArtifacts(
            store, stream, backbone, settings, device, config.seed, reporter, stored_tokens
        )
        self.trainer_traits = recipe.trainer.traits
        self.router = recipe.router.load()(settings.router)
        self.initialiser = recipe.initialiser.load()()
        self.results = Results(run, config)
        self.artifact_keys = ArtifactKeys()
        self.task_trainer = TaskAdapterTrainer(self.artifacts)
        self.memory_selector = MemorySelector(self.artifacts, self.task_trainer)
        self.fusion_trainer = FusionTrainer(self.artifacts, self.task_trainer)
        self.i2i_trainer = I2ITrainer(self.artifacts, self.task_trainer, self.fusion_trainer)
        self.router_trainer = RouterTrainer(
            self.artifacts,
            self.task_trainer,
            self.memory_selector,
            recipe.compose,
            config.head_rule or "direct",
        )
        self.shared_trainer = SharedAdapterTrainer(
            self.artifacts, self.task_trainer, self.memory_selector, recipe.trainer
        )
        stages = StageModels(
            config,
            self.artifacts,
            self.trainer_traits,
            self.router,
            self.task_trainer,
            self.artifact_keys,
        )
        self.evaluator = StageEvaluator(
            run,
            self.artifacts,
            self.results,
            stages,
            self.i2i_trainer,
            self.artifact_keys,
            recipe.told_the_task,
        )
        self._names: dict[str, str] = {}

    @property
    def _routes_by_features(self) -> bool:
        """Whether the router looks at features of the frozen backbone."""
        return "features" in self.config.recipe.router.needs

    @property
    def plan(self) -> list[Step]:
        """What `carry_out` does."""
        return self.config.recipe.plan(len(self.stream.tasks), self.config.settings)

    def carry_out(self) -> None:
        """Does every step; steps whose artifacts are there are read, not done again.

        Raises:
            RunStopped: somebody asked the run to stop.
        """
        try:
            if self.config.settings.evaluate.unseen:
                self.evaluator.evaluate_untrained()
            for number, step in enumerate(self.plan, start=1):
                self.artifacts.check_stop()
                self._do(number, step)
        finally:
            # Once, at the end: written anew at each stage, the records of a long stream would cost
            # more than computing them. A stopped run shows the stages that it has finished.
            self.results.write_routing()

    def _do(self, number: int, step: Step) -> None:
        name = self.artifacts.data.name(step.task)
        self.run.record(PhaseEvent(step=number, phase=step.phase, stage=step.stage + 1, task=name))
        task, keys = step.task, self.artifact_keys
        match step.phase:
            case "features":
                self._features(task)
            case "improvise":
                keys.improvised[task] = self.i2i_trainer.improvise(task, keys.adapters)
                self.evaluator.evaluate_improvised(task)
            case "initialise":
                keys.distilled[task] = self.i2i_trainer.distil(
                    task, keys.adapters, keys.improvised[task]
                )
                self.evaluator.evaluate_distilled(task)
            case "train":
                self._train(task)
            case "fuse":
                keys.fusions[task] = self.fusion_trainer.train(task, keys.adapters)
                self._names[f"fusion/{name}"] = keys.fusions[task]
            case "routers":
                network = self.router_trainer.train(task, keys.adapters[: task + 1])
                keys.networks[task] = network
                self._names[f"network/{task + 1}"] = network
            case "evaluate":
                self._names |= self.evaluator.evaluate_stage(step.stage)
        self.run.write_artifacts(self._names)

    def _features(self, task: int) -> None:
        self.artifacts.features(task, "train")
        if self._routes_by_features:
            self.artifacts.features(task, self.config.settings.evaluate.split)

    def _train(self, task: int) -> None:
        if self.trainer_traits.form == "shared":
            self._train_shared(task)
        else:
            self._train_own(task)
        self.run.record(
            count_parameters(
                task,
                self.config,
                self.router,
                self.task_trainer,
                self.memory_selector,
                self.fusion_trainer,
                self.shared_trainer,
                self.artifact_keys,
            )
        )

    def _train_shared(self, task: int) -> None:
        previous = self.artifact_keys.adapters[-1] if self.artifact_keys.adapters else None
        key = self.shared_trainer.train(task, previous, self.artifact_keys)
        self.artifact_keys.adapters.append(key)
        self._names[f"shared/{task + 1}"] = key

    def _train_own(self, task: int) -> None:
        keys, name = self.artifact_keys, self.artifacts.data.name(task)
        start: Start | None
        if task in keys.distilled:
            start = self.i2i_trainer.start(keys.distilled[task])
        else:
            parent = self.initialiser.parent(task, self._centroids(task))
            start = self.task_trainer.copy_of(None if parent is None else keys.adapters[parent])
        adapter = self.task_trainer.train(task, start)
        keys.adapters.append(adapter)
        self._names[f"adapter/{name}"] = adapter
        if "fishers" in self.config.recipe.composition.needs:
            self._names[f"fisher/{name}"] = self.task_trainer.fisher_key(task, adapter)
        if (
            self.config.recipe.initialiser.traits.improvises
            and self.config.settings.improvise.vanilla
        ):
            vanilla = self.task_trainer.train(task, None, shown_as="vanilla")
            self.evaluator.evaluate_vanilla(task, self.task_trainer.weights(vanilla))
        if not self.trainer_traits.shared:
            features = self.artifacts.features(task, "train") if self._routes_by_features else None
            self.router.add_task(features, self.artifacts.data.rows(task, "train").labels)
            self._store_router(task)

    def _centroids(self, task: int) -> Tensor | None:
        if "features" not in self.config.recipe.initialiser.needs:
            return None
        means = [
            self.artifacts.features(earlier, "train").double().mean(0)
            for earlier in range(task + 1)
        ]
        return torch.stack(means).float()

    def _store_router(self, task: int) -> None:
        """Keeps what the router has learnt, so that a new sample can be routed without the data."""
        inputs: dict[str, Any] = {
            "version": self.router.version,
            **self.artifacts.backbone_inputs(),
            "batch_size": self.config.settings.evaluate.eval_batch_size,
            "router": self.config.recipe.route,
            "settings": self.config.settings.router.model_dump(exclude={"k", "temperature"}),
            "tasks": [
                learnt_task.split_fingerprint("train")
                for learnt_task in self.stream.tasks[: task + 1]
            ],
        }
        artifact_key = key("router", inputs)
        if self.store.read("router", artifact_key) is None:
            self.store.write("router", artifact_key, inputs, tensors=self.router.state())
        self._names[f"router/{task + 1}"] = artifact_key
