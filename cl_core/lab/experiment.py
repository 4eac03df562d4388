"""A plan carried out: for each task its features, its training, its row of the score matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.compose import COMPOSITIONS
from cl_core.adapters.heads import Head
from cl_core.backbones.encoder import Backbone, LabelHead
from cl_core.device import Device
from cl_core.evaluate.answers import answer_logits
from cl_core.initialise import INITIALISERS
from cl_core.initialise.initialiser import Initialiser
from cl_core.lab.answering import (
    Answering,
    ByEnsemble,
    ByFusion,
    ByNetwork,
    ByShared,
    ByWeights,
    Heads,
    Routes,
)
from cl_core.lab.assets import Assets, Reporter
from cl_core.lab.counting import count_parameters
from cl_core.lab.events import Evaluated, Phase
from cl_core.lab.improvising import Improvising
from cl_core.lab.learning import Learning, Start
from cl_core.lab.learnt import Learnt
from cl_core.lab.networks import Networks
from cl_core.lab.plan import Needs, Step, make_plan
from cl_core.lab.remembering import Remembering
from cl_core.lab.results import Results
from cl_core.lab.sharing import Sharing
from cl_core.lab.sights import stored_sights
from cl_core.lab.workspace import RunConfig, RunFolder
from cl_core.route import ROUTERS
from cl_core.route.router import Router
from cl_core.store import Store, key
from cl_core.tasks.stream import Stream
from cl_core.train import TRAINERS
from cl_core.train.loop import Stopped
from cl_core.train.trainers import Trainer

LONG = 5
"""Streams of more tasks train L2R's routers once, after the last task, unless told otherwise **(ours)**."""


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
        self.device = device
        self.store = store
        settings, recipe = config.settings, config.recipe
        reporter = Reporter(run.record, progress, run.stop_requested)
        self.assets = Assets(
            store, stream, backbone, settings, device, config.seed, reporter, stored_sights
        )
        self.trainer: Trainer = TRAINERS.load(recipe.train)()
        self.router: Router = ROUTERS.load(recipe.route)(settings.router)
        self.initialiser: Initialiser = INITIALISERS.load(recipe.initialise)()
        self.results = Results(run, config)
        self.learnt = Learnt()
        self.learning = Learning(self.assets)
        self.remembering = Remembering(self.assets, self.learning)
        self.improvising = Improvising(self.assets, self.learning)
        self.networks = Networks(
            self.assets,
            self.learning,
            self.remembering,
            recipe.compose,
            config.head_rule or "direct",
        )
        self.sharing = Sharing(self.assets, self.learning, self.remembering, self.trainer)
        self.answering = self._answering()
        self._names: dict[str, str] = {}

    def _answering(self) -> Answering:
        """How this recipe's model answers; see `answering.py`."""
        recipe = self.config.recipe
        heads = Heads(self.assets, self.config.head_rule or "direct")
        routes = Routes(self.assets, self.router)
        if self.trainer.shared:
            chain = self.trainer.form == "chain"
            return ByShared(self.learning, self.learnt, self.sharing, heads, chain)
        if recipe.route == "learned":
            return ByNetwork(self.learning, self.learnt, self.networks, heads)
        if recipe.compose == "fusion":
            return ByFusion(self.learning, self.learnt, self.improvising, routes, heads)
        if recipe.compose == "ensemble":
            return ByEnsemble(self.learning, self.learnt, routes, heads)
        return ByWeights(self.learning, self.learnt, routes, heads, recipe.compose)

    @property
    def needs(self) -> Needs:
        """What the recipe asks of the plan."""
        recipe, settings = self.config.recipe, self.config.settings
        learned = recipe.route == "learned"
        stages = settings.network.router_stages
        often = stages == "all" or (stages == "auto" and len(self.stream.tasks) <= LONG)
        return Needs(
            features=self.router.needs_features or self.initialiser.needs_centroids,
            unseen=settings.evaluate.unseen,
            improvises=self.initialiser.improvises,
            fuses=recipe.compose == "fusion",
            routers=learned,
            at_once=self.trainer.all_at_once,
            every_stage=often or not learned,
        )

    @property
    def plan(self) -> list[Step]:
        """What `carry_out` does."""
        return make_plan(len(self.stream.tasks), self.needs)

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
        name = self.assets.data.name(step.task)
        self.run.record(Phase(step=number, phase=step.phase, stage=step.stage + 1, task=name))
        task, learnt = step.task, self.learnt
        match step.phase:
            case "features":
                self._features(task)
            case "improvise":
                learnt.improvised[task] = self.improvising.improvised(task, learnt.adapters)
                self._score_phase("phase1_accuracy", task)
            case "initialise":
                learnt.distilled[task] = self.improvising.distilled(
                    task, learnt.adapters, learnt.improvised[task]
                )
                self._score_phase("phase2_accuracy", task)
            case "train":
                self._train(task)
            case "fuse":
                learnt.fusions[task] = self.improvising.fused(task, learnt.adapters)
                self._names[f"fusion/{name}"] = learnt.fusions[task]
            case "routers":
                network = self.networks.trained(task, learnt.adapters[: task + 1])
                learnt.networks[task] = network
                self._names[f"network/{task + 1}"] = network
            case "evaluate":
                self._evaluate(step.stage)
        self.run.write_artifacts(self._names)

    def _features(self, task: int) -> None:
        self.assets.features(task, "train")
        if self.router.needs_features:
            self.assets.features(task, self.config.settings.evaluate.split)

    def _train(self, task: int) -> None:
        if self.trainer.form == "shared":
            self._train_shared(task)
        else:
            self._train_own(task)
        self.run.record(
            count_parameters(
                task,
                self.config,
                self.trainer,
                self.router,
                self.learning,
                self.remembering,
                self.improvising,
                self.sharing,
                self.learnt,
            )
        )

    def _train_shared(self, task: int) -> None:
        previous = self.learnt.adapters[-1] if self.learnt.adapters else None
        own = self.sharing.trained(task, previous, self.learnt)
        self.learnt.adapters.append(own)
        self._names[f"shared/{task + 1}"] = own

    def _train_own(self, task: int) -> None:
        learnt, name = self.learnt, self.assets.data.name(task)
        start: Start | None
        if task in learnt.distilled:
            start = self.improvising.start(learnt.distilled[task])
        else:
            parent = self.initialiser.parent(task, self._centroids(task))
            start = self.learning.copy_of(None if parent is None else learnt.adapters[parent])
        adapter = self.learning.trained(task, start)
        learnt.adapters.append(adapter)
        self._names[f"adapter/{name}"] = adapter
        if "fishers" in COMPOSITIONS[self.config.recipe.compose].needs:
            self._names[f"fisher/{name}"] = self.learning.fisher_key(task, adapter)
        if self.initialiser.improvises and self.config.settings.improvise.vanilla:
            vanilla = self.learning.trained(task, None, shown_as="vanilla")
            weights = self.learning.weights(vanilla)
            states = self.improvising.adapter_states(task, weights, self._split)
            self._add_phase("vanilla_accuracy", task, states, weights.head)
        if not self.trainer.shared:
            features = self.assets.features(task, "train") if self.router.needs_features else None
            self.router.add_task(features, self.assets.data.rows(task, "train").labels)
            self._store_router(task)

    def _centroids(self, task: int) -> Tensor | None:
        if not self.initialiser.needs_centroids:
            return None
        means = [self.assets.features(each, "train").double().mean(0) for each in range(task + 1)]
        return torch.stack(means).float()

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

    @property
    def _split(self) -> str:
        """The rows that are scored."""
        return self.config.settings.evaluate.split

    def _evaluate(self, stage: int) -> None:
        for task in self._scored_tasks(stage):
            self._check_stop()
            self._score(stage, task)
        self.results.finish_stage()

    def _scored_tasks(self, stage: int) -> list[int]:
        """The tasks seen; those still to come where asked for; those that are held out.

        Unseen tasks have neither a head (TIL) nor an adapter that the oracle could name.
        """
        tasks, all_tasks = len(self.stream.tasks), len(self.stream.all_tasks)
        if self.stream.protocol == "til" or self.router.knows_task:
            return list(range(stage + 1))
        to_come = range(stage + 1, tasks) if self.config.settings.evaluate.unseen else ()
        return [*range(stage + 1), *to_come, *range(tasks, all_tasks)]

    def _score(self, stage: int, task: int) -> None:
        """Fills cell (stage, task) of the score matrix, with a routing record for each sample."""
        answers = self.answering.answer(stage, task, self._split)
        name = self.assets.data.name(task)
        for number, states in enumerate(answers.states):
            suffix = f"/{number + 1}" if len(answers.states) > 1 else ""
            self._names[f"states/{stage + 1}/{name}{suffix}"] = states
        ids = list(self.stream.all_tasks[task].splits[self._split]["id"])
        scores = self.results.add(
            stage,
            task,
            ids,
            answers.routing,
            answers.logits.argmax(dim=1),
            self.assets.data.global_labels(task, self._split),
            answers.per_block,
            self.assets.data.global_votes(task, self._split),
        )
        self.run.record(
            Evaluated(
                stage=stage + 1,
                task=name,
                accuracy=scores["accuracy"],
                rows=len(ids),
                recomputed=answers.recomputed,
            )
        )

    def _score_phase(self, metric: str, task: int) -> None:
        """Scores a task as it stands before phase 3 (I2I)."""
        learnt = self.learnt
        if metric == "phase1_accuracy":
            states, head = self.improvising.improvised_states(
                task, learnt.adapters, learnt.improvised[task], self._split
            )
        else:
            states, head = self.improvising.distilled_states(
                task, learnt.distilled[task], self._split
            )
        self._add_phase(metric, task, states, head)

    def _add_phase(self, metric: str, task: int, states: Tensor, head: Head) -> None:
        best = head.logits(states.to(self.device.torch_device)).argmax(dim=1).cpu()
        rows = self.assets.data.rows(task, self._split)
        self.results.add_phase(metric, task, best, rows.labels, rows.votes)

    def _score_untrained(self) -> None:
        """b_j: the bare backbone under heads that have learnt nothing.

        Where it can score labels by what they are called, as CLIP and masked language models can, that is what it
        does (zero-shot); else heads are random.
        """
        tasks = range(len(self.stream.tasks))
        heads, pooling = [self._untrained(each) for each in tasks], self._zero_shot_pooling
        for task, each in enumerate(self.stream.tasks):
            self._check_stop()
            states = self.assets.bare_states(task, self._split, pooling)
            logits = answer_logits(
                self.stream.protocol,
                states.to(self.device.torch_device),
                heads,
                [self.assets.data.positions(other) for other in tasks],
                len(self.stream.label_space.names),
                pool=[0],
                task=task,
            )
            predictions = logits.argmax(dim=1).cpu()
            labels = self.assets.data.global_labels(task, self._split)
            votes = self.assets.data.global_votes(task, self._split)
            self.results.add_untrained(each.name, predictions, labels, votes)

    def _untrained(self, task: int) -> Head:
        """A head as it is before any training."""
        if found := self._label_head(task):
            return Head(found.weight, found.bias).to(self.device.torch_device)
        name = "shared" if self.stream.protocol == "dil" else self.assets.data.name(task)
        generator = torch.Generator().manual_seed(self.assets.derived_seed("untrained", name))
        head = Head.initialise(
            self.assets.data.classes(task), self.assets.backbone.read_size, generator
        )
        return head.to(self.device.torch_device)

    def _label_head(self, task: int) -> LabelHead | None:
        """A head made of what a task's labels are called, where that is how the backbone was trained to answer."""
        dil = self.stream.protocol == "dil"
        names = self.stream.label_space.names if dil else self.stream.tasks[task].label_names
        found = self.assets.backbone.label_head(names)
        wanted = self.config.settings.answers.answers == "embeddings"
        return found if found is not None and (found.zero_shot or wanted) else None

    @property
    def _zero_shot_pooling(self) -> str:
        found = self._label_head(0)
        own = self.config.settings.train.head_pooling
        return own if found is None else found.pooling or own

    def _check_stop(self) -> None:
        if self.run.stop_requested():
            raise Stopped("stopped as asked")
