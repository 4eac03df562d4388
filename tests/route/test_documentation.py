"""The example in docs/routers.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from cl_core.route import ROUTERS
from cl_core.route.settings import RouterSettings

PAGE = (Path(__file__).parents[2] / "docs" / "routers.md").read_text(encoding="utf-8")


def test_the_smallest_router_and_its_test_run() -> None:
    router, row, test = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {"RouterSettings": RouterSettings, "__name__": "nearest"}
    exec(compile(router, "docs/routers.md", "exec"), names)  # noqa: S102
    exec(compile(test, "docs/routers.md", "exec"), names)  # noqa: S102
    names["test_the_nearest_centroid_wins_however_small_its_angle"]()  # type: ignore[operator]
    assert "cl_core.route.nearest:NearestRouter" in row


def test_every_router_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in ROUTERS)
