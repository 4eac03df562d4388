"""The streams of scenes, and the rows of their tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cl_core.errors import UserError, did_you_mean
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import png
from cl_core.synthetic.scenes.figures import THINGS
from cl_core.synthetic.scenes.scene import STYLES, draw_scene
from cl_core.tasks.builtin import BUILTIN_STREAMS, BuiltinSource, BuiltinTask, sizes_of
from cl_core.tasks.spec import StreamSpec, TaskSpec

TASK_KNOBS: dict[str, type] = {"seed": int, "train": int, "validation": int, "test": int}
STREAM_KNOBS: dict[str, type] = TASK_KNOBS
_THINGS, _AT_A_TIME = tuple(THINGS), 2


def stream(source: BuiltinSource) -> StreamSpec:
    """ "scenes": what is to be seen, one drawing style a task. "scenes-cil": two new things a task, in all styles."""
    cil = source.name == "scenes-cil"
    groups = [
        "+".join(_THINGS[begin : begin + _AT_A_TIME])
        for begin in range(0, len(_THINGS), _AT_A_TIME)
    ]
    return StreamSpec(
        name=source.name,
        title=BUILTIN_STREAMS[source.name],
        protocol="cil" if cil else "dil",
        tasks=tuple(
            TaskSpec(
                name=name, kind="image", builtin=str(BuiltinSource(f"scenes/{name}", source.knobs))
            )
            for name in (groups if cil else STYLES)
        ),
    )


def task(name: str, knobs: Mapping[str, Any]) -> BuiltinTask:
    """The pictures of a task: "neon" is all things in one style, "house+tree" two things in all styles.

    Raises:
        UserError: there is no such style or thing, or a split is to be empty.
    """
    asked = name.split("+")
    allowed = STYLES if len(asked) == 1 and asked[0] not in THINGS else _THINGS
    if unknown := [part for part in asked if part not in allowed]:
        raise UserError(
            f"there is no '{unknown[0]}' among scenes; styles are {', '.join(STYLES)}, things {', '.join(_THINGS)}."
            f"{did_you_mean(unknown[0], (*STYLES, *_THINGS))}"
        )
    by_style = allowed is STYLES
    things: Sequence[str] = _THINGS if by_style else asked
    styles: Sequence[str] = asked if by_style else STYLES
    sizes = sizes_of(f"scenes/{name}", knobs, {"train": 240, "validation": 60, "test": 120})
    seed = knobs.get("seed", 0)
    return BuiltinTask.labelled(
        tuple(things),
        "image",
        {
            split: [
                (
                    _picture(Draw(seed, name, split, row), things[row % len(things)], styles),
                    row % len(things),
                )
                for row in range(count)
            ]
            for split, count in sizes.items()
        },
    )


def _picture(draw: Draw, thing: str, styles: Sequence[str]) -> bytes:
    from cl_core.synthetic.scenes.painter import paint

    return png(paint(draw_scene(draw, 1, styles, [thing], sizes=("huge",))))
