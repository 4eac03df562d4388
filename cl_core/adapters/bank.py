"""The bank: the adapters of K tasks, one contiguous tensor per kind of weight and site.

At a site, `down[s]` is a contiguous (K, r, d): as (K, r*d) it is the matrix whose rows the routing
weights mix, as (K*r, d) it is the K down-projections under one another. Nothing is stacked again in
a forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.projection import Projection
from cl_core.adapters.settings import Activation


@dataclass(frozen=True)
class Bank:
    """K adapters with the same sites, width and activation.

    Attributes:
        down: D, (S, K, r, d).
        down_bias: a, (S, K, r).
        up: U transposed, (S, K, r, d).
        up_bias: b, (S, K, d).
        site_names: S names.
        activation: phi.
        projection: the K projections, where the backbone sees pictures or videos; else None.
    """

    down: Tensor
    down_bias: Tensor
    up: Tensor
    up_bias: Tensor
    site_names: tuple[str, ...]
    activation: Activation = "relu"
    projection: Projection | None = None

    @classmethod
    def stack(cls, adapters: Sequence[Adapter]) -> Bank:
        """The bank of these adapters, in their order; differentiable in them.

        Raises:
            ValueError: there are none, or they differ in sites, shape or activation.
        """
        if not adapters:
            raise ValueError("a bank needs at least one adapter")
        first = adapters[0]
        for index, adapter in enumerate(adapters):
            _check_same_form(first, adapter, index)
        return cls(
            down=torch.stack([adapter.down for adapter in adapters], dim=1),
            down_bias=torch.stack([adapter.down_bias for adapter in adapters], dim=1),
            up=torch.stack([adapter.up for adapter in adapters], dim=1),
            up_bias=torch.stack([adapter.up_bias for adapter in adapters], dim=1),
            site_names=first.site_names,
            activation=first.activation,
            projection=Projection.stack([adapter.projection for adapter in adapters]),
        )

    @classmethod
    def empty(cls) -> Bank:
        """The bank of no adapter, at no site."""
        weight, bias = torch.empty(0, 0, 0, 0), torch.empty(0, 0, 0)
        return cls(weight, bias, weight, bias, ())

    def first(self, count: int) -> Bank:
        """The bank of the first adapters."""
        return Bank.stack([self.adapter(k) for k in range(count)])

    def append(self, adapter: Adapter) -> Bank:
        """A new bank with this adapter at its end; this one stays as it is.

        Raises:
            ValueError: the adapter differs in sites, shape or activation.
        """
        _check_same_form(self.adapter(0), adapter, len(self))
        new = Bank.stack([adapter.to(self.device)])
        pairs = zip(self.parameters(), new.parameters(), strict=True)
        return self.with_parameters([torch.cat(pair, dim=1) for pair in pairs])

    def __len__(self) -> int:
        return self.down.shape[1]

    def adapter(self, k: int) -> Adapter:
        """Adapter k, as a view of the bank's memory."""
        down, down_bias, up, up_bias = (tensor[:, k] for tensor in self.stacks())
        projection = (
            None if self.projection is None else self.projection.changed(lambda tensor: tensor[k])
        )
        return Adapter(down, down_bias, up, up_bias, self.site_names, self.activation, projection)

    def stacks(self) -> list[Tensor]:
        """The four tensors whose first axis is the site and whose second is the adapter."""
        return [self.down, self.down_bias, self.up, self.up_bias]

    def parameters(self) -> list[Tensor]:
        """All tensors as (S, K, ...): the four, and the projections' with S = 1."""
        more = [] if self.projection is None else self.projection.parameters()
        return [*self.stacks(), *(tensor.unsqueeze(0) for tensor in more)]

    def with_parameters(self, tensors: Sequence[Tensor]) -> Bank:
        """The bank of other tensors, listed as `parameters` lists them."""
        down, down_bias, up, up_bias, *more = tensors
        projection = Projection(more[0][0], more[1][0]) if more else None
        return replace(
            self, down=down, down_bias=down_bias, up=up, up_bias=up_bias, projection=projection
        )

    @property
    def device(self) -> torch.device:
        """Where the bank lies."""
        return self.down.device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' precision."""
        return self.down.dtype

    @property
    def width(self) -> int:
        """The bottleneck width r."""
        return self.down.shape[2]

    def to(self, device: torch.device) -> Bank:
        """The same bank on another device."""
        return self.with_parameters([tensor.to(device) for tensor in self.parameters()])


def _check_same_form(first: Adapter, other: Adapter, index: int) -> None:
    """Names what differs between adapter `index` and the first."""
    forms = {
        "sites": (first.site_names, other.site_names),
        "shape (S, r, d)": (tuple(first.down.shape), tuple(other.down.shape)),
        "activation": (first.activation, other.activation),
        "visual projection": (_projection_shape(first), _projection_shape(other)),
    }
    for what, (wanted, actual) in forms.items():
        if wanted != actual:
            raise ValueError(
                f"adapter {index} does not fit the bank: its {what} is {actual}, not {wanted}"
            )


def _projection_shape(adapter: Adapter) -> tuple[int, ...] | None:
    return None if adapter.projection is None else tuple(adapter.projection.weight.shape)
