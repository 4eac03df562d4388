"""A plan carried out: for each task its features, its training, its row of the score matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.heads import Head
from cl_core.backbones.text import TextBackbone
from cl_core.device import Device
from cl_core.evaluate.answers import answer_logits
from cl_core.initialise import INITIALISERS
from cl_core.initialise.initialiser import Initialiser
from cl_core.lab.assets import Assets, Reporter, States
from cl_core.lab.events import Evaluated, Parameters, Phase
from cl_core.lab.plan import Step, make_plan
from cl_core.lab.results import Results
from cl_core.lab.workspace import RunConfig, RunFolder
from cl_core.route import ROUTERS
from cl_core.route.router import Router, Routing
from cl_core.store import Store, key
from cl_core.tasks.stream import Stream
from cl_core.train import TRAINERS
from cl_core.train.loop import Stopped
from cl_core.train.trainers import Trainer


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
        backbone: TextBackbone,
        device: Device,
        store: Store,
        progress: Callable[[int, int], None],
    ) -> None:
        self.run = run
        self.config = config
        self.stream = stream
        self.device = device
        self.store = store
        settings = config.settings
        reporter = Reporter(run.record, progress, run.stop_requested)
        self.assets = Assets(store, stream, backbone, settings, device, config.seed, reporter)
        self.trainer: Trainer = TRAINERS.load(config.recipe.train)()
        self.router: Router = ROUTERS.load(config.recipe.route)(settings.router)
        self.initialiser: Initialiser = INITIALISERS.load(config.recipe.initialise)()
        self.results = Results(run, config)
        self._adapters: list[str] = []
        self._states: dict[int, States] = {}
        self._names: dict[str, str] = {}

    @property
    def needs_features(self) -> bool:
        """Whether the recipe looks at backbone features."""
        return self.router.needs_features or self.initialiser.needs_centroids

    @property
    def plan(self) -> list[Step]:
        """What `carry_out` does."""
        tasks = len(self.stream.tasks)
        return make_plan(tasks, self.needs_features, self.config.settings.evaluate.unseen)

    def carry_out(self) -> None:
        """Does every step; steps whose artifacts are there are read, not done again.

        Raises:
            Stopped: somebody asked the run to stop.
        """
        try:
            if self.config.settings.evaluate.unseen:
                self._score_untrained()
            for number, step in enumerate(self.plan, start=1):
                self._check_stop()
                self._do(number, step)
        finally:
            # Once, at the end: written anew at each stage, the records of a long stream would cost
            # more than computing them. A stopped run shows the stages that it has finished.
            self.results.write_routing()

    def _do(self, number: int, step: Step) -> None:
        name = self.stream.tasks[step.task].name
        self.run.record(Phase(step=number, phase=step.phase, stage=step.stage + 1, task=name))
        match step.phase:
            case "features":
                self._features(step.task)
            case "train":
                self._train(step.task)
            case "evaluate":
                self._evaluate(step.stage)
        self.run.write_artifacts(self._names)

    def _features(self, task: int) -> None:
        self.assets.features(task, "train")
        if self.router.needs_features:
            self.assets.features(task, self.config.settings.evaluate.split)

    def _train(self, task: int) -> None:
        centroids = None
        if self.initialiser.needs_centroids:
            means = [
                self.assets.features(each, "train").double().mean(0) for each in range(task + 1)
            ]
            centroids = torch.stack(means).float()
        parent = self.initialiser.parent(task, centroids)
        adapter = self.assets.trained(task, None if parent is None else self._adapters[parent])
        self._adapters.append(adapter)
        self._names[f"adapter/{self.stream.tasks[task].name}"] = adapter
        if not self.trainer.shared:
            features = self.assets.features(task, "train") if self.router.needs_features else None
            self.router.add_task(features)
            self._store_router(task)
        self._count_parameters(task)

    def _count_parameters(self, stage: int) -> None:
        weights = [self.assets.weights(adapter) for adapter in self._adapters]
        counts = [sum(tensor.numel() for tensor in each.parameters()) for each in weights]
        heads = [sum(tensor.numel() for tensor in each.head.parameters()) for each in weights]
        pool = self.trainer.pool(stage)
        # A shared adapter still needs every task's own head, where labels differ.
        kept_heads = 0 if self.stream.protocol == "dil" else sum(heads[: pool[0]])
        backbone = sum(tensor.numel() for tensor in self.assets.backbone.parameters())
        learnt = self.router.state().values() if self.router.needs_features else ()
        router = sum(tensor.numel() for tensor in learnt)
        used = min(len(pool), self._most_adapters_per_sample(len(pool)))
        self.run.record(
            Parameters(
                stage=stage + 1,
                trainable_parameters=counts[stage],
                stored_parameters=sum(counts[each] for each in pool) + kept_heads + router,
                active_parameters=backbone + sum(sorted(counts[each] for each in pool)[-used:]),
                backbone_parameters=backbone,
            )
        )

    def _most_adapters_per_sample(self, adapters: int) -> int:
        if self.config.recipe.compose == "select" or self.router.knows_task:
            return 1
        return self.config.settings.router.k if self.router.needs_features else adapters

    def _store_router(self, task: int) -> None:
        """Keeps what the router has learnt, so that a new sample can be routed without the data."""
        inputs: dict[str, Any] = {
            "version": self.router.version,
            **self.assets.backbone_inputs(),
            "batch_size": self.config.settings.evaluate.eval_batch_size,
            "router": self.config.recipe.route,
            "settings": self.config.settings.router.model_dump(exclude={"k", "temperature"}),
            "tasks": [each.split_fingerprint("train") for each in self.stream.tasks[: task + 1]],
        }
        own_key = key("router", inputs)
        if self.store.read("router", own_key) is None:
            self.store.write("router", own_key, inputs, tensors=self.router.state())
        self._names[f"router/{task + 1}"] = own_key

    def _evaluate(self, stage: int) -> None:
        tasks = range(len(self.stream.tasks)) if self._scores_unseen else range(stage + 1)
        for task in tasks:
            self._check_stop()
            self._score(stage, task)
        self.results.finish_stage()

    @property
    def _scores_unseen(self) -> bool:
        """Unseen tasks have neither a head (TIL) nor an adapter that the oracle could name."""
        asked = self.config.settings.evaluate.unseen
        return asked and self.stream.protocol != "til" and not self.router.knows_task

    def _score(self, stage: int, task: int) -> None:
        """Fills cell (stage, task) of the score matrix, with a routing record for each sample."""
        split = self.config.settings.evaluate.split
        pool = self.trainer.pool(stage)
        adapters = [self._adapters[each] for each in pool]
        routing = self._route(task, split)
        states = self.assets.states(
            task,
            split,
            stage,
            adapters,
            routing.weights,
            self.config.recipe.compose,
            self._states.get(task),
        )
        self._states[task] = states
        self._names[f"states/{stage + 1}/{self.stream.tasks[task].name}"] = states.key
        predictions = self._predict(states.values, routing.weights, stage, task)
        labels = self.assets.data.global_labels(task, split)
        ids = list(self.stream.tasks[task].splits[split]["id"])
        scores = self.results.add(stage, task, ids, routing, predictions, labels)
        self.run.record(
            Evaluated(
                stage=stage + 1,
                task=self.stream.tasks[task].name,
                accuracy=scores["accuracy"],
                rows=len(ids),
                recomputed=states.recomputed,
            )
        )

    def _route(self, task: int, split: str) -> Routing:
        """Scores and weights of a split; a shared adapter leaves nothing to choose."""
        rows = len(self.stream.tasks[task].splits[split])
        if self.trainer.shared:
            ones = torch.ones(rows, 1)
            return Routing(scores=ones, weights=ones)
        features = self.assets.features(task, split) if self.router.needs_features else None
        return self.router.route(features, torch.full((rows,), task))

    def _predict(self, states: Tensor, weights: Tensor, stage: int, task: int) -> Tensor:
        """(N,) predicted labels in the stream's label space, by the protocol's rule for heads."""
        shared = self.trainer.shared
        seen = range(stage + 1)
        logits = answer_logits(
            self.stream.protocol,
            states.to(self.device.torch_device),
            [self.assets.weights(self._adapters[each]).head for each in seen],
            [self.assets.data.positions(each) for each in seen],
            len(self.stream.label_space.names),
            weights=None if shared else weights.to(self.device.torch_device),
            rule=self.config.head_rule or "direct",
            pool=self.trainer.pool(stage),
            task=task,
        )
        return logits.argmax(dim=1).cpu()

    def _score_untrained(self) -> None:
        """b_j: the bare backbone under heads that have learnt nothing."""
        split = self.config.settings.evaluate.split
        for task, each in enumerate(self.stream.tasks):
            self._check_stop()
            tasks = range(len(self.stream.tasks))
            logits = answer_logits(
                self.stream.protocol,
                self.assets.bare_states(task, split).to(self.device.torch_device),
                [self._untrained(other) for other in tasks],
                [self.assets.data.positions(other) for other in tasks],
                len(self.stream.label_space.names),
                pool=[0],
                task=task,
            )
            predictions, labels = (
                logits.argmax(dim=1).cpu(),
                self.assets.data.global_labels(task, split),
            )
            self.results.add_untrained(each.name, predictions, labels)

    def _untrained(self, task: int) -> Head:
        name = "shared" if self.stream.protocol == "dil" else self.stream.tasks[task].name
        return self.assets.untrained_head(self.assets.data.classes(task), name)

    def _check_stop(self) -> None:
        if self.run.stop_requested():
            raise Stopped("stopped as asked")
