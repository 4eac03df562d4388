"""learn: to be built."""

from __future__ import annotations

from app import frame

view = frame.draw("learn")
