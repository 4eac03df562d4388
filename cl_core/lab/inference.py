"""A run's model, answering for new samples: which adapters they get, merged and alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import COMPOSITIONS
from cl_core.adapters.heads import Head
from cl_core.backbones.encoding import Encoded
from cl_core.backbones.features import extract_features
from cl_core.errors import UserError
from cl_core.evaluate.answers import answer_logits, ensemble_logits
from cl_core.evaluate.routing import entropy, margin
from cl_core.evaluate.states import pooled_states, states_under
from cl_core.lab.routed_sample import AdapterShare, RoutedSample
from cl_core.lab.sample import Sample, describe_sample, sample_columns
from cl_core.lab.trained import Trained
from cl_core.lab.workspace import RunFolder, Workspace
from cl_core.route import ROUTERS
from cl_core.route.routed_pass import routed_states
from cl_core.route.router import Routing


@dataclass(frozen=True)
class _Answer:
    """Routing of B samples, their logits (B, C), and L2R's weights by block (B, blocks, K)."""

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
        self.trained = Trained(workspace, run, stage, device)
        self.config = self.trained.config
        self._shared = self.trained.trainer.form == "shared"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its samples may be: "text", "image", "image-qa", "video-qa"."""
        kinds: tuple[str, ...] = self.trained.backbone.kinds
        return kinds

    def route(
        self,
        samples: Sequence[Sample],
        k: int | None = None,
        temperature: float | None = None,
        task: str | None = None,
    ) -> list[RoutedSample]:
        """Routes new samples and predicts their labels.

        Args:
            samples: B of one kind: texts; where the backbone reads pictures alone, paths of files or encoded bytes;
                or mappings by column, such as {"image": path, "question": text}.
            k: overrides how many adapters a sample gets.
            temperature: overrides the router's temperature.
            task: the true task, where the protocol or the router needs to be told it.

        Raises:
            UserError: an empty text, a picture that cannot be read, or no task where one is needed.
        """
        encoding = self.trained.backbone.encode(sample_columns(samples, self.kinds))
        given = self._task_index(task)
        if given is None and self._needs_task:
            raise UserError(
                f"recipe '{self.config.recipe.name}' under {self.config.protocol} must be told the true task; "
                f"say it with --task, one of {', '.join(each.name for each in self.trained.tasks)}"
            )
        answer = self._answer(encoding, given, {"k": k, "temperature": temperature})
        routing, logits = answer.routing, answer.logits
        names = self.config.label_space
        probability, best = torch.softmax(logits, dim=1).max(dim=1)
        alone = self._alone(encoding)
        p = routing.weights.numpy()
        entropies, margins = entropy(p), margin(p)
        routed = []
        for row, sample in enumerate(samples):
            shares = [
                AdapterShare(
                    task=self.trained.tasks[index].name,
                    score=float(routing.scores[row, column]),
                    weight=float(routing.weights[row, column]),
                    alone=alone[column][row],
                )
                for column, index in enumerate(self.trained.pool)
            ]
            shares.sort(key=lambda share: (-share.weight, -share.score))
            routed.append(
                RoutedSample(
                    sample=describe_sample(sample),
                    prediction=names[int(best[row])],
                    confidence=float(probability[row]),
                    shares=tuple(shares),
                    entropy=float(entropies[row]),
                    margin=float(margins[row]),
                    per_block=self._per_block(answer.per_block, row),
                )
            )
        return routed

    @property
    def _needs_task(self) -> bool:
        """Whether the protocol (TIL) or the router (oracle) is told the true task."""
        knows_task: bool = ROUTERS.load(self.config.recipe.route).knows_task
        return self.config.protocol == "til" or knows_task

    def _answer(
        self, encoding: Encoded, task: int | None, changes: Mapping[str, float | None]
    ) -> _Answer:
        """Routes and answers, in the way of the recipe (`answering.py` is its twin for a run's own rows)."""
        recipe, rows, where = self.config.recipe, len(encoding), self.trained.device.torch_device
        if self.trained.trainer.shared:
            ones = torch.ones(rows, 1)
            states = self._states(encoding, ones, "select")
            return _Answer(Routing(ones, ones), self._logits(states, None, task))
        if self.trained.network is not None:
            settings = self.config.settings
            states, per_block, weights = routed_states(
                self.trained.backbone,
                encoding,
                range(rows),
                self.trained.bank,
                self.trained.network,
                recipe.compose,
                settings.train.head_pooling,
                settings.evaluate.eval_batch_size,
                self.trained.device,
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
                self.trained.heads,
                [each.labels for each in self.trained.tasks],
                len(self.config.label_space),
                routing.weights.to(where),
                self.config.head_rule or "direct",
                task,
                self._candidates,
            )
            return _Answer(routing, logits.cpu())
        states = self._states(encoding, routing.weights, recipe.compose)
        return _Answer(routing, self._logits(states, routing.weights, task))

    def _routing(
        self, encoding: Encoded, task: int | None, changes: Mapping[str, float | None]
    ) -> Routing:
        router, settings = self.trained.router(changes), self.config.settings.router
        features = None
        if router.needs_features:
            features = extract_features(
                self.trained.backbone,
                encoding,
                layer=settings.layer,
                pooling=settings.pooling,
                batch_size=self.config.settings.evaluate.eval_batch_size,
                autocast=self.trained.device.autocast,
                parts=settings.parts,
            )
        return router.route(features, torch.full((len(encoding),), task or 0))

    def _states(self, encoding: Encoded, weights: Tensor, how: str) -> Tensor:
        settings = self.config.settings
        return pooled_states(
            self.trained.backbone,
            encoding,
            range(len(weights)),
            self.trained.bank,
            weights.to(self.trained.device.torch_device),
            how,
            settings.train.head_pooling,
            settings.evaluate.eval_batch_size,
            self.trained.device,
            merging=settings.merging,
            fishers=self.trained.fishers if "fishers" in COMPOSITIONS[how].needs else None,
        )

    def _fused_logits(self, encoding: Encoded, task: int, routing: Routing) -> Tensor:
        """Logits under the task's own fusion; the first task has its adapter alone."""
        heads = list(self.trained.heads)
        fused = self.trained.fusion(task)
        if fused is not None:
            bank = Bank.stack([self.trained.bank.adapter(each) for each in range(task + 1)])
            settings = self.config.settings
            states = states_under(
                self.trained.backbone,
                encoding,
                range(len(encoding)),
                lambda positions: fused.transforms(bank),
                settings.train.head_pooling,
                settings.evaluate.eval_batch_size,
                self.trained.device,
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
        where = self.trained.device.torch_device
        return answer_logits(
            self.config.protocol,
            states.to(where),
            heads or self.trained.heads,
            [each.labels for each in self.trained.tasks],
            len(self.config.label_space),
            weights=None if weights is None else weights.to(where),
            rule=self.config.head_rule or "direct",
            pool=None if self._shared else self.trained.pool,
            task=task,
            candidates=self._candidates,
        ).cpu()

    @property
    def _candidates(self) -> Tensor | None:
        """(C,) bool, the answers known at this stage; None where all are from the start."""
        if self.config.settings.answers.vocabulary == "known" or self.config.protocol != "dil":
            return None
        known = torch.zeros(len(self.config.label_space), dtype=torch.bool)
        for each in self.trained.tasks:
            known[list(each.labels)] = True
        return known

    def _alone_states(self, encoding: Encoded) -> list[Tensor]:
        """States under each adapter of the pool by itself."""
        eye = torch.eye(len(self.trained.pool))
        return [self._states(encoding, row.expand(len(encoding), -1), "select") for row in eye]

    def _alone(self, encoding: Encoded) -> list[list[str]]:
        """For each adapter of the pool, what it predicts by itself with its own head."""
        answers = []
        dil = self.config.protocol == "dil"
        for index, states in zip(self.trained.pool, self._alone_states(encoding), strict=True):
            own = 0 if dil and self._shared else index
            head = self.trained.heads[own].to(torch.device("cpu"))
            names = self._head_names(index)
            answers.append([names[best] for best in head.logits(states).argmax(dim=1).tolist()])
        return answers

    def _per_block(self, per_block: Tensor | None, row: int) -> dict[str, tuple[float, ...]] | None:
        """One sample's weights by adapted block, each in the order of the tasks."""
        if per_block is None or self.trained.network is None:
            return None
        network, rows = self.trained.network, per_block[row].tolist()
        names = [f"block{block}" for block in network.blocks]
        names = names if network.visual is None else ["visual", *names]
        return {name: tuple(weights) for name, weights in zip(names, rows, strict=True)}

    def _head_names(self, task: int) -> Sequence[str]:
        """Names of the classes of one task's own head, as the stream's label space calls them."""
        if self.config.protocol == "dil":
            return self.config.label_space
        return [self.config.label_space[label] for label in self.trained.tasks[task].labels]

    def _task_index(self, task: str | None) -> int | None:
        names = [each.name for each in self.trained.tasks]
        if task is None:
            return None
        if task not in names:
            raise UserError(
                f"there is no task '{task}' at this stage; choose one of {', '.join(names)}"
            )
        return names.index(task)
