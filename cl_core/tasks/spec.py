"""What a stream file says: typed, frozen, unknown fields refused.

The JSON schema of `StreamSpec` is published beside this file; `python -m cl_core.tasks.schema` writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from cl_core.errors import UserError, did_you_mean
from cl_core.limits import COUNT, SEED, TASK_NAME_LENGTH, TASKS
from cl_core.picture_decoder import WHITE, ground_name
from cl_core.settings import Settings, no_longer, within
from cl_core.tasks.stream import Protocol
from cl_core.tasks.task import QA_KINDS, Kind

TaskName = Annotated[
    str, StringConstraints(pattern=r"^\w[\w .+-]*$", max_length=TASK_NAME_LENGTH.most)
]
Text = Annotated[str, StringConstraints(min_length=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, within(COUNT)]
Ground = Annotated[
    str,
    BeforeValidator(ground_name),
    WithJsonSchema({"type": "string", "pattern": "^(white|black|#[0-9a-fA-F]{6})$"}),
]


class SplitNames(Settings):
    """Where each split is: a file (for `path`, relative to it) or a split's name (for `hub`)."""

    train: Text | None = None
    """Training samples."""
    validation: Text | None = None
    """Validation samples; cut from train where there are none."""
    test: Text | None = None
    """Test samples; cut from train where there are none."""


class SplitLimits(Settings):
    """At most so many rows in each split; null for all."""

    train: Count | None = None
    """Training samples."""
    validation: Count | None = None
    """Validation samples."""
    test: Count | None = None
    """Test samples."""


class TaskSpec(Settings):
    """One task of a stream: where its rows are and which columns they use."""

    name: TaskName
    """Unique in the stream; letters, digits, spaces and . + - _."""
    path: Text | None = None
    """A folder with train, validation and test files (parquet, csv, tsv, jsonl, json, arrow), a `save_to_disk`
    folder, or one file that is split. Relative to the stream file."""
    hub: Text | None = None
    """A data set on the hub, "owner/name" or "hub:owner/name". Needs `revision`."""
    builtin: Text | None = None
    """A built-in task: "domains/restaurants", or with knobs "domains/restaurants:overlap=0.5,seed=1"."""
    data: Text | None = None
    """A folder relative to the folder of real data (`CL_DATA`), used instead of the hub where it exists. It has
    plain columns (text, label, label_name); the mapping below describes the hub's."""
    config: Text | None = None
    """The hub data set's configuration."""
    revision: Text | None = None
    """A commit or tag of the hub data set: what is loaded must not change under a run."""
    split: SplitNames = SplitNames()
    """Names of files or splits, where they are not train, validation and test."""
    separator: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    """What separates the cells of csv and tsv files, where their header does not show it."""
    kind: Kind = "text"
    """What a row is: a text; an image (encoded bytes, or the path of a file beside the data); or a question about an
    image or about a video."""
    text: Text = "text"
    """Column of the text."""
    text_pair: Text | None = None
    """Column of a second text, if there is one."""
    image: Text = "image"
    """Column of the image: encoded bytes, or a path relative to the file that names it."""
    video: Text = "video"
    """Column of the video: likewise."""
    ground: Ground = WHITE
    """What shows where pictures and clips are transparent: white, black or "#rrggbb"."""
    question: Text = "question"
    """Column of the question about the image or video."""
    answer: Text = "answer"
    """Column of the answer to the question."""
    answers: Text | None = None
    """Column of several answers to the question, instead of `answer`: a list of them, one for each person asked, or a
    mapping from an answer to its votes."""
    agreement: Count = 3
    """So many votes make an answer fully right; n fewer, n / agreement of it. 3 for VQA accuracy, 2 for iVQA. Read
    with `answers` alone."""
    most_answers: Count | None = None
    """The vocabulary is at most so many answers, the most frequent of the training samples; null for all of them."""
    label: Text = "label"
    """Column of the label: whole numbers or names."""
    label_names: tuple[Text, ...] | None = None
    """The classes in order, or the vocabulary of answers. By default what the data say, else the sorted labels, or the
    training samples' answers, most frequent first."""
    limit: Count | SplitLimits | None = None
    """At most so many rows per split, stratified by class."""
    seed: Annotated[int, within(SEED, least=-SEED.most)] = 0
    """Draws the split and the limit's subset."""
    validation_fraction: Fraction = 0.1
    """Share of the rows cut off for validation where there is no validation file."""
    test_fraction: Fraction = 0.2
    """Share of the rows cut off for test where there is no test file."""

    @model_validator(mode="after")
    def _one_source(self) -> TaskSpec:
        given = [field for field in ("path", "hub", "builtin") if getattr(self, field) is not None]
        if len(given) > 1:
            raise ValueError(f"gives {' and '.join(given)}; a task has one source")
        if not given and self.data is None:
            raise ValueError("has no source; give one of path, hub or builtin")
        if self.data is not None and given not in ([], ["hub"]):
            raise ValueError(f"gives data beside {given[0]}; data may stand alone or beside hub")
        if self.hub is None:
            for field in ("config", "revision"):
                if getattr(self, field) is not None:
                    raise ValueError(f"gives {field}, which has a meaning for hub alone")
        elif self.hub.removeprefix("hub:").strip("/").count("/") > 1:
            raise ValueError(f"hub is '{self.hub}'; a hub data set is 'owner/name'")
        if self.label_names is not None and len(set(self.label_names)) != len(self.label_names):
            raise ValueError("label_names lists a name twice")
        if self.kind == "text" and self.ground != WHITE:
            raise ValueError(f"gives ground {self.ground}, and texts have none")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave no training samples")
        return self

    @property
    def inputs(self) -> dict[str, str]:
        """The columns that a row is made of: by the name that they get, the name that they have."""
        match self.kind:
            case "image":
                return {"image": self.image}
            case "image-qa":
                return {"image": self.image, "question": self.question}
            case "video-qa":
                return {"video": self.video, "question": self.question}
            case _:
                pair = {} if self.text_pair is None else {"text_pair": self.text_pair}
                return {"text": self.text, **pair}

    @property
    def outcome(self) -> dict[str, str]:
        """The column that says what is right: by the field that names it, its name."""
        if self.kind not in QA_KINDS:
            return {"label": self.label}
        return {"answer": self.answer} if self.answers is None else {"answers": self.answers}

    @property
    def limits(self) -> dict[str, int | None]:
        """Rows per split; None for all."""
        if self.limit is None or isinstance(self.limit, int):
            return dict.fromkeys(("train", "validation", "test"), self.limit)
        return self.limit.model_dump()


class StreamSpec(Settings):
    """An ordered list of tasks and a protocol."""

    name: TaskName
    """Names runs and reports."""
    title: str = ""
    """One line for people."""
    description: str = ""
    """A few sentences for people."""
    protocol: Protocol
    """til: task id known at test; cil: unknown, labels of all tasks; dil: unknown, one label space for all."""
    shared_labels: Literal[True] | tuple[tuple[TaskName, ...], ...] | None = None
    """cil: tasks whose labels of one name are one label; groups of task names, or true for all tasks."""
    tasks: Annotated[tuple[TaskSpec, ...], no_longer(TASKS, least=1)]
    """In the order in which they are learnt."""
    held_out: Annotated[tuple[TaskSpec, ...], no_longer(TASKS)] = ()
    """Tasks that are never learnt, only routed to the others' adapters and scored. They need no training samples."""
    orders: dict[str, tuple[TaskName, ...]] = Field(default_factory=dict)
    """Further named orders of the same tasks, or of some of them."""

    @model_validator(mode="after")
    def _fits_together(self) -> StreamSpec:
        faults = []
        learnt = [task.name for task in self.tasks]
        names = learnt + [task.name for task in self.held_out]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                faults.append(f"{names.count(name)} tasks are named '{name}'; names must be unique")
        if self.shared_labels is not None and self.protocol != "cil":
            faults.append(
                f"shared_labels has a meaning in protocol cil, and this is {self.protocol}"
            )
        grouped: list[str] = []
        if isinstance(self.shared_labels, tuple):
            for group in self.shared_labels:
                faults += _unknown("shared_labels", group, names)
                grouped += group
        for name in dict.fromkeys(grouped):
            if grouped.count(name) > 1:
                faults.append(f"shared_labels lists task '{name}' twice")
        for order, listed in self.orders.items():
            faults += _unknown(f"orders.{order}", listed, learnt)
            if len(set(listed)) != len(listed) or not listed:
                faults.append(f"orders.{order} must list one or more tasks, each once")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def shared(self) -> tuple[tuple[str, ...], ...]:
        """Groups of tasks that share labels."""
        if self.shared_labels is True:
            return (tuple(task.name for task in (*self.tasks, *self.held_out)),)
        return self.shared_labels or ()

    def ordered(self, order: str) -> StreamSpec:
        """The same stream in one of its further orders, named after it.

        Raises:
            KeyError: there is no such order.
        """
        tasks = {task.name: task for task in self.tasks}
        names = self.orders[order]
        all_names = {*names, *(task.name for task in self.held_out)}
        shared = None
        if self.shared_labels is not None:
            kept = (tuple(name for name in group if name in all_names) for group in self.shared)
            shared = tuple(group for group in kept if len(group) > 1) or None
        return self.model_copy(
            update={
                "name": f"{self.name}-{order}",
                "tasks": tuple(tasks[name] for name in names),
                "shared_labels": shared,
                "orders": {},
            }
        )

    def holding_out(self, names: Sequence[str]) -> StreamSpec:
        """The same stream, with some of its tasks held out; those already held out stay so.

        Raises:
            UserError: a name is no task's, or none is left to learn.
        """
        apart = {task.name for task in self.held_out}
        learnt = [task.name for task in self.tasks]
        if unknown := _unknown("hold_out", tuple(n for n in names if n not in apart), learnt):
            raise UserError("; ".join(unknown))
        kept = tuple(task for task in self.tasks if task.name not in names)
        if not kept:
            raise UserError(
                f"hold_out lists every task of stream '{self.name}'; leave one to learn"
            )
        moved = tuple(task for task in self.tasks if task.name in names)
        return self.model_copy(
            update={"tasks": kept, "held_out": self.held_out + moved, "orders": {}}
        )

    def laid_on(self, ground: str) -> StreamSpec:
        """The same stream, all of its pictures and clips on one ground.

        Raises:
            UserError: it is no colour.
        """
        try:
            ground = ground_name(ground)
        except ValueError as error:
            raise UserError(f"ground {error}") from None

        def changed(tasks: tuple[TaskSpec, ...]) -> tuple[TaskSpec, ...]:
            return tuple(
                task if task.kind == "text" else task.model_copy(update={"ground": ground})
                for task in tasks
            )

        return self.model_copy(
            update={"tasks": changed(self.tasks), "held_out": changed(self.held_out)}
        )


def _unknown(where: str, listed: tuple[str, ...], names: list[str]) -> list[str]:
    return [
        f"{where} lists '{name}', which is no task of the stream.{did_you_mean(name, names)}"
        for name in listed
        if name not in names
    ]
