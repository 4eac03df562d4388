"""The base of all settings: typed once, frozen, unknown keys refused.

Each part keeps its settings in a `settings.py` beside the classes that they configure. YAML files, command-line flags
and the app's forms are all made from these models, so none of these files imports torch.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
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


class Settings(BaseModel):
    """A frozen pydantic model that refuses keys it does not know, and numbers that are not finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
