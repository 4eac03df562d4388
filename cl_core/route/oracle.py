"""The oracle: every sample gets the adapter of its own task."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import one_hot

from cl_core.errors import UserError
from cl_core.route.counting_router import CountingRouter
from cl_core.route.router import Routing


class OracleRouter(CountingRouter):
    """p_t = 1 for the true task. The setting where the task id is given (TIL), and elsewhere an
    upper bound.

    Reads no settings.
    """

    def route(self, features: Tensor | None, task: Tensor | None = None) -> Routing:
        """Returns one-hot scores and weights, (N, K), on the device of `task`.

        Raises:
            ValueError: no task ids.
            UserError: a sample of a task that has no adapter yet.
        """
        if task is None:
            raise ValueError("the oracle router needs the task ids (N,); found None")
        if len(task) and int(task.max()) >= self.n_tasks:
            raise UserError(
                f"the oracle router was asked for the adapter of task {int(task.max()) + 1}, but "
                f"only {self.n_tasks} have been learnt; evaluate unseen tasks with another router"
            )
        weights = one_hot(task.long(), self.n_tasks).float()
        return Routing(weights, weights)
