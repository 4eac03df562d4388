"""Headers of a request: those that it came with, and those by which the gate says who sends it."""

from __future__ import annotations

from starlette.types import Scope

from app.serving.visitors import Visitor

ROLE_HEADER, NAME_HEADER = "x-adapter-lab-role", "x-adapter-lab-visitor"


def marked(scope: Scope, visitor: Visitor) -> Scope:
    """The request as it goes on: with who sends it, whatever it said of that itself."""
    ours = {ROLE_HEADER.encode(): visitor.role, NAME_HEADER.encode(): visitor.name}
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in ours]
    said = [(name, value.encode()) for name, value in ours.items()]
    return {**scope, "headers": [*kept, *said]}


def headers_of(scope: Scope, name: str) -> list[str]:
    """Every value that a request gives a header."""
    wanted = name.encode()
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]


def header_of(scope: Scope, name: str) -> str:
    """All of them as one; "" where there is none."""
    return "; ".join(headers_of(scope, name))
