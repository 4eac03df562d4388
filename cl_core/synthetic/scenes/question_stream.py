"""The streams of questions about scenes and clips, and the rows of their tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cl_core.errors import UserError, did_you_mean
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import animation, png
from cl_core.synthetic.scenes.clips import CLIP_FAMILIES, FRAMES, ask_clip
from cl_core.synthetic.scenes.questions import FAMILIES, ask
from cl_core.synthetic.scenes.scene import STYLES
from cl_core.tasks.builtin import BUILTIN_STREAMS, BuiltinSource, BuiltinTask, sizes_of
from cl_core.tasks.spec import StreamSpec, TaskSpec

TASK_KNOBS: dict[str, type] = {"seed": int, "train": int, "validation": int, "test": int}
STREAM_KNOBS: dict[str, type] = TASK_KNOBS
_SIZES = {"train": 300, "validation": 60, "test": 120}
_SECONDS = 2.0
"""How long a clip lasts."""

TASKS: dict[str, tuple[str, ...]] = {
    "scenes-qa": tuple(FAMILIES),
    "scenes-qa-styles": STYLES,
    "clips-qa": tuple(CLIP_FAMILIES),
}
"""Tasks of each stream."""


def stream(source: BuiltinSource) -> StreamSpec:
    """ "scenes-qa" and "clips-qa": a kind of question a task. "scenes-qa-styles": a drawing style a task.

    All are domain-incremental: whatever is asked, every answer of the stream's vocabulary may be the right one.
    """
    names = TASKS[source.name]
    return StreamSpec(
        name=source.name,
        title=BUILTIN_STREAMS[source.name],
        protocol="dil",
        tasks=tuple(
            TaskSpec(
                name=name,
                kind="video-qa" if name in CLIP_FAMILIES else "image-qa",
                builtin=str(BuiltinSource(f"questions/{name}", source.knobs)),
            )
            for name in names
        ),
        # What was asked last comes first: the other of two orders.
        orders={"order2": tuple(reversed(names))},
    )


def task(name: str, knobs: Mapping[str, Any]) -> BuiltinTask:
    """The rows of a task: "colour" is a kind of question in all styles, "neon" all kinds in one style.

    Raises:
        UserError: there is no such kind of question or style, or a split is to be empty.
    """
    names = [*FAMILIES, *CLIP_FAMILIES, *STYLES]
    if name not in names:
        raise UserError(
            f"there is no '{name}' among questions; kinds are {', '.join([*FAMILIES, *CLIP_FAMILIES])}, styles "
            f"{', '.join(STYLES)}.{did_you_mean(name, names)}"
        )
    sizes = sizes_of(f"questions/{name}", knobs, _SIZES)
    seed = knobs.get("seed", 0)
    asked = [name] if name not in STYLES else list(FAMILIES)
    styles = (name,) if name in STYLES else STYLES
    rows = {
        split: [
            _row(asked[row % len(asked)], row // len(asked), Draw(seed, name, split, row), styles)
            for row in range(count)
        ]
        for split, count in sizes.items()
    }
    answers = [answers for family in asked for answers in _answers(family)]
    return BuiltinTask(
        tuple(dict.fromkeys(answers)),
        {
            split: {column: [row[column] for row in records] for column in records[0]}
            for split, records in rows.items()
        },
    )


def _answers(family: str) -> tuple[str, ...]:
    return (CLIP_FAMILIES[family] if family in CLIP_FAMILIES else FAMILIES[family]).answers


def _row(family: str, turn: int, draw: Draw, styles: Sequence[str]) -> dict[str, object]:
    """A question of a family; its answers take turns."""
    from cl_core.synthetic.scenes.painter import paint

    answers = _answers(family)
    answer = answers[turn % len(answers)]
    if family in CLIP_FAMILIES:
        clip = ask_clip(family, draw, answer, styles)
        video = animation([paint(frame) for frame in clip.frames], _SECONDS / FRAMES)
        return {"video": video, "question": clip.question, "answer": answer}
    asked = ask(family, draw, answer, styles)
    return {"image": png(paint(asked.scene)), "question": asked.question, "answer": answer}
