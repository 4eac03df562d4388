"""A run's model, loaded to answer for new samples: which adapters they get, merged and alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter, select_sites
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS
from cl_core.adapters.fusion import FusionWeights, fuse
from cl_core.adapters.heads import Head
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.features import extract_features
from cl_core.backbones.load import load_backbone
from cl_core.backbones.text import Encoding
from cl_core.device import Device, choose_device
from cl_core.errors import UserError
from cl_core.evaluate.answers import answer_logits, ensemble_logits
from cl_core.evaluate.routing import entropy, margin
from cl_core.evaluate.states import pooled_states, states_under
from cl_core.lab.workspace import RunFolder, Workspace
from cl_core.route import ROUTERS
from cl_core.route.network import RouterNetwork, routed_states
from cl_core.route.router import Routing
from cl_core.train import TRAINERS
from cl_core.train.routers import RoutersAndHeads
from cl_core.train.shared import SharedWeights


@dataclass(frozen=True)
class AdapterShare:
    """What one adapter had to do with one sample.

    Attributes:
        task: whose adapter it is.
        score: the router's score; the cosine to the task's centroid for `centroid`.
        weight: p_t(x), 0 for an adapter that was not used.
        alone: the label that this adapter by itself predicts.
    """

    task: str
    score: float
    weight: float
    alone: str


@dataclass(frozen=True)
class RoutedSample:
    """How one new sample was answered.

    Attributes:
        text: the sample.
        prediction: the label that the composed model predicts.
        confidence: its softmax probability under the heads' rule, not calibrated.
        shares: one entry per adapter, the heaviest first.
        entropy: of the weights, nats.
        margin: the largest weight minus the second.
        per_block: L2R: the weights of each adapted block, in the order of the tasks; else None.
    """

    text: str
    prediction: str
    confidence: float
    shares: tuple[AdapterShare, ...]
    entropy: float
    margin: float
    per_block: dict[str, tuple[float, ...]] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        used = [share for share in self.shares if share.weight >= 0.005]  # shown as 0.01 or more
        merge = " + ".join(f"{share.weight:.2f} {share.task}" for share in used)
        lines = [f"“{self.text}”", f"  = {self.prediction} ({self.confidence:.0%})   from {merge}"]
        width = max(len(share.task) for share in self.shares)
        lines += [
            f"    {share.task:<{width}}  score {share.score:6.3f}  weight {share.weight:5.3f}  alone: {share.alone}"
            for share in self.shares
        ]
        if self.per_block is not None:
            lines += [
                f"    {block:<{width}}  " + " ".join(f"{weight:5.3f}" for weight in weights)
                for block, weights in self.per_block.items()
            ]
        return "\n".join(lines)


@dataclass(frozen=True)
class _Answer:
    """Routing of B texts, their logits (B, C), and L2R's weights by block (B, blocks, K)."""

    routing: Routing
    logits: Tensor
    per_block: Tensor | None = None


class Model:
    """The model of a run after one of its stages.

    Args:
        workspace: where the run and its artifacts are.
        run: the run.
        stage: 1-based stage; None for the last.
        device: where to compute.

    Raises:
        UserError: the run has not come to that stage, or an artifact is missing.
    """

    def __init__(
        self,
        workspace: Workspace,
        run: RunFolder,
        stage: int | None = None,
        device: str = "auto",
    ) -> None:
        self.config = run.config
        self._names = run.artifacts()
        self._store = workspace.store
        recipe = self.config.recipe
        self.trainer = TRAINERS.load(recipe.train)()
        self.stage = self._stage(run, stage)
        self.tasks = self.config.tasks[: self.stage]
        self.device: Device = choose_device(device, self.config.precision)
        self.backbone = load_backbone(self.config.settings.backbone, self.device.torch_device)
        self.pool, adapters, self.heads = self._weights()
        self.bank = Bank.stack(adapters)
        self._network = self._routers() if recipe.route == "learned" else None

    def _stage(self, run: RunFolder, stage: int | None) -> int:
        """The stage asked for, or the last one that the run has a model of."""
        numbered = "shared" if self.trainer.form == "shared" else "network"
        if self.trainer.form == "shared" or self.config.recipe.route == "learned":
            # Some recipes learn only at the end: joint, and L2R on long streams.
            parts = [name.split("/") for name in self._names]
            stages = sorted(int(number) for kind, number, *_ in parts if kind == numbered)
        else:
            learnt = [f"adapter/{task.name}" in self._names for task in self.config.tasks]
            stages = list(range(1, 1 + sum(learnt)))
        if not stages or (stage is not None and stage not in stages):
            listed = ", ".join(map(str, stages)) or "none yet"
            raise UserError(
                f"run '{run.name}' has models of stages {listed}; stage {stage or 1} is not among them"
            )
        return stage or stages[-1]

    def _weights(self) -> tuple[list[int], list[Adapter], list[Head]]:
        """The tasks whose adapters are held, these adapters, and the heads of all tasks seen."""
        settings, where = self.config.settings.adapter, self.device.torch_device
        sites = [site.name for site in select_sites(self.backbone.sites, settings)]
        if self.trainer.form == "shared":
            tensors = self._tensors("shared", f"shared/{self.stage}")
            shared = SharedWeights.from_tensors(tensors, sites, settings.activation).to(where)
            return [self.stage - 1], [shared.adapter], list(shared.heads)
        found = [
            TaskWeights.from_tensors(
                self._tensors("adapter", f"adapter/{task.name}"), sites, settings.activation
            ).to(where)
            for task in self.tasks
        ]
        pool = self.trainer.pool(self.stage - 1)
        return pool, [found[each].adapter for each in pool], [each.head for each in found]

    def _routers(self) -> RouterNetwork:
        """L2R's routers after the stage; heads that were tuned with them take the others' place."""
        adapted = select_sites(self.backbone.sites, self.config.settings.adapter)
        blocks = tuple(sorted({site.block for site in adapted}))
        tensors = self._tensors("network", f"network/{self.stage}")
        found = RoutersAndHeads.from_tensors(tensors, blocks, self.config.settings.network)
        found = found.to(self.device.torch_device)
        self.heads = list(found.heads)
        return found.network

    def route(
        self,
        texts: Sequence[str],
        k: int | None = None,
        temperature: float | None = None,
        task: str | None = None,
    ) -> list[RoutedSample]:
        """Routes new texts and predicts their labels.

        Args:
            texts: B of them.
            k: overrides how many adapters a sample gets.
            temperature: overrides the router's temperature.
            task: the true task, where the protocol or the router needs to be told it.

        Raises:
            UserError: an empty text, or no task where one is needed.
        """
        if not texts or any(not text.strip() for text in texts):
            raise UserError("there is no text to route; give at least one word")
        encoding = self.backbone.tokenize(list(texts), None)
        given = self._task_index(task)
        if given is None and self._needs_task:
            raise UserError(
                f"recipe '{self.config.recipe.name}' under {self.config.protocol} must be told the true task; "
                f"say it with --task, one of {', '.join(each.name for each in self.tasks)}"
            )
        answer = self._answer(encoding, given, {"k": k, "temperature": temperature})
        routing, logits = answer.routing, answer.logits
        names = self.config.label_space
        probability, best = torch.softmax(logits, dim=1).max(dim=1)
        alone = self._alone(encoding)
        p = routing.weights.numpy()
        entropies, margins = entropy(p), margin(p)
        samples = []
        for row, text in enumerate(texts):
            shares = [
                AdapterShare(
                    task=self.tasks[index].name,
                    score=float(routing.scores[row, column]),
                    weight=float(routing.weights[row, column]),
                    alone=alone[column][row],
                )
                for column, index in enumerate(self.pool)
            ]
            shares.sort(key=lambda share: (-share.weight, -share.score))
            samples.append(
                RoutedSample(
                    text=text,
                    prediction=names[int(best[row])],
                    confidence=float(probability[row]),
                    shares=tuple(shares),
                    entropy=float(entropies[row]),
                    margin=float(margins[row]),
                    per_block=self._per_block(answer.per_block, row),
                )
            )
        return samples

    @property
    def _needs_task(self) -> bool:
        """Whether the protocol (TIL) or the router (oracle) is told the true task."""
        knows_task: bool = ROUTERS.load(self.config.recipe.route).knows_task
        return self.config.protocol == "til" or knows_task

    def _answer(
        self, encoding: Encoding, task: int | None, changes: Mapping[str, float | None]
    ) -> _Answer:
        """Routes and answers, in the way of the recipe (`answering.py` is its twin for a run's own rows)."""
        recipe, rows, where = self.config.recipe, len(encoding), self.device.torch_device
        if self.trainer.shared:
            ones = torch.ones(rows, 1)
            states = self._states(encoding, ones, "select")
            return _Answer(Routing(ones, ones), self._logits(states, None, task))
        if self._network is not None:
            settings = self.config.settings
            states, per_block, weights = routed_states(
                self.backbone,
                encoding,
                range(rows),
                self.bank,
                self._network,
                recipe.compose,
                settings.train.head_pooling,
                settings.evaluate.eval_batch_size,
                self.device,
            )
            logits = self._logits(states, weights, task)
            return _Answer(Routing(weights, weights), logits, per_block)
        routing = self._routing(encoding, task, changes)
        if recipe.compose == "fusion":
            return _Answer(routing, self._fused_logits(encoding, task or 0, routing))
        if recipe.compose == "ensemble":
            logits = ensemble_logits(
                self.config.protocol,
                [states.to(where) for states in self._alone_states(encoding)],
                self.heads,
                [each.labels for each in self.tasks],
                len(self.config.label_space),
                routing.weights.to(where),
                self.config.head_rule or "direct",
                task,
            )
            return _Answer(routing, logits.cpu())
        states = self._states(encoding, routing.weights, recipe.compose)
        return _Answer(routing, self._logits(states, routing.weights, task))

    def _routing(
        self, encoding: Encoding, task: int | None, changes: Mapping[str, float | None]
    ) -> Routing:
        settings = self.config.settings.router.model_copy(
            update={name: value for name, value in changes.items() if value is not None}
        )
        router = ROUTERS.load(self.config.recipe.route)(type(settings)(**settings.model_dump()))
        router.load_state(self._tensors("router", f"router/{self.stage}"))
        features = None
        if router.needs_features:
            features = extract_features(
                self.backbone,
                encoding,
                layer=settings.layer,
                pooling=settings.pooling,
                batch_size=self.config.settings.evaluate.eval_batch_size,
                autocast=self.device.autocast,
            )
        routing: Routing = router.route(features, torch.full((len(encoding),), task or 0))
        return routing

    def _states(self, encoding: Encoding, weights: Tensor, how: str) -> Tensor:
        settings = self.config.settings
        return pooled_states(
            self.backbone,
            encoding,
            range(len(weights)),
            self.bank,
            weights.to(self.device.torch_device),
            how,
            settings.train.head_pooling,
            settings.evaluate.eval_batch_size,
            self.device,
            merging=settings.merging,
            fishers=self._fishers if "fishers" in COMPOSITIONS[how].needs else None,
        )

    @cached_property
    def _fishers(self) -> Bank:
        """Diagonal Fisher information of the pool's adapters."""
        first = self.bank.adapter(0)
        each = [
            Adapter.from_tensors(
                self._tensors("fisher", f"fisher/{self.tasks[index].name}"),
                first.site_names,
                first.activation,
            )
            for index in self.pool
        ]
        return Bank.stack(each).to(self.device.torch_device)

    def _fused_logits(self, encoding: Encoding, task: int, routing: Routing) -> Tensor:
        """Logits under the task's own fusion; the first task has its adapter alone."""
        heads = list(self.heads)
        name = f"fusion/{self.tasks[task].name}"
        if name in self._names:
            sites = self.bank.site_names
            fused = FusionWeights.from_tensors(self._tensors("fusion", name), sites)
            fused = fused.to(self.device.torch_device)
            bank = Bank.stack([self.bank.adapter(each) for each in range(task + 1)])
            settings = self.config.settings
            states = states_under(
                self.backbone,
                encoding,
                range(len(encoding)),
                lambda positions: fuse(bank, fused.fusion),
                settings.train.head_pooling,
                settings.evaluate.eval_batch_size,
                self.device,
            )
            heads[task] = fused.head
        else:
            states = self._states(encoding, routing.weights, "select")
        return self._logits(states, routing.weights, task, heads)

    def _logits(
        self,
        states: Tensor,
        weights: Tensor | None,
        task: int | None,
        heads: Sequence[Head] | None = None,
    ) -> Tensor:
        where = self.device.torch_device
        shared = self.trainer.form == "shared"
        return answer_logits(
            self.config.protocol,
            states.to(where),
            heads or self.heads,
            [each.labels for each in self.tasks],
            len(self.config.label_space),
            weights=None if weights is None else weights.to(where),
            rule=self.config.head_rule or "direct",
            pool=None if shared else self.pool,
            task=task,
        ).cpu()

    def _alone_states(self, encoding: Encoding) -> list[Tensor]:
        """States under each adapter of the pool by itself."""
        eye = torch.eye(len(self.pool))
        return [self._states(encoding, row.expand(len(encoding), -1), "select") for row in eye]

    def _alone(self, encoding: Encoding) -> list[list[str]]:
        """For each adapter of the pool, what it predicts by itself with its own head."""
        answers = []
        dil = self.config.protocol == "dil"
        for index, states in zip(self.pool, self._alone_states(encoding), strict=True):
            own = 0 if dil and self.trainer.form == "shared" else index
            head = self.heads[own].to(torch.device("cpu"))
            names = self._head_names(index)
            answers.append([names[best] for best in head.logits(states).argmax(dim=1).tolist()])
        return answers

    def _per_block(self, per_block: Tensor | None, row: int) -> dict[str, tuple[float, ...]] | None:
        """One sample's weights by adapted block, each in the order of the tasks."""
        if per_block is None or self._network is None:
            return None
        rows = per_block[row].tolist()
        return {
            f"block{block}": tuple(weights)
            for block, weights in zip(self._network.blocks, rows, strict=True)
        }

    def _head_names(self, task: int) -> Sequence[str]:
        """Names of the classes of one task's own head, as the stream's label space calls them."""
        if self.config.protocol == "dil":
            return self.config.label_space
        return [self.config.label_space[label] for label in self.tasks[task].labels]

    def _task_index(self, task: str | None) -> int | None:
        names = [each.name for each in self.tasks]
        if task is None:
            return None
        if task not in names:
            raise UserError(
                f"there is no task '{task}' at this stage; choose one of {', '.join(names)}"
            )
        return names.index(task)

    def _tensors(self, kind: str, name: str) -> dict[str, Tensor]:
        key = self._names.get(name)
        artifact = self._store.read(kind, key) if key else None
        if artifact is None:
            raise UserError(
                f"run '{self.config.name}' misses its {name.split('/')[0]} {(key or name)[:12]}; "
                f"'adapter-lab resume {self.config.name}' makes it again"
            )
        return artifact.tensors
