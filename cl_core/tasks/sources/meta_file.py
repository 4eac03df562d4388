"""A folder's meta.json: the names of its classes, or why it names none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cl_core.bounded_files import read_json
from cl_core.errors import cut
from cl_core.limits import TooLarge
from cl_core.tasks.raw_rows import Fault
from cl_core.tasks.sources.file_text import mend_halves
from cl_core.tasks.spec import TaskSpec


def read_meta(
    folder: Path, spec: TaskSpec, source: str
) -> tuple[tuple[str, ...] | None, list[Fault], list[str]]:
    """`label_names` of a meta.json among the data, if there is one, and what is said where it has none."""
    file = folder / "meta.json"
    if not file.is_file():
        return None, [], []
    problem = None
    names = None
    unread: list[str] = []
    try:
        held = read_json(file)
    except (OSError, TooLarge) as error:
        problem = f"cannot be read ({error}); mend it or remove it"
    except ValueError as error:
        problem = f"not valid JSON ({error}); mend it or remove it"
    else:
        if isinstance(held, dict):
            names = held.get("label_names")
            problem = None if names is None else _names_problem(names)
            if names is None:
                unread = [f"{source}/meta.json: has no label_names{_other_names(held)}"]
        else:
            kind = "a list" if isinstance(held, list) else "a single value"
            problem = f"it must be a mapping with label_names, and is {kind}; mend it or remove it"
    if problem:
        return None, [Fault(spec.name, None, problem, f"{source}/meta.json")], []
    if names is None:
        return None, [], unread
    return tuple(str(mend_halves(name)) for name in names), [], []


def meta_beside(file: Path, source: str) -> list[str]:
    """That a meta.json beside a file names classes, which is read of a folder alone."""
    try:
        held = read_json(file.parent / "meta.json")
    except (OSError, ValueError, TooLarge):
        return []
    if not isinstance(held, dict) or not isinstance(held.get("label_names"), list):
        return []
    return [
        f"meta.json: lies beside {source} and is not read, for a file is named and not its folder; give the folder as "
        "path, or its names as label_names"
    ]


def _names_problem(names: object) -> str | None:
    """What is wrong with a meta.json's `label_names`: each is the one name of one number."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return "label_names must be a list of names"
    if not all(name.strip() for name in names):
        return "label_names has an empty name"
    twice = next((name for name in names if names.count(name) > 1), None)
    return (
        None
        if twice is None
        else f"label_names lists '{cut(twice)}' twice; give each class one name"
    )


def _other_names(held: Mapping[str, object]) -> str:
    """What may be meant as the names of classes, where `label_names` is not there."""
    other = next((key for key in held if "label" in key or "class" in key or "name" in key), None)
    return "" if other is None else f", but {cut(other)}, which is not read"
