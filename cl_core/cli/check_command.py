"""The command that reads a stream's data and says what is in them; nothing is trained."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from cl_core.cli.app import app
from cl_core.cli.options import PROTOCOLS, JsonOption, one_of
from cl_core.errors import counted

MOST_CLASSES = 20
WIDEST = 100
"""Characters of a row that the terminal shows."""


@app.command()
def check(
    stream: Annotated[str, typer.Argument(help="Name of a stream, or path of a stream file.")],
    protocol: Annotated[str | None, typer.Option(help="til, cil or dil.")] = None,
    order: Annotated[str | None, typer.Option(help="One of the stream's further orders.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read a stream's data and say what is in them: files, rows, classes, samples, faults, warnings.

    Nothing is trained. With faults the exit status is 2.

    Example: adapter-lab check reviews.yaml
    """
    from cl_core.cli.output import say, say_json
    from cl_core.tasks.stream_contents import check_source

    contents = check_source(stream, protocol=one_of("--protocol", protocol, PROTOCOLS), order=order)
    summary = contents.summary()
    if as_json:
        say_json(summary)
    else:
        if contents.name:
            say(f"{contents.name} ({contents.protocol})")
        for number, task in enumerate(summary["tasks"], 1):
            say()
            for line in _task_lines(number, task):
                say(line)
        _say_all(
            "faults", [str(fault) if fault.task else fault.message for fault in contents.faults]
        )
        _say_all("warnings", list(contents.warnings))
        if not contents.faults:
            words = ["adapter-lab", "run", "--stream", stream]
            words += [] if protocol is None else ["--protocol", protocol]
            say(f"\nnothing is wrong with it: {shlex.join(words)}")
    if contents.faults:
        raise typer.Exit(2)


def _task_lines(number: int, task: dict[str, Any]) -> list[str]:
    from cl_core.cli.output import table

    kept = " (held out)" if task["held_out"] else ""
    lines = [f"{number} {task['name']}{kept}: {task['kind']}, from {task['source']}"]
    lines += [
        f"    {split}: {counted(rows, 'row')} of {task['files'][split]}"
        for split, rows in task["rows"].items()
    ]
    if task["limits"]:
        most = ", ".join(f"{rows} {split}" for split, rows in task["limits"].items())
        lines.append(f"    of which a run gets at most {most} rows (limit)")
    lines += [f"    not used: {line}" for line in task["unused"]]
    if task["transparent"]:
        what = "video" if task["kind"] == "video-qa" else "picture"
        many = counted(task["transparent"], what)
        lines.append(f"    {many} with transparent parts, laid on {task['ground']} (ground)")
    names = task["classes"]
    if names and task["counts"]:
        head = [counted(len(names), "class"), *task["counts"]]
        rows = [
            [_line(name), *(str(counts[index]) for counts in task["counts"].values())]
            for index, name in enumerate(names[:MOST_CLASSES])
        ]
        lines += [f"    {line}" for line in table(head, rows).splitlines()]
        if len(names) > MOST_CLASSES:
            lines.append(f"    and {len(names) - MOST_CLASSES} more")
    lines += [
        f"    {_line(sample['label'])}: {_line(sample['text'])}" for sample in task["samples"]
    ]
    return lines


def _line(text: str) -> str:
    """One line of the terminal, with what it cannot show written as codes."""
    shown = "".join(
        c if c.isprintable() else " " if c.isspace() else f"\\u{ord(c):04x}" for c in text
    )
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 1]}…"


def _say_all(title: str, sentences: list[str]) -> None:
    from cl_core.cli.output import say

    if sentences:
        say(f"\n{len(sentences)} {title if len(sentences) > 1 else title[:-1]}")
        for sentence in sentences:
            say(f"  - {sentence}")
