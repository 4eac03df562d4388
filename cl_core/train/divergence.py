"""Training that left the finite numbers: what is said of it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from cl_core.errors import UserError
from cl_core.train.settings import TrainSettings


@dataclass(frozen=True)
class DivergenceReport:
    """What a training is called, and the settings that keep it in check.

    Attributes:
        name: of the task, with the phase where there are several; "" where nobody named it.
        rate: the setting that is its learning rate.
        usual: what that setting is by default.
        strengths: settings that weigh a part of the loss, with what they are now.
    """

    name: str = ""
    rate: str = "learning_rate"
    usual: float = TrainSettings().learning_rate
    strengths: tuple[tuple[str, float], ...] = ()

    def diverged(
        self, what: str, value: float | None, epoch: int, settings: TrainSettings
    ) -> UserError:
        """The error for a training that diverged.

        Args:
            what: the first thing that was found not to be finite ("training loss").
            value: what it is; None where it is many numbers.
            epoch: 1-based.
            settings: trained with.
        """
        shown = "no longer finite" if value is None else f"{value}"
        return UserError(
            f"training{self._of} diverged: the {what} {'are' if value is None else 'is'} {shown} in epoch {epoch}. "
            f"{self._remedies(settings)}"
        )

    def never_finite(self, value: float) -> UserError:
        """The error for a training whose loss was not finite before anything had been learnt.

        Args:
            value: what the loss was.
        """
        return UserError(
            f"training{self._of} cannot begin: the validation loss is {value} before anything is learnt, so the frozen "
            "backbone, or what training starts from, gives numbers that are not finite. Try --set dtype=float32, or "
            "another backbone"
        )

    @property
    def _of(self) -> str:
        return f" of '{self.name}'" if self.name else ""

    def _remedies(self, settings: TrainSettings) -> str:
        now = settings.learning_rate
        lower = self.usual if now > 10 * self.usual else now / 10
        said = [f"Lower the learning rate (now {now:g}), for example --set {self.rate}={lower:g}"]
        said += [
            f"lower {setting} (now {value:g}), for example --set {setting}={value / 10:g}"
            for setting, value in self.strengths
            if value > 0
        ]
        if settings.clip is None:
            said.append("limit the gradients, for example --set clip=1")
        if settings.weight_decay * now > 1:
            said.append(f"lower weight_decay (now {settings.weight_decay:g})")
        return "; or ".join(said)


UNNAMED = DivergenceReport()
"""Of a training that nobody named."""


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether every number in some tensors is finite; whole numbers always are."""
    return all(
        bool(tensor.isfinite().all()) for tensor in tensors if tensor.dtype.is_floating_point
    )
