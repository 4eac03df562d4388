"""Modules of the core, the app and its pages: no circles, one name for one idea, no crowded folder."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANY = 20
"""Python files that may lie beside each other; whoever looks for something reads their names."""
SHARED = {"__init__", "settings", "traits"}
"""Base names that mean the same in every folder that has one."""


def files(*folders: str) -> list[Path]:
    """Python files of some folders and of those within them."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def module(path: Path) -> str:
    """The dotted name by which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str, modules: Mapping[str, Path]) -> Iterator[str]:
    """Those of the modules that a source imports, wherever in it: within functions and for type checking as well.

    `from package import module` imports the module, and of the package no name.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from [one for one in (name, node.module) if one in modules][:1]


def imports(paths: list[Path]) -> dict[str, set[str]]:
    """By module, those of the others that it imports."""
    modules = {module(path): path for path in paths}
    return {
        name: set(imported(path.read_text(encoding="utf-8"), modules)) - {name}
        for name, path in modules.items()
    }


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that import one another in turn, the first once more at the end; none where no two do."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = imports(files("cl_core", "app", "pages"))
    assert sum(map(len, graph.values())) > 1000  # the reading of imports works
    assert circle(graph) == []


def test_a_circle_for_type_checking_or_within_a_function_counts() -> None:
    modules = {"a.b": Path(), "a.c": Path(), "a": Path()}
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.c import C\n"
    within = "def f():\n    from a import b\n"
    graph = {"a.b": set(imported(for_types, modules)), "a.c": set(imported(within, modules))}
    assert graph == {"a.b": {"a.c"}, "a.c": {"a.b"}}
    assert set(circle(graph)) == {"a.b", "a.c"}


def test_a_base_name_occurs_once() -> None:
    """Pages are named by their address, and so are left out."""
    places = defaultdict(list)
    for path in files("cl_core", "app"):
        places[path.stem].append(str(path.relative_to(ROOT)))
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in SHARED} == {}


def test_a_class_of_the_core_has_a_name_of_its_own() -> None:
    places = defaultdict(list)
    for path in files("cl_core"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_folder_is_crowded() -> None:
    counts: dict[str, int] = defaultdict(int)
    for path in files("cl_core", "app", "pages", "tests", "benchmarks", "pretraining"):
        if path.stem != "__init__":
            counts[str(path.parent.relative_to(ROOT))] += 1
    assert {folder: count for folder, count in counts.items() if count > MANY} == {}
