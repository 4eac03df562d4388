"""Forward passes of a run's frozen backbone, each over all samples: what its settings say of them is said once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from cl_core.adapters.adapter import Adapter, Transform, transforms
from cl_core.adapters.bank import Bank
from cl_core.adapters.compose import compose
from cl_core.adapters.fusion import FusionWeights
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoding import BackboneInput
from cl_core.backbones.features import extract_features
from cl_core.backbones.inference import Inference, Progress, silent
from cl_core.device import Device
from cl_core.evaluate.states import states_under
from cl_core.recipes.settings import RunSettings
from cl_core.route.network import RouterNetwork
from cl_core.route.routed_pass import routed_states


@dataclass(frozen=True)
class RoutedStates:
    """What a network of routers made of N samples.

    Attributes:
        states: (N, d) pooled last hidden states.
        per_block: (N, blocks, K) weights of each adapted block.
        weights: (N, K) what the heads see: the mean over blocks.
    """

    states: Tensor
    per_block: Tensor
    weights: Tensor


@dataclass(frozen=True)
class ForwardPasses:
    """A frozen backbone as a run reads it.

    Each method takes N encoded samples and returns (N, d) float32 on the CPU, in their order: the pooled last hidden
    states that heads read, unless it says otherwise.

    Attributes:
        backbone: frozen.
        settings: layers, poolings and batch sizes.
        device: where, and in which precision.
        progress: called after each batch with (samples done, samples in all); what it raises ends the pass.
    """

    backbone: Backbone
    settings: RunSettings
    device: Device
    progress: Progress = silent

    def features(self, encoding: BackboneInput) -> Tensor:
        """Router embeddings: an inner layer of the backbone without adapters (DAM).

        (N, v + d) where the backbone sees; `parts` may leave out one of the two.
        """
        router = self.settings.router
        return extract_features(
            self.backbone,
            encoding,
            layer=router.layer,
            pooling=router.pooling,
            batch_size=self.settings.evaluate.eval_batch_size,
            autocast=self.device.autocast,
            progress=self.progress,
            parts=router.parts,
        )

    def bare(self, encoding: BackboneInput, pooling: str) -> Tensor:
        """States of the backbone without adapters."""
        return self._under(encoding, lambda batch: {}, pooling)

    def adapter(self, encoding: BackboneInput, adapter: Adapter) -> Tensor:
        """States under one adapter, the same for all samples."""
        return self._under(encoding, lambda batch: transforms(adapter))

    def fused(self, encoding: BackboneInput, bank: Bank, fusion: FusionWeights) -> Tensor:
        """States under a fusion of the bank's adapters."""
        return self._under(encoding, lambda batch: fusion.transforms(bank))

    def composed(
        self,
        encoding: BackboneInput,
        bank: Bank,
        weights: Tensor,
        how: str,
        fishers: Bank | None = None,
        rows: Sequence[int] | None = None,
    ) -> Tensor:
        """States under adapters that are composed for each sample by its own weights.

        Args:
            encoding: the samples.
            bank: K adapters, on the device.
            weights: (n, K), row i for `rows[i]`.
            how: name of the composition.
            fishers: of the K adapters, for compositions that weigh by them.
            rows: n positions among the samples; None for all.
        """
        weights, settings = weights.to(self.device.torch_device), self.settings.merging

        def composed(batch: list[int]) -> Mapping[str, Transform]:
            # The weights travel with their samples: row by row the same positions as the batch.
            return compose(bank, weights[batch], how, settings=settings, fishers=fishers)

        return self._under(encoding, composed, rows=rows)

    def routed(
        self, encoding: BackboneInput, bank: Bank, network: RouterNetwork, how: str
    ) -> RoutedStates:
        """States under adapters that L2R's routers weigh block by block, and these weights."""
        states, per_block, weights = routed_states(
            self.backbone,
            encoding,
            range(len(encoding)),
            bank,
            network,
            how,
            self._inference(),
        )
        return RoutedStates(states, per_block, weights)

    def _under(
        self,
        encoding: BackboneInput,
        make_transforms: Callable[[list[int]], Mapping[str, Transform]],
        pooling: str | None = None,
        rows: Sequence[int] | None = None,
    ) -> Tensor:
        return states_under(
            self.backbone,
            encoding,
            range(len(encoding)) if rows is None else rows,
            make_transforms,
            self._inference(pooling),
        )

    def _inference(self, pooling: str | None = None) -> Inference:
        return Inference(
            pooling or self.settings.train.head_pooling,
            self.settings.evaluate.eval_batch_size,
            self.device,
            self.progress,
        )
