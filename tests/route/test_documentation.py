"""The example in docs/routers.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from cl_core.choices import Choice
from cl_core.route import ROUTERS
from cl_core.route.settings import RouterSettings
from cl_core.route.traits import ONE_HOT, RouterTraits

PAGE = (Path(__file__).parents[2] / "docs" / "routers.md").read_text(encoding="utf-8")


def test_the_smallest_router_and_its_test_run() -> None:
    router, written, test = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {"RouterSettings": RouterSettings, "__name__": "nearest"}
    exec(compile(router, "docs/routers.md", "exec"), names)  # noqa: S102
    exec(compile(test, "docs/routers.md", "exec"), names)  # noqa: S102
    names["test_the_nearest_centroid_wins_however_small_its_angle"]()  # type: ignore[operator]
    known = {"Choice": Choice, "RouterTraits": RouterTraits, "ONE_HOT": ONE_HOT}
    row = eval(compile(written, "docs/routers.md", "eval"), known)  # noqa: S307
    assert row.target == "cl_core.route.nearest:NearestRouter"
    assert row.needs == ("features",)


def test_every_router_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in ROUTERS)
