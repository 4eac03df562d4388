"""One task's adapter: its bottlenecks over all sites, as four stacked tensors.

Shapes: S sites, r bottleneck width, d hidden size. Stacked, an adapter is four parameters for the
optimiser and four tensors in a file, whatever the depth of the backbone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from cl_core.adapters.bottleneck import bottleneck, draw, parameter_count
from cl_core.adapters.precision import in_precision
from cl_core.adapters.projection import VISUAL, Projection
from cl_core.adapters.settings import Activation, AdapterSettings
from cl_core.errors import UserError

Transform = Callable[[Tensor], Tensor]
"""What happens to a site's output, (B, T, d) -> (B, T, d); at `VISUAL`, to visual features, (B, F, v) -> (B, F, d)."""

NAMES = ("down", "down_bias", "up", "up_bias")


class SiteLike(Protocol):
    """A place in a backbone where a bottleneck attaches; backbones have their own class for it."""

    @property
    def name(self) -> str:
        """Unique in the backbone, "block3.ffn"."""
        ...

    @property
    def block(self) -> int:
        """Its block, 0 nearest the input."""
        ...

    @property
    def sublayer(self) -> str:
        """ "attention" or "ffn"."""
        ...


AnySite = TypeVar("AnySite", bound=SiteLike)


@dataclass(frozen=True)
class Adapter:
    """The bottlenecks of one task at all its sites.

    Attributes:
        down: D, (S, r, d).
        down_bias: a, (S, r).
        up: U transposed, (S, r, d).
        up_bias: b, (S, d).
        site_names: S names, in the order of the tensors' first axis.
        activation: phi.
        projection: Psi, where the backbone sees pictures or videos; else None.
    """

    down: Tensor
    down_bias: Tensor
    up: Tensor
    up_bias: Tensor
    site_names: tuple[str, ...]
    activation: Activation = "relu"
    projection: Projection | None = None

    def __post_init__(self) -> None:
        sites, width, hidden_size = self.down.shape
        wanted = {
            "down_bias": (sites, width),
            "up": (sites, width, hidden_size),
            "up_bias": (sites, hidden_size),
        }
        for name, shape in wanted.items():
            actual = tuple(getattr(self, name).shape)
            if actual != shape:
                raise ValueError(f"{name} is {actual}; down makes it {shape}")
        if len(self.site_names) != sites:
            raise ValueError(f"{sites} bottlenecks, but {len(self.site_names)} site names")

    @property
    def width(self) -> int:
        """The bottleneck width r."""
        return self.down.shape[1]

    @property
    def hidden_size(self) -> int:
        """The backbone's hidden size d."""
        return self.down.shape[2]

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        sites = parameter_count(self.hidden_size, self.width, len(self.site_names))
        return sites + sum(tensor.numel() for tensor in self._projection())

    def stacks(self) -> list[Tensor]:
        """The four tensors whose first axis is the site."""
        return [self.down, self.down_bias, self.up, self.up_bias]

    def parameters(self) -> list[Tensor]:
        """The four tensors and the projection's, for an optimiser."""
        return [*self.stacks(), *self._projection()]

    def _projection(self) -> list[Tensor]:
        return [] if self.projection is None else self.projection.parameters()

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file: "adapter.down" and so on."""
        named = {f"adapter.{name}": getattr(self, name) for name in NAMES}
        return named if self.projection is None else named | self.projection.tensors()

    @classmethod
    def from_tensors(
        cls,
        tensors: Mapping[str, Tensor],
        site_names: Sequence[str],
        activation: Activation = "relu",
    ) -> Adapter:
        """The inverse of `tensors`; other names are ignored."""
        down, down_bias, up, up_bias = (tensors[f"adapter.{name}"] for name in NAMES)
        projection = Projection.from_tensors(tensors)
        return cls(down, down_bias, up, up_bias, tuple(site_names), activation, projection)

    @classmethod
    def initialise(
        cls,
        settings: AdapterSettings,
        sites: Sequence[SiteLike],
        hidden_size: int,
        generator: torch.Generator,
    ) -> Adapter:
        """A fresh adapter in float32 on the CPU, without a projection; the same generator state gives the same bytes.

        Args:
            settings: shape, places and initialisation.
            sites: the backbone's; those that `select_sites` picks among them get a bottleneck.
            hidden_size: d.
            generator: a CPU generator.

        Raises:
            UserError: `settings` do not fit the backbone.
        """
        chosen = select_sites(sites, settings)
        count, width, kind = len(chosen), settings.width(hidden_size), settings.init
        return cls(
            down=draw(kind, (count, width, hidden_size), bias=False, generator=generator),
            down_bias=draw(kind, (count, width), bias=True, generator=generator),
            up=draw(kind, (count, width, hidden_size), bias=False, generator=generator),
            up_bias=draw(kind, (count, hidden_size), bias=True, generator=generator),
            site_names=tuple(site.name for site in chosen),
            activation=settings.activation,
        )

    def clone(self) -> Adapter:
        """A copy, byte for byte, that shares no memory and needs no gradient."""
        return self._changed(lambda tensor: tensor.detach().clone())

    def to(self, device: torch.device) -> Adapter:
        """The same adapter on another device."""
        return self._changed(lambda tensor: tensor.to(device))

    def _changed(self, change: Transform) -> Adapter:
        return replace(
            self,
            down=change(self.down),
            down_bias=change(self.down_bias),
            up=change(self.up),
            up_bias=change(self.up_bias),
            projection=None if self.projection is None else self.projection.changed(change),
        )


def select_sites(sites: Sequence[AnySite], settings: AdapterSettings) -> tuple[AnySite, ...]:
    """The sites that get a bottleneck, in the backbone's order.

    Raises:
        UserError: more blocks are asked for than the backbone has.
    """
    depth = 1 + max((site.block for site in sites), default=-1)
    if settings.blocks is not None and settings.blocks > depth:
        raise UserError(
            f"adapters in the upper {settings.blocks} blocks were asked for, but the backbone has "
            f"{depth}; set blocks to 1..{depth}, or leave it out to adapt all"
        )
    lowest = 0 if settings.blocks is None else depth - settings.blocks
    return tuple(
        site
        for site in sites
        if site.block >= lowest and (settings.sites == "houlsby" or site.sublayer == "ffn")
    )


def transforms(adapter: Adapter, dropout: float = 0.0) -> dict[str, Transform]:
    """What one adapter does at each of its sites, by site name; call it once per forward pass.

    The stacked tensors are taken apart here, once, so that the backward pass puts their gradients
    together once.

    Args:
        adapter: on the device of the states.
        dropout: probability of dropping a hidden unit, drawn from torch's global generator;
            0 outside training.
    """
    kind, dtype = adapter.activation, adapter.down.dtype
    unstacked = zip(*(tensor.unbind(0) for tensor in adapter.stacks()), strict=True)

    def at_site(down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Transform:
        return in_precision(
            dtype, lambda h: bottleneck(h, down, down_bias, up, up_bias, kind, dropout)
        )

    by_site = {
        name: at_site(*parts) for name, parts in zip(adapter.site_names, unstacked, strict=True)
    }
    return by_site if adapter.projection is None else by_site | {VISUAL: adapter.projection.apply}
