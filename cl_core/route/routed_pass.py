"""One forward pass with routers inside it: each block's adapters are composed as its router says.

L2R, arXiv 2408.09053. What a block's router sees depends on what the routers below it chose, so there are no weights
before the pass. Shapes: B samples, T tokens, d hidden size, K adapters, R blocks with adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from cl_core.adapters.adapter import Transform
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.compose.project import project
from cl_core.adapters.projection import VISUAL, Projection
from cl_core.backbones.batching import length_batches
from cl_core.backbones.encoder import Backbone, MaskedBatch, Output
from cl_core.backbones.encoding import BackboneInput
from cl_core.backbones.inference import Inference
from cl_core.route.gates import gate_weights, logistic_noise
from cl_core.route.network import RouterNetwork


def bank_of_block(bank: Bank, block: int) -> Bank:
    """The bank's adapters at the sites of one block, as a view of its memory.

    Raises:
        ValueError: the bank has no site there, or they do not lie side by side.
    """
    places = [i for i, name in enumerate(bank.site_names) if name.startswith(f"block{block}.")]
    if not places or places != list(range(places[0], places[-1] + 1)):
        raise ValueError(f"block {block} has sites {places} of {bank.site_names}; they must adjoin")
    here = slice(places[0], places[-1] + 1)
    down, down_bias, up, up_bias = (tensor[here] for tensor in bank.stacks())
    return Bank(down, down_bias, up, up_bias, bank.site_names[here], bank.activation)


@dataclass(frozen=True)
class RoutedBank:
    """A bank, taken apart by block once, for as many passes as are made with it.

    Attributes:
        parts: of each adapted block, ascending.
        projection: the K visual projections, where there is something to see.
    """

    parts: tuple[Bank, ...]
    projection: Projection | None = None

    @classmethod
    def of(cls, bank: Bank, network: RouterNetwork) -> RoutedBank:
        """The bank's parts at the network's blocks.

        Raises:
            ValueError: the network does not fit the bank: other blocks, another number of adapters, or projections
                that it has no router for.
        """
        if (bank.projection is None) != (network.visual is None):
            raise ValueError(
                "the bank and the routers must both have visual projections, or neither"
            )
        if network.weight.shape[1] != len(bank):
            raise ValueError(
                f"the routers weigh {network.weight.shape[1]} adapters, but the bank has {len(bank)}"
            )
        parts = tuple(bank_of_block(bank, block) for block in network.blocks)
        if sum(len(part.site_names) for part in parts) != len(bank.site_names):
            raise ValueError(f"blocks {network.blocks} are not all of {bank.site_names}")
        return cls(parts, bank.projection)


@dataclass
class RoutedPass:
    """One forward pass of the backbone, with what its routers choose on the way.

    `enter` and `transforms` are handed to the backbone together; what `enter` composes at a block, the block's
    sites apply. Used for one pass, then read.

    Attributes:
        bank: by block.
        network: the routers, on the same device.
        mask_at: from a block to the (B, T) mask of the state that enters it.
        how: the composition.
        noise: whether the gates get noise, from torch's global generator: in training.
        seen: (B, v) mean of what is seen, where there is something to see.
    """

    bank: RoutedBank
    network: RouterNetwork
    mask_at: Callable[[int], Tensor]
    how: str = "average"
    noise: bool = False
    seen: Tensor | None = None
    _alphas: list[Tensor] = field(default_factory=list, init=False)
    _soft: list[Tensor] = field(default_factory=list, init=False)
    _now: dict[str, Transform] = field(default_factory=dict, init=False)

    def enter(self, block: int, hidden: Tensor) -> None:
        """Routes the samples at a block by the (B, T, d) hidden state that enters it."""
        if block not in self.network.blocks:
            return
        network, index = self.network, self.network.blocks.index(block)
        # Logits, gates and merged biases in float32, whatever autocast makes of the rest.
        with torch.autocast(hidden.device.type, enabled=False):
            alpha = self._weigh(network.logits(index, hidden, self.mask_at(block)))
            self._now = compose(self.bank.parts[index], alpha, self.how)

    def look(self, projections: Projection, features: Tensor) -> Tensor:
        """Projects what is seen, (B, F, v) to (B, F, d), by weights that the mean of it decides."""
        if self.seen is None:
            raise ValueError("there is something to see, and its mean was not given")
        with torch.autocast(features.device.type, enabled=False):
            alpha = self._weigh(self.network.visual_logits(self.seen))
            return project(projections, alpha)(features)

    def _weigh(self, z: Tensor) -> Tensor:
        """(B, K) weights of logits, noted in the order of the routers."""
        noise = logistic_noise(z.detach()) if self.noise else None
        alpha, soft = gate_weights(z, self.network.gate, self.network.temperature, noise)
        self._alphas.append(alpha)
        self._soft.append(soft)
        return alpha

    @property
    def transforms(self) -> dict[str, Transform]:
        """By site name, what the adapters do there: whatever the block's router chose when it was entered."""

        def apply(name: str, h: Tensor) -> Tensor:
            return self._now[name](h)

        names = [name for part in self.bank.parts for name in part.site_names]
        by_site: dict[str, Transform] = {name: partial(apply, name) for name in names}
        if self.bank.projection is not None:
            by_site[VISUAL] = partial(self.look, self.bank.projection)
        return by_site

    def run(self, backbone: Backbone, batch: MaskedBatch) -> Output:
        """The backbone's pass over the batch whose mask this is."""
        output: Output = backbone(batch, self.transforms, enter=self.enter)
        return output

    @property
    def alphas(self) -> Tensor:
        """(B, R, K) weights that the adapters got: of the projections, where there are any, then block by block."""
        return torch.stack(self._alphas, dim=1)

    @property
    def mean_weights(self) -> Tensor:
        """(B, K) the mean over routers, soft where the gate is hard: p(x) for heads and records **(ours)**."""
        return torch.stack(self._soft, dim=1).mean(dim=1)


@torch.no_grad()
def routed_states(
    backbone: Backbone,
    encoding: BackboneInput,
    rows: Sequence[int],
    bank: Bank,
    network: RouterNetwork,
    how: str,
    inference: Inference,
) -> tuple[Tensor, Tensor, Tensor]:
    """Runs the backbone with the adapters composed by the routers, without noise.

    Args:
        backbone: frozen.
        encoding: tokenised rows.
        rows: n positions in `encoding`.
        bank: K adapters, on the device.
        network: the routers, on the device.
        how: name of the composition.
        inference: pooling, batch size, device and progress.

    Returns:
        On the CPU in float32, in the order of `rows`: (n, d) pooled last hidden states, (n, R, K) weights that the
        adapters got (see `RoutedPass.alphas`), and (n, K) weights that the heads get.
    """
    where, parts = inference.device.torch_device, RoutedBank.of(bank, network)
    states = torch.empty(len(rows), backbone.read_size, device=where)
    per_block = torch.empty(len(rows), network.routers, len(bank), device=where)
    weights = torch.empty(len(rows), len(bank), device=where)
    lengths, done = [encoding.lengths[row] for row in rows], 0
    for positions in length_batches(lengths, inference.batch_size):
        batch = backbone.collate(encoding, [rows[i] for i in positions], where)
        seen = backbone.seen(batch)
        routed = RoutedPass(parts, network, partial(backbone.mask_at, batch), how, seen=seen)
        with inference.device.autocast():
            output = routed.run(backbone, batch)
        here = torch.as_tensor(positions, device=where)
        states[here] = backbone.read(output, inference.pooling).float()
        per_block[here], weights[here] = routed.alphas.float(), routed.mean_weights.float()
        done += len(positions)
        inference.progress(done, len(rows))
    return states.cpu(), per_block.cpu(), weights.cpu()
