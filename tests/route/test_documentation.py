"""docs/routers.md names what there is."""

from __future__ import annotations

from pathlib import Path

from cl_core.route import ROUTERS

PAGE = (Path(__file__).parents[2] / "docs" / "routers.md").read_text(encoding="utf-8")


def test_every_router_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in ROUTERS)
