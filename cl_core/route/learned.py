"""L2R's place among the routers: its weights are made inside the forward pass."""

from __future__ import annotations

from torch import Tensor

from cl_core.route.counting_router import CountingRouter
from cl_core.route.router import Routing


class LearnedRouter(CountingRouter):
    """L2R (arXiv 2408.09053): a network of routers, one in each adapted block.

    Each reads the state that enters its block, which depends on what the blocks below chose, so there are no weights
    before the forward pass: `routed_pass.py` makes them, `train/routers.py` trains the routers. Here tasks are counted.
    """

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Raises `ValueError`: see the class."""
        raise ValueError(
            "learned routers choose inside the forward pass; use cl_core.route.routed_pass.routed_states"
        )
