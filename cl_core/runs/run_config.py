"""What `run.yaml` holds: a run's stream, recipe, settings and tasks, and what follows from them."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import Literal

from cl_core.adapters.settings import HeadRule
from cl_core.picture_decoder import WHITE
from cl_core.recipes.recipe import Recipe
from cl_core.recipes.settings import RunSettings
from cl_core.settings import Settings
from cl_core.tasks.stream import protocol_title


class TaskSummary(Settings):
    """What a run remembers of a task's data: enough to label its results and to notice that the data changed."""

    name: str
    label_names: tuple[str, ...]
    labels: tuple[int, ...]
    """Position of each label in the stream's label space."""
    rows: dict[str, int]
    """Rows per split, after limits."""
    fingerprint: str
    ground: str = WHITE
    """What shows where its pictures or clips are transparent."""


class RunConfig(Settings):
    """What `run.yaml` holds: enough to run it again."""

    name: str
    stream: str
    """A preset's name or the path of a stream file."""
    stream_name: str
    protocol: Literal["til", "cil", "dil"]
    recipe: Recipe
    settings: RunSettings
    seed: int
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    label_space: tuple[str, ...]
    vocabulary: tuple[str, ...] = ()
    """What the labels are called, each name once, where they are scored by that."""
    tasks: tuple[TaskSummary, ...]
    held_out: tuple[TaskSummary, ...] = ()
    """Tasks that are never learnt, only routed and scored."""

    @property
    def all_tasks(self) -> tuple[TaskSummary, ...]:
        """The tasks that are learnt, in order, and behind them those that are held out."""
        return self.tasks + self.held_out

    @property
    def ground(self) -> str:
        """What shows where a new picture or clip is transparent: what its tasks have **(ours)**.

        Tasks of texts are called white; where several others are named, it is white too.
        """
        others = {task.ground for task in self.all_tasks} - {WHITE}
        return others.pop() if len(others) == 1 else WHITE

    @property
    def keeps_memory(self) -> bool:
        """Whether training samples of earlier tasks are kept."""
        return self.recipe.keeps_memory

    @property
    def head_rule(self) -> HeadRule | None:
        """How heads answer together in CIL; None under the other protocols.

        `auto` is `direct` where there is one adapter for all tasks, and what the router's row says elsewhere.
        """
        if self.protocol != "cil":
            return None
        if self.recipe.shares_adapter:
            return "direct"
        asked = self.settings.evaluate.head_rule
        return self.recipe.router.traits.head_rule if asked == "auto" else asked

    @property
    def protocol_with_rule(self) -> str:
        """The protocol as files name it, with the head rule where there is one: "dil", "cil/top1"."""
        return f"{self.protocol}/{self.head_rule}" if self.head_rule else self.protocol

    @property
    def protocol_title(self) -> str:
        """The same as people read it: "class-incremental (top1)"."""
        return protocol_title(self.protocol_with_rule)


def stream_in(workspace: Path, source: str) -> str:
    """A stream's name or file; of one that was on another machine, the file of that name in the workspace."""
    moved = workspace / "streams" / PureWindowsPath(source).name
    carried = source.endswith((".yaml", ".yml")) and not Path(source).is_file()
    return str(moved) if carried and moved.is_file() else source
