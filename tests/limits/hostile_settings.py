"""Settings that ask for much, each of every recipe, within 1 GiB: `python -m tests.limits.hostile_settings`.

Prints JSON: by setting, what was said of a thousand million and of a thousand million times that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from cl_core.errors import UserError
from cl_core.recipes.named import RECIPES
from cl_core.recipes.settings import GROUPS, flat_names, make_settings
from tests.limits.hostile_inputs import allow

LARGE = (10**9, 10**18, -(10**18))
LONG: dict[str, object] = {"text": "a" * 10**6, "names": ["a"] * 10**5, "numbers": [1.0] * 10**5}


def said(name: str, value: object) -> list[str]:
    """What the recipes say of a setting: once, where all say the same."""
    answers = []
    for recipe in RECIPES.values():
        try:
            make_settings(recipe.settings, {name: value})
            answers.append("taken")
        except UserError as error:
            answers.append(f"refused: {error.args[0].splitlines()[1].strip(' -')}")
    return list(dict.fromkeys(answers))


def schema(name: str) -> Iterator[dict[str, object]]:
    """What a setting may be, one kind after the other, as JSON schema."""
    group, field = flat_names()[name]
    whole = GROUPS[group].model_json_schema()["properties"][field]
    yield from whole.get("anyOf", [whole])


def kinds(name: str) -> set[str]:
    """Of what is long, what a setting may be."""
    types = {kind["type"] for kind in schema(name) if "enum" not in kind}
    lists = {"numbers" if name == "weights" else "names"} if "array" in types else set()
    return lists | ({"text"} if "string" in types else set())


def main() -> None:
    """Asks for all of them."""
    allow(2**30)
    answers = {
        name: {str(value): said(name, value) for value in LARGE}
        | {kind: said(name, value) for kind, value in LONG.items() if kind in kinds(name)}
        for name in flat_names()
    }
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
