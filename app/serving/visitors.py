"""Visitors as the gate knows them: the host has the host's key, guests have typed the code; a sealed cookie says which.

Where somebody comes from says nothing: behind a proxy or a tunnel everybody comes from this machine.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

Role = Literal["host", "guest"]
ROLES: tuple[Role, ...] = ("host", "guest")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of codes: none that is read as another."""
CODE_LENGTH = 8
"""39 bits: at one wrong code a minute from each of 1,000 machines, a thousand years."""


@dataclass(frozen=True)
class Visitor:
    """One browser.

    Attributes:
        role: what it may do.
        name: random; tells guests from one another.
    """

    role: Role
    name: str


class Seal:
    """Makes cookies that nobody else can make; those of another server are none of this one's."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def admit(self, role: Role) -> str:
        """The value of a new visitor's cookie."""
        said = f"{role}.{secrets.token_hex(8)}"
        return f"{said}.{self._sign(said)}"

    def visitor(self, value: str) -> Visitor | None:
        """Whose cookie this is; None where it is not one of ours."""
        said, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(said).encode()):
            return None
        name = said.partition(".")[2]
        return next((Visitor(role, name) for role in ROLES if said == f"{role}.{name}"), None)

    def _sign(self, said: str) -> str:
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()


def new_code() -> str:
    """What guests type."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def new_key() -> str:
    """What makes the host."""
    return secrets.token_urlsafe(32)


def same(said: str, secret: str) -> bool:
    """Whether it is the secret, in a time that says nothing of it."""
    return bool(secret) and hmac.compare_digest(said.encode(), secret.encode())
