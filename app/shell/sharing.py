"""What pages offer to whom: guests what they may do. That they do no more, `app.serving` sees to."""

from __future__ import annotations

from app.serving import rights


def is_guest() -> bool:
    """Whether this visitor may look, and change nothing."""
    return rights.role() == "guest"
