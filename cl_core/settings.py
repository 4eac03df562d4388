"""The base of all settings: typed once, frozen, unknown keys refused.

Each part keeps its settings in a `settings.py` beside the classes that they configure. YAML files, command-line flags
and the app's forms are all made from these models, so none of these files imports torch.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import ErrorDetails

from cl_core.limits import Limit


def within(limit: Limit, least: int = 1) -> Any:
    """What a whole number may be; it stands in `Annotated`.

    Args:
        limit: the most.
        least: of the number.
    """
    return Field(ge=least, le=limit.most)


def no_longer(limit: Limit, least: int = 0) -> Any:
    """How long a text or a list may be; it stands in `Annotated`.

    Args:
        limit: the most.
        least: characters or members.
    """
    return Field(min_length=least, max_length=limit.most)


def allowed(problem: ErrorDetails) -> str:
    """What pydantic found wrong with a value, in words; limits as `cl_core.limits` says them."""
    context = problem.get("ctx", {})
    match problem["type"]:
        case "less_than_equal":
            return f"at most {context['le']:,} is allowed"
        case "too_long":
            return f"at most {context['max_length']:,} are allowed"
        case "string_too_long":
            return f"at most {context['max_length']:,} characters are allowed"
        case _:
            return problem["msg"]


WRITTEN_BY_US = object()
"""The context of a validation whose values come from a model of ours: they are not searched for booleans."""


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Says in a JSON schema what its fields mean."""
    described = descriptions(model)
    for name, field in schema.get("properties", {}).items():
        if name in described:
            field["description"] = described[name]


class Settings(BaseModel):
    """A frozen pydantic model that refuses keys it does not know, and numbers that are not finite.

    What a field means is the docstring under it, see `descriptions`. pydantic would read these of every model as soon
    as it is imported, which is a third of the time in which a command begins.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=_describe
    )

    @model_validator(mode="before")
    @classmethod
    def _no_booleans_for_numbers(cls, values: Any, info: ValidationInfo) -> Any:
        """Python counts true as 1, and so does pydantic; who writes it for a number means another setting."""
        if not isinstance(values, dict) or info.context is WRITTEN_BY_US:
            return values
        wrong = {
            name: _marked(value)
            for name, value in values.items()
            if isinstance(value, bool | list | tuple) and name in _number_fields(cls)
        }
        return {**values, **wrong} if wrong else values


@cache
def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """What each field of a model means, by its name: the docstring under it; of those inherited, too.

    Args:
        model: whose source can be read; fields of another have no description.
    """
    described: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            described |= _docstrings(base)
    return described


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Of the fields that a class itself adds."""
    try:
        tree = ast.parse(dedent(inspect.getsource(model)))
    except (OSError, TypeError, SyntaxError):  # made by hand, or in a console
        return {}
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(tree.body[0].body)  # type: ignore[attr-defined]
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


@cache  # a run has thousands of events, each of such a model
def _number_fields(model: type[BaseModel]) -> frozenset[str]:
    """Names of the fields that take numbers, alone or in lists."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if _is_number(field.annotation))


def _marked(value: Any) -> Any:
    """A value whose booleans no field takes for numbers, also those in a list."""
    if isinstance(value, list | tuple):
        return tuple(map(_marked, value))
    return _Boolean(value) if isinstance(value, bool) else value


class _Boolean:
    """What no field takes for a number, so that its own refusal names the field."""

    def __init__(self, value: bool) -> None:
        self._value = value

    def __repr__(self) -> str:
        return str(self._value).lower()


def _is_number(annotation: Any) -> bool:
    """Whether a field takes numbers and neither booleans nor whatever comes."""
    kinds = list(_kinds(annotation))  # of which constraints may have no hash
    return any(kind in (int, float) for kind in kinds) and not any(
        kind in (bool, object, Any) for kind in kinds
    )


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)
