"""Evaluation rows of a run, named by id in routing records: as they are kept, or from its stream again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, get_args

import pyarrow as pa

from app.workers.thumbnails import png
from cl_core.engine.launch import open_stream
from cl_core.errors import UserError
from cl_core.picture_decoder import WHITE, open_picture
from cl_core.runs.run_config import RunConfig
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import key
from cl_core.tasks.stream import Stream
from cl_core.tasks.task import ENCODED, Kind
from cl_core.video import read_clip

LINE = 160
"""Characters of a text in a list."""
FRAMES = 8
"""Of a clip, as it is shown: as many as backbones look at by default."""
LONGEST_SIDE = 480
"""Of a picture as it is shown, in pixels."""
INPUTS = ("text", "text_pair", "question", "image", "video")


KIND = "rows"
"""Of artifact: rows that are kept beside a run, where reading its stream again takes long (clips are drawn anew)."""


class ScoredRows:
    """Rows by id, of all tasks, held-out ones included: those that are kept beside the run, else those of its stream.

    Args:
        run: whose.

    Raises:
        UserError: its data are no longer there.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run, self.config = run, run.config
        self.split = self.config.settings.evaluate.split
        kept = Workspace(run.path.parents[1]).store.read(KIND, key(KIND, inputs_of(self.config)))
        self.table = kept.tables[KIND] if kept is not None else self._read()
        self._row_of = {
            sample_id: row for row, sample_id in enumerate(self.table["id"].to_pylist())
        }

    @cached_property
    def stream(self) -> Stream:
        """The run's stream, with all its splits."""
        return open_stream(self.run.stream_source, self.config.protocol, self.config.settings.data)

    def _read(self) -> pa.Table:
        rows = [row for task in self.stream.all_tasks for row in task.splits[self.split]]
        return pa.table({name: [row.get(name) for row in rows] for name in ("id", *INPUTS)})

    def lines(self) -> list[dict[str, str]]:
        """{"id", "line"} of each: the text or the question, cut; empty where there is only a picture."""
        columns = (self.table[name].to_pylist() for name in ("id", "text", "question"))
        return [
            {"id": sample_id, "line": " ".join(str(text or question or "").split())[:LINE]}
            for sample_id, text, question in zip(*columns, strict=True)
        ]

    def kinds(self) -> list[str]:
        """What the rows are, each kind once: "text", "image", "image-qa", "video-qa"."""
        given = [self.table[name].is_valid().to_pylist() for name in ("video", "image", "question")]
        kinds = {
            "video-qa" if video else "text" if not image else "image-qa" if question else "image"
            for video, image, question in zip(*given, strict=True)
        }
        return [kind for kind in get_args(Kind) if kind in kinds]

    def inputs(self, sample_id: str) -> dict[str, Any]:
        """What the backbone reads of a row, by column.

        Raises:
            UserError: there is no such row.
        """
        if sample_id not in self._row_of:
            raise UserError(f"the run's stream has no row '{sample_id}'; choose one from the list")
        row = self.table.slice(self._row_of[sample_id], 1).to_pylist()[0]
        return {column: row[column] for column in INPUTS if row[column] is not None}

    def ground(self, sample_id: str) -> str:
        """What shows where a row's picture or clip is transparent."""
        task_name = sample_id.split("/")[0]
        return next(
            (task.ground for task in self.config.all_tasks if task.name == task_name), WHITE
        )


def inputs_of(config: RunConfig) -> dict[str, Any]:
    """What a run's scored rows depend on."""
    tasks = [task.fingerprint for task in config.all_tasks]
    return {"version": 1, "split": config.settings.evaluate.split, "tasks": tasks}


def keep(workspace: Workspace, run: RunFolder) -> None:
    """Keeps a run's scored rows in the store, so that its samples are shown without its stream."""
    inputs = inputs_of(run.config)
    if not workspace.store.has(KIND, key(KIND, inputs)):
        tables = {KIND: ScoredRows(run).table}
        workspace.store.write(KIND, key(KIND, inputs), inputs, tables=tables)


def shown(inputs: Mapping[str, Any], ground: str = WHITE) -> dict[str, Any]:
    """A sample for a browser: "texts" by column, "pictures" as base64 PNG files, and whether they are a "clip".

    Args:
        inputs: by column; pictures and clips as bytes or paths.
        ground: what shows where they are transparent.

    Raises:
        UserError: a picture or a clip that cannot be read.
    """
    pictures: list[Any] = []
    if "image" in inputs:
        pictures = [open_picture(inputs["image"], ground)]
    elif "video" in inputs:
        clip = read_clip(inputs["video"], FRAMES, ground)
        pictures = [open_picture(frame) for frame in clip.frames]
    return {
        "texts": {column: value for column, value in inputs.items() if column not in ENCODED},
        "pictures": [png(picture, LONGEST_SIDE) for picture in pictures],
        "clip": "video" in inputs,
    }
