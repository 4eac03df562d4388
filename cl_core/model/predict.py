"""Predictions of a run's model for new samples: which adapters they get, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from cl_core.errors import UserError
from cl_core.evaluate.routing import entropy, margin
from cl_core.model.encoded_samples import EncodedSamples
from cl_core.model.loaded_model import load_model
from cl_core.model.model import Answer
from cl_core.model.model_router import InsideRouter
from cl_core.model.routed_sample import AdapterShare, RoutedSample
from cl_core.model.sample import Sample, describe_sample, sample_columns
from cl_core.model.what_if import WhatIf
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace


class Predictor:
    """The model of a run after one of its stages, for whoever has new samples.

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
        self.loaded = load_model(workspace, run, stage, device)
        self.model, self.config = self.loaded.model, self.loaded.config
        self.tasks = [task.name for task in self.loaded.tasks]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its samples may be: "text", "image", "image-qa", "video-qa"."""
        kinds: tuple[str, ...] = self.model.passes.backbone.kinds
        return kinds

    def encode(self, samples: Sequence[Sample]) -> EncodedSamples:
        """Encodes new samples; what is computed of them is kept, so that they can be asked about again and again.

        Args:
            samples: B of one kind: texts; where the backbone reads pictures alone, paths of files or encoded bytes;
                or mappings by column, such as {"image": path, "question": text}.

        Raises:
            UserError: an empty text, a picture that cannot be read.
        """
        columns = sample_columns(samples, self.kinds)
        columns["ground"] = [self.config.ground] * len(samples)
        return self.encode_columns(columns, [describe_sample(sample) for sample in samples])

    def encode_columns(
        self, columns: Mapping[str, Sequence[str | bytes]], descriptions: Sequence[str]
    ) -> EncodedSamples:
        """Encodes samples by column, as a stream has them; `encode` takes what users give."""
        passes = self.model.passes
        return EncodedSamples(passes, passes.backbone.encode(columns), descriptions)

    def route(
        self,
        samples: Sequence[Sample] | EncodedSamples,
        k: int | None = None,
        temperature: float | None = None,
        task: str | None = None,
        what_if: WhatIf | None = None,
    ) -> list[RoutedSample]:
        """Routes new samples and predicts their labels.

        Args:
            samples: as `encode` takes them, or what it returned.
            k: overrides how many adapters a sample gets.
            temperature: overrides the router's temperature.
            task: the true task, where the protocol or the router needs to be told it.
            what_if: further changes to how the run routes and composes.

        Raises:
            UserError: an empty text, a picture that cannot be read, no task where one is needed, or a change that this
                run has no place for.
        """
        encoded = samples if isinstance(samples, EncodedSamples) else self.encode(samples)
        true_task = self._task_index(task)
        asked = {"k": k, "temperature": temperature}
        changes = (what_if or WhatIf()).model_copy(
            update={name: value for name, value in asked.items() if value is not None}
        )
        self._check(changes)
        return self._describe(encoded, self.model.answer(encoded, true_task, changes))

    def _describe(self, encoded: EncodedSamples, answer: Answer) -> list[RoutedSample]:
        """Each sample's answer, with the names of tasks and labels."""
        routing, names = answer.routing, self.config.label_space
        probability, best = torch.softmax(answer.logits, dim=1).max(dim=1)
        alone = [self._alone(encoded, column) for column in range(len(self.model.tasks))]
        p = routing.weights.numpy()
        entropies, margins = entropy(p), margin(p)
        routed = []
        for row, description in enumerate(encoded.descriptions):
            shares = [
                AdapterShare(
                    task=name,
                    score=float(routing.scores[row, column]),
                    weight=float(routing.weights[row, column]),
                    alone=alone[column][row],
                )
                for column, name in enumerate(self.model.tasks)
            ]
            shares.sort(key=lambda share: (-share.weight, -share.score))
            routed.append(
                RoutedSample(
                    sample=description,
                    prediction=names[int(best[row])],
                    confidence=float(probability[row]),
                    shares=tuple(shares),
                    entropy=float(entropies[row]),
                    margin=float(margins[row]),
                    per_block=self._per_block(answer, row),
                )
            )
        return routed

    def _alone(self, encoded: EncodedSamples, adapter: int) -> Sequence[str | None]:
        """What an adapter predicts by itself; None for one that serves all tasks, whose answer is the run's."""
        if self.loaded.shared:
            return [None] * len(encoded)
        return [self.config.label_space[label] for label in self.model.alone(encoded, adapter)]

    def _check(self, what_if: WhatIf) -> None:
        """Refuses changes that the run has no place for."""
        recipe = self.config.recipe
        for field in what_if.model_dump(exclude_defaults=True):
            if field in recipe.what_ifs:
                raise UserError(f"{field} cannot be changed: {recipe.what_ifs[field]}")

    def _per_block(self, answer: Answer, row: int) -> dict[str, tuple[float, ...]] | None:
        """One sample's weights by adapted block, each in the order of the tasks."""
        per_block, router = answer.routing.per_block, self.model.router
        if per_block is None or not isinstance(router, InsideRouter):
            return None
        names = [f"block{block}" for block in router.network.blocks]
        names = names if router.network.visual is None else ["visual", *names]
        return {
            name: tuple(weights)
            for name, weights in zip(names, per_block[row].tolist(), strict=True)
        }

    def _task_index(self, task: str | None) -> int | None:
        if task is None:
            # TIL tells the heads, an oracle the router.
            if self.config.protocol == "til" or self.config.recipe.told_the_task:
                raise UserError(
                    f"recipe '{self.config.recipe.name}' under {self.config.protocol} must be told the true task, "
                    f"one of {', '.join(self.tasks)} (--task in a terminal, task= in Python)"
                )
            return None
        if task not in self.tasks:
            raise UserError(
                f"there is no task '{task}' at this stage; choose one of {', '.join(self.tasks)}"
            )
        return self.tasks.index(task)
