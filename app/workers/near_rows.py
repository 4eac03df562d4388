"""Nearest training samples of a sample, as a page shows them: task, label, text, and a small picture or frames."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from app.workers.scored_rows import INPUTS, LINE
from cl_core.analysis.nearest_rows import NearRow, TrainingFeatures
from cl_core.errors import UserError
from cl_core.picture_decoder import open_picture
from cl_core.tasks.stream import Stream
from cl_core.tasks.task import ENCODED
from cl_core.video import read_clip

FRAMES = 4
"""Of a clip."""
HEIGHT = 96
"""Of a picture or a frame, in pixels."""


def near_rows(
    stream: Stream, features: TrainingFeatures, nearest: Sequence[NearRow]
) -> list[dict[str, Any]]:
    """Rows for a browser: "task" (name), "id", "label", "cosine", "text" (cut), "picture" (base64 PNG, or "").

    Args:
        stream: whose training samples they are.
        features: that they were found by.
        nearest: in the order in which they are shown.

    Raises:
        UserError: the data have changed since the features were made, or a picture cannot be read.
    """
    shown = []
    for near in nearest:
        task = stream.tasks[near.task]
        rows = task.splits["train"]
        if len(rows) != len(features.features[near.task]):
            raise UserError(
                f"the training samples of '{task.name}' are no longer those that the run has learnt from"
            )
        row = rows[near.row]
        inputs = {column: row[column] for column in INPUTS if row.get(column) is not None}
        texts = [str(value) for column, value in inputs.items() if column not in ENCODED]
        label = int(row["label"])
        shown.append(
            {
                "task": task.name,
                "id": str(row["id"]),
                "label": task.label_names[label] if label >= 0 else "another answer",
                "cosine": near.cosine,
                "text": " · ".join(" ".join(text.split())[:LINE] for text in texts),
                "picture": _picture(inputs, task.ground),
            }
        )
    return shown


def _picture(inputs: dict[str, Any], ground: str) -> str:
    """Base64 of a PNG: the picture made small, or frames of the clip side by side; "" where there is none."""
    from PIL import Image

    if "image" in inputs:
        seen = [open_picture(inputs["image"], ground)]
    elif "video" in inputs:
        clip = read_clip(inputs["video"], FRAMES, ground)
        seen = [open_picture(frame) for frame in clip.frames]
    else:
        return ""
    small = [
        picture.convert("RGB").resize(
            (max(1, round(picture.width * HEIGHT / picture.height)), HEIGHT)
        )
        for picture in seen
    ]
    strip = Image.new("RGB", (sum(picture.width for picture in small), HEIGHT))
    for index, picture in enumerate(small):
        strip.paste(picture, (sum(before.width for before in small[:index]), 0))
    file = io.BytesIO()
    strip.save(file, "PNG")
    return b64encode(file.getvalue()).decode()
