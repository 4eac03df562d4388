"""A run's model, loaded to answer for new samples: which adapters they get, merged and alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from cl_core.adapters.adapter import select_sites
from cl_core.adapters.bank import Bank
from cl_core.adapters.task_weights import TaskWeights
from cl_core.backbones.features import extract_features
from cl_core.backbones.load import load_backbone
from cl_core.device import Device, choose_device
from cl_core.errors import UserError
from cl_core.evaluate.answers import answer_logits
from cl_core.evaluate.routing import entropy, margin
from cl_core.evaluate.states import pooled_states
from cl_core.lab.workspace import RunFolder, Workspace
from cl_core.route import ROUTERS
from cl_core.route.router import Routing
from cl_core.train import TRAINERS


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
    """

    text: str
    prediction: str
    confidence: float
    shares: tuple[AdapterShare, ...]
    entropy: float
    margin: float

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
        return "\n".join(lines)


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
        names = run.artifacts()
        learnt = [task for task in self.config.tasks if f"adapter/{task.name}" in names]
        self.stage = len(learnt) if stage is None else stage
        if not 1 <= self.stage <= len(learnt):
            raise UserError(
                f"run '{run.name}' has learnt {len(learnt)} tasks; stage {self.stage} is not among them"
            )
        self.tasks = learnt[: self.stage]
        self.device: Device = choose_device(device, self.config.precision)
        where = self.device.torch_device
        self.backbone = load_backbone(self.config.settings.backbone, where)
        self._store = workspace.store
        self.weights = [self._read(names[f"adapter/{task.name}"]).to(where) for task in self.tasks]
        self.trainer = TRAINERS.load(self.config.recipe.train)()
        self.pool = self.trainer.pool(self.stage - 1)
        self.bank = Bank.stack([self.weights[each].adapter for each in self.pool])
        self._router_state = (
            None if self.trainer.shared else self._tensors("router", names[f"router/{self.stage}"])
        )

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
        routing = self._routing(encoding, len(texts), given, k, temperature)
        states = self._states(encoding, routing.weights)
        logits = self._logits(states, routing.weights, given)
        names = self.config.label_space
        probability, best = torch.softmax(logits, dim=1).max(dim=1)
        alone = self._alone(encoding, len(texts))
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
                )
            )
        return samples

    @property
    def _needs_task(self) -> bool:
        """Whether the protocol (TIL) or the router (oracle) is told the true task."""
        knows_task: bool = ROUTERS.load(self.config.recipe.route).knows_task
        return self.config.protocol == "til" or knows_task

    def _routing(
        self, encoding: Any, rows: int, task: int | None, k: int | None, temperature: float | None
    ) -> Routing:
        if self._router_state is None:
            ones = torch.ones(rows, 1)
            return Routing(scores=ones, weights=ones)
        changes = {"k": k, "temperature": temperature}
        settings = self.config.settings.router.model_copy(
            update={name: value for name, value in changes.items() if value is not None}
        )
        router = ROUTERS.load(self.config.recipe.route)(type(settings)(**settings.model_dump()))
        router.load_state(self._router_state)
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
        routing: Routing = router.route(features, torch.full((rows,), task or 0))
        return routing

    def _states(self, encoding: Any, weights: Tensor, how: str | None = None) -> Tensor:
        settings = self.config.settings
        return pooled_states(
            self.backbone,
            encoding,
            range(len(weights)),
            self.bank,
            weights.to(self.device.torch_device),
            how or self.config.recipe.compose,
            settings.train.head_pooling,
            settings.evaluate.eval_batch_size,
            self.device,
        )

    def _logits(self, states: Tensor, weights: Tensor, task: int | None) -> Tensor:
        return answer_logits(
            self.config.protocol,
            states,
            [each.head.to(states.device) for each in self.weights],
            [each.labels for each in self.tasks],
            len(self.config.label_space),
            weights=None if self.trainer.shared else weights,
            rule=self.config.head_rule or "direct",
            pool=self.pool,
            task=task,
        )

    def _alone(self, encoding: Any, rows: int) -> list[list[str]]:
        """For each adapter of the pool, what it predicts by itself with its own head."""
        answers = []
        for column, index in enumerate(self.pool):
            weights = torch.zeros(rows, len(self.pool))
            weights[:, column] = 1.0
            states = self._states(encoding, weights, "select")
            logits = self.weights[index].head.to(torch.device("cpu")).logits(states)
            names = self._head_names(index)
            answers.append([names[best] for best in logits.argmax(dim=1).tolist()])
        return answers

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

    def _read(self, key: str) -> TaskWeights:
        tensors = self._tensors("adapter", key)
        settings = self.config.settings.adapter
        names = [site.name for site in select_sites(self.backbone.sites, settings)]
        return TaskWeights.from_tensors(tensors, names, settings.activation)

    def _tensors(self, kind: str, key: str) -> dict[str, Tensor]:
        artifact = self._store.read(kind, key)
        if artifact is None:
            raise UserError(
                f"run '{self.config.name}' misses its {kind} {key[:12]}; "
                f"'adapter-lab resume {self.config.name}' makes it again"
            )
        return artifact.tensors
