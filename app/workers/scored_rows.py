"""The rows that a run was scored on, read from its stream again: what routing records name by id."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from cl_core.decode import open_picture
from cl_core.errors import UserError
from cl_core.lab.launch import open_stream
from cl_core.lab.workspace import RunFolder
from cl_core.tasks.task import ENCODED
from cl_core.video import read_clip

LINE = 160
"""Characters of a text in a list."""
FRAMES = 6
"""Of a clip, as it is shown."""
LONGEST_SIDE = 480
"""Of a picture as it is shown, in pixels."""
INPUTS = ("text", "text_pair", "question", "image", "video")


class ScoredRows:
    """Rows by id, of all tasks, held-out ones included.

    Args:
        run: whose stream is read.

    Raises:
        UserError: its data are no longer there.
    """

    def __init__(self, run: RunFolder) -> None:
        config = run.config
        self.stream = open_stream(run.stream_source, config.protocol, config.settings.data)
        self.split = config.settings.evaluate.split
        self._place = {
            own: (number, row)
            for number, task in enumerate(self.stream.all_tasks)
            for row, own in enumerate(task.splits[self.split]["id"])
        }

    def lines(self) -> list[dict[str, str]]:
        """{"id", "line"} of each: the text or the question, cut; empty where there is only a picture."""
        found = []
        for task in self.stream.all_tasks:
            rows = task.splits[self.split]
            said = next((name for name in ("text", "question") if name in rows.column_names), None)
            texts = rows[said] if said else [""] * len(rows)
            found += [
                {"id": own, "line": " ".join(str(text).split())[:LINE]}
                for own, text in zip(rows["id"], texts, strict=True)
            ]
        return found

    def inputs(self, sample_id: str) -> dict[str, Any]:
        """What the backbone reads of a row, by column.

        Raises:
            UserError: there is no such row.
        """
        if sample_id not in self._place:
            raise UserError(f"the run's stream has no row '{sample_id}'; choose one from the list")
        number, place = self._place[sample_id]
        row = self.stream.all_tasks[number].splits[self.split][place]
        return {column: row[column] for column in INPUTS if row.get(column) is not None}


def shown(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A sample for a browser: "texts" by column, "pictures" as base64 PNG files, and whether they are a "clip".

    Args:
        inputs: by column; pictures and clips as bytes or paths.

    Raises:
        UserError: a picture or a clip that cannot be read.
    """
    pictures: list[Any] = []
    if "image" in inputs:
        pictures = [open_picture(inputs["image"])]
    elif "video" in inputs:
        pictures = [open_picture(frame) for frame in read_clip(inputs["video"], FRAMES).frames]
    return {
        "texts": {column: value for column, value in inputs.items() if column not in ENCODED},
        "pictures": [_png(each) for each in pictures],
        "clip": "video" in inputs,
    }


def _png(picture: Any) -> str:
    """Base64 of a PNG file, made smaller where it is large."""
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return b64encode(file.getvalue()).decode()
