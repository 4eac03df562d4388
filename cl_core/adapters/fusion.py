"""AdapterFusion: every token asks, site by site, which of K frozen adapters it wants to hear.

    u_i  = U_i phi(D_i h + a_i) + b_i                         what adapter i would add
    beta = softmax_i( (W_q a + b_q) . (W_k u_i + b_k) )       a: the normalised h; no 1/sqrt(d)
    h'   = h + sum_i beta_i W_v u_i

Pfeiffer et al. 2021 (arXiv 2005.00247); I2I (arXiv 2304.02168), phase 1. Computed here re-associated and factored:
with g_i = phi(D_i h + a_i) and v = W_k^T (W_q a + b_q),

    logits_i = g_i . (U_i^T v) + v . b_i + const              the constant is the same for all i
    h'       = h + W_v ( sum_i U_i (beta_i g_i) + sum_i beta_i b_i )

so that keys and values of K adapters are never projected and no (B, T, K, d) tensor exists. Shapes: B samples, T
tokens, d hidden size, K adapters, r width, S sites.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cl_core.adapters.adapter import Transform
from cl_core.adapters.bank import Bank
from cl_core.adapters.bottleneck import ACTIVATIONS, add_residual
from cl_core.adapters.heads import Head
from cl_core.adapters.precision import in_precision
from cl_core.adapters.projection import VISUAL, Projection

INITIAL_STD = 0.02
NAMES = ("query", "query_bias", "key", "key_bias", "value")


@dataclass(frozen=True)
class Fusion:
    """The attention over adapters at every site.

    Attributes:
        query: W_q, (S, d, d).
        query_bias: b_q, (S, d).
        key: W_k, (S, d, d).
        key_bias: b_k, (S, d). It moves every logit of a token alike, so no result depends on it; it is here because
            the published parameter count has it.
        value: W_v, (S, d, d), without a bias.
        site_names: S names.
    """

    query: Tensor
    query_bias: Tensor
    key: Tensor
    key_bias: Tensor
    value: Tensor
    site_names: tuple[str, ...]

    @classmethod
    def initialise(
        cls, site_names: Sequence[str], hidden_size: int, generator: torch.Generator
    ) -> Fusion:
        """W_q, W_k ~ N(0, 0.02^2), biases 0, W_v the identity (I2I, arXiv 2304.02168).

        Args:
            site_names: of the adapters.
            hidden_size: d.
            generator: a CPU generator; the same state gives the same bytes.
        """
        sites, size = len(site_names), hidden_size
        query, key = (
            torch.empty(sites, size, size).normal_(0.0, INITIAL_STD, generator=generator)
            for _ in range(2)
        )
        value = torch.eye(size).repeat(sites, 1, 1)
        zeros = torch.zeros(sites, size)
        return cls(query, zeros, key, zeros.clone(), value, tuple(site_names))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], site_names: Sequence[str]) -> Fusion:
        """The inverse of `tensors`; other names are ignored."""
        query, query_bias, key, key_bias, value = (tensors[f"fusion.{name}"] for name in NAMES)
        return cls(query, query_bias, key, key_bias, value, tuple(site_names))

    def parameters(self) -> list[Tensor]:
        """The five tensors."""
        return [self.query, self.query_bias, self.key, self.key_bias, self.value]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        return {
            f"fusion.{name}": tensor for name, tensor in zip(NAMES, self.parameters(), strict=True)
        }

    def clone(self) -> Fusion:
        """A copy that shares no memory and needs no gradient."""
        return self._with(tensor.detach().clone() for tensor in self.parameters())

    def to(self, device: torch.device) -> Fusion:
        """The same fusion on another device."""
        return self._with(tensor.to(device) for tensor in self.parameters())

    def _with(self, tensors: Iterable[Tensor]) -> Fusion:
        query, query_bias, key, key_bias, value = tensors
        return Fusion(query, query_bias, key, key_bias, value, self.site_names)


@dataclass(frozen=True)
class FusionWeights:
    """A fusion, the head above it and, where there is something to see, the task's visual projection.

    They are trained as one: the interface of `Weights`.
    """

    fusion: Fusion
    head: Head
    projection: Projection | None = None

    def parameters(self) -> list[Tensor]:
        """What moves in training."""
        seen = [] if self.projection is None else self.projection.parameters()
        return [*self.fusion.parameters(), *self.head.parameters(), *seen]

    def tensors(self) -> dict[str, Tensor]:
        """Named tensors for a safetensors file."""
        seen = {} if self.projection is None else self.projection.tensors()
        return {**self.fusion.tensors(), **self.head.tensors(), **seen}

    def transforms(self, bank: Bank) -> dict[str, Transform]:
        """What the fusion of the bank's adapters does at each site, and the projection at its own."""
        fused = fuse(bank, self.fusion)
        return fused if self.projection is None else fused | {VISUAL: self.projection.apply}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], site_names: Sequence[str]
    ) -> FusionWeights:
        """The inverse of `tensors`."""
        fusion = Fusion.from_tensors(tensors, site_names)
        return cls(fusion, Head.from_tensors(tensors), Projection.from_tensors(tensors))

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights in place."""
        with torch.no_grad():
            for name, mine in self.tensors().items():
                mine.copy_(tensors[name])

    def clone(self) -> FusionWeights:
        """A copy that shares no memory."""
        seen = None if self.projection is None else self.projection.clone()
        return FusionWeights(self.fusion.clone(), self.head.clone(), seen)

    def to(self, device: torch.device) -> FusionWeights:
        """The same weights on another device."""
        seen = None if self.projection is None else self.projection.to(device)
        return FusionWeights(self.fusion.to(device), self.head.to(device), seen)


def fuse(bank: Bank, fusion: Fusion) -> dict[str, Transform]:
    """Fuses the bank's adapters, token by token.

    With W_q = 0 and b_q = 0 every beta is 1/K: the plain mean of the adapters' outputs.

    Args:
        bank: K adapters, frozen; gradients flow to the fusion and to h.
        fusion: of the same sites and hidden size, on the same device.

    Returns:
        For each site name, a function (B, T, d) -> (B, T, d).

    Raises:
        ValueError: the fusion belongs to other sites or to another hidden size.
    """
    if bank.site_names != fusion.site_names or fusion.value.shape[-1] != bank.down.shape[-1]:
        raise ValueError(
            f"the fusion has sites {fusion.site_names} of size {fusion.value.shape[-1]}, the bank "
            f"{bank.site_names} of size {bank.down.shape[-1]}"
        )

    def at_site(bottlenecks: Sequence[Tensor], attention: Sequence[Tensor]) -> Transform:
        down, down_bias, up, up_bias = bottlenecks
        query, query_bias, key, value = attention
        down, up, down_bias = down.flatten(0, 1), up.flatten(0, 1), down_bias.flatten()  # (K r, d)

        def transform(h: Tensor) -> Tensor:
            hidden = ACTIVATIONS[bank.activation](F.linear(h, down, down_bias))
            asked = F.linear(F.layer_norm(h, h.shape[-1:]), query, query_bias)
            asked = torch.matmul(asked, key)  # v = W_k^T q
            by_adapter = hidden.view(*h.shape[:-1], len(bank), -1)  # (B, T, K, r)
            heard = F.linear(asked, up).view_as(by_adapter)
            logits = (by_adapter * heard).sum(dim=-1) + F.linear(asked, up_bias)
            # At least float32: attention over nearly equal adapters loses its differences in half precision.
            wide = torch.promote_types(logits.dtype, torch.float32)
            beta = torch.softmax(logits.to(wide), dim=-1).to(hidden.dtype)
            mixed = torch.matmul((by_adapter * beta.unsqueeze(-1)).flatten(-2), up)
            mixed = mixed + torch.matmul(beta, up_bias)
            return add_residual(h, F.linear(mixed, value))

        return in_precision(bank.dtype, transform)

    # `unbind`, not an index for each site: the gradient of an index is a whole stack of zeros.
    used = [*bank.stacks(), fusion.query, fusion.query_bias, fusion.key, fusion.value]
    parts = zip(*(tensor.unbind(0) for tensor in used), strict=True)
    return {
        name: at_site(part[:4], part[4:]) for name, part in zip(bank.site_names, parts, strict=True)
    }


def identity_penalty(fusion: Fusion) -> Tensor:
    """sum over sites of ||I - W_v||_F^2, in float32; times `fusion_regulariser` it joins the loss."""
    identity = torch.eye(fusion.value.shape[-1], device=fusion.value.device)
    return (fusion.value - identity).square().sum()


def fusion_parameter_count(hidden_size: int, sites: int = 1) -> int:
    """Trainable numbers of a fusion: 3 d^2 + 2 d at each site (1,771,008 at d = 768).

    >>> fusion_parameter_count(hidden_size=768, sites=12)
    21252096
    """
    return sites * (3 * hidden_size**2 + 2 * hidden_size)
