"""A run's model, answering for new samples: which adapters they get, merged and alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl_core.errors import UserError
from cl_core.evaluate.routing import entropy, margin
from cl_core.lab.replying import Looked, reply
from cl_core.lab.routed_sample import AdapterShare, RoutedSample
from cl_core.lab.sample import Sample, describe_sample, sample_columns
from cl_core.lab.trained import Trained
from cl_core.lab.what_if import WhatIf
from cl_core.lab.workspace import RunFolder, Workspace


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

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its samples may be: "text", "image", "image-qa", "video-qa"."""
        kinds: tuple[str, ...] = self.trained.backbone.kinds
        return kinds

    def look(self, samples: Sequence[Sample]) -> Looked:
        """Encodes new samples; what is computed of them is kept, so that they can be asked about again and again.

        Args:
            samples: B of one kind: texts; where the backbone reads pictures alone, paths of files or encoded bytes;
                or mappings by column, such as {"image": path, "question": text}.

        Raises:
            UserError: an empty text, a picture that cannot be read.
        """
        columns = sample_columns(samples, self.kinds)
        columns["ground"] = [self.config.ground] * len(samples)
        encoding = self.trained.backbone.encode(columns)
        return Looked(self.trained, encoding, [describe_sample(sample) for sample in samples])

    def route(
        self,
        samples: Sequence[Sample] | Looked,
        k: int | None = None,
        temperature: float | None = None,
        task: str | None = None,
        what_if: WhatIf | None = None,
    ) -> list[RoutedSample]:
        """Routes new samples and predicts their labels.

        Args:
            samples: as `look` takes them, or what it returned.
            k: overrides how many adapters a sample gets.
            temperature: overrides the router's temperature.
            task: the true task, where the protocol or the router needs to be told it.
            what_if: further changes to how the run routes and composes.

        Raises:
            UserError: an empty text, a picture that cannot be read, no task where one is needed, or a change that this
                run has no place for.
        """
        looked = samples if isinstance(samples, Looked) else self.look(samples)
        given = self._task_index(task)
        if given is None and self._needs_task:
            raise UserError(
                f"recipe '{self.config.recipe.name}' under {self.config.protocol} must be told the true task; "
                f"say it with --task, one of {', '.join(each.name for each in self.trained.tasks)}"
            )
        asked = {"k": k, "temperature": temperature}
        changes = (what_if or WhatIf()).model_copy(
            update={name: value for name, value in asked.items() if value is not None}
        )
        answer = reply(self.trained, looked, given, changes)
        routing, logits = answer.routing, answer.logits
        names = self.config.label_space
        probability, best = torch.softmax(logits, dim=1).max(dim=1)
        alone = self._alone(looked)
        p = routing.weights.numpy()
        entropies, margins = entropy(p), margin(p)
        routed = []
        for row, described in enumerate(looked.described):
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
                    sample=described,
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
        return self.config.protocol == "til" or self.config.recipe.told_the_task

    def _alone(self, looked: Looked) -> list[list[str]]:
        """For each adapter of the pool, what it predicts by itself with its own head."""
        answers = []
        dil, shared = self.config.protocol == "dil", self.trained.trainer.form == "shared"
        for index, states in zip(self.trained.pool, looked.alone, strict=True):
            head = self.trained.heads[0 if dil and shared else index].to(torch.device("cpu"))
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
