"""A frozen encoder whose sites' outputs a caller may transform, one call at a time.

The hooks are registered once. What they apply is an argument of `forward`, kept for the length of that call and under
a lock: nothing is left behind for the next call, and no global says which adapter is active.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from cl_core.backbones.encoding import BackboneInput
from cl_core.backbones.fingerprint import hash_weights
from cl_core.backbones.pooling import pool
from cl_core.backbones.sites import Site

__all__ = ["Backbone", "Encoder", "MaskedBatch", "Output", "Transform"]

Transform = Callable[[Tensor], Tensor]
"""What happens to a site's output, (B, T, d) -> (B, T, d)."""


class MaskedBatch(Protocol):
    """What every batch has."""

    @property
    def attention_mask(self) -> Tensor:
        """(B, T), 1 for tokens and 0 for padding."""
        ...


B = TypeVar("B", bound=MaskedBatch)


@dataclass(frozen=True)
class Output:
    """What one forward pass gives.

    Attributes:
        last_hidden_state: (B, T, d), of the last block that ran.
        hidden_states: the embeddings, then each block's output, (B, T, d) each: L + 1 of them, or m + 1 when the
            pass stopped after block m; None unless asked for.
        attention_mask: (B, T), 1 for tokens and 0 for padding of the last hidden state.
        answer_at: (B,) places of the token at which answers are read; None where all tokens are pooled.
        encoded: (B, T', d) the encoder's last hidden state, where the last block that ran is a decoder's; else None.
    """

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attention_mask: Tensor
    answer_at: Tensor | None = None
    encoded: Tensor | None = None


@dataclass(frozen=True)
class LabelHead:
    """A head over C labels that was made from their names.

    Attributes:
        weight: (C, d) float32.
        bias: (C,) float32.
        pooling: what it reads of the last hidden states; None for whatever a run's heads read.
        zero_shot: whether it answers without any training, as the backbone was trained to.
    """

    weight: Tensor
    bias: Tensor
    pooling: str | None
    zero_shot: bool


class _StopForwardError(Exception):
    """Ends a forward pass where its result is known; never leaves this module."""

    def __init__(self, hidden: Tensor) -> None:
        super().__init__("the forward pass ended early, as asked")
        self.hidden = hidden


@dataclass
class _Call:
    """What the hooks are to do during one forward pass."""

    transforms: Mapping[str, Transform]
    stop_after: int | None
    hidden_states: list[Tensor] | None
    enter: Callable[[int, Tensor], None] | None = None


_IDLE = _Call({}, None, None)


class Encoder(nn.Module, Generic[B]):
    """A frozen encoder: always in evaluation mode, no parameter requires a gradient.

    Args:
        model: what computes.
        blocks: its L blocks, in order; the first argument of each is the (B, T, d) hidden state that enters it.
        sites: their places in `model`, each a module whose output is (B, T, d), or a tuple that begins with it.
        hidden_size: d.
        name: as the user calls it.
        revision: the pinned commit of a checkpoint from the hub, else None.
        fingerprint: SHA-256 of all that its numbers depend on; the artifacts' keys hold it.

    Attributes:
        kinds: of tasks that it can read: "text", "image", "image-qa", "video-qa".
        max_length: longer texts are cut to this many tokens; None where there is no text.
        vocabulary: the answers that a generating backbone chooses among; () for all others.
        n_blocks: L.
        sites: all 2 L sites: block0.attention, block0.ffn, block1.attention, ...
    """

    kinds: ClassVar[tuple[str, ...]]
    max_length: int | None = None
    vocabulary: tuple[str, ...] = ()

    def __init__(
        self,
        model: nn.Module,
        blocks: Sequence[nn.Module],
        sites: Sequence[Site],
        *,
        hidden_size: int,
        name: str,
        revision: str | None,
        fingerprint: str,
    ) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.revision = revision
        self.fingerprint = fingerprint
        self.hidden_size = hidden_size
        self.n_blocks = len(blocks)
        self.sites: tuple[Site, ...] = tuple(sites)
        self._site_names = frozenset(site.name for site in self.sites)
        self._call = _IDLE
        self._lock = RLock()
        for index, block in enumerate(blocks):
            block.register_forward_pre_hook(self._before_block(index))
        for site in self.sites:
            module = model.get_submodule(site.module)
            module.register_forward_hook(self._after_site(site.name))
        self.requires_grad_(False)
        self.eval()

    @abstractmethod
    def encode(self, rows: Mapping[str, Sequence[Any]]) -> BackboneInput:
        """N samples as the backbone takes them.

        Args:
            rows: their columns by name, N values each; which are read depends on the backbone's kind.
        """

    def collate(
        self, encoding: Any, indices: Sequence[int], device: torch.device | None = None
    ) -> B:
        """Rows `indices` of what the backbone has encoded, in that order, as one batch.

        Args:
            encoding: of the backbone's own kind, from `encode`.
            indices: B row numbers.
            device: where the batch goes; the backbone's device when None.

        Raises:
            ValueError: no index.
        """
        return self._collate(encoding, indices, self.device if device is None else device)

    @abstractmethod
    def _collate(self, encoding: Any, indices: Sequence[int], device: torch.device) -> B:
        """The batch, on a device."""

    @abstractmethod
    def run(self, batch: B) -> Tensor | tuple[Tensor, Tensor]:
        """The model's own pass over a batch: the (B, T, d) last hidden state; of a decoder, and its encoder's."""

    def read(self, output: Output, pooling: str) -> Tensor:
        """(B, d) what heads read of a pass: its last hidden states, pooled.

        Args:
            output: of `forward`.
            pooling: "mean", "cls" or "max"; see `pool`.
        """
        return pool(output.last_hidden_state, output.attention_mask, pooling)

    @property
    def read_size(self) -> int:
        """How many numbers `read` gives for a sample: d, unless a backbone says otherwise."""
        return self.hidden_size

    def answer_from(self, names: Sequence[str]) -> None:
        """Tells a generating backbone its vocabulary; others have none."""

    def mask_at(self, batch: B, block: int) -> Tensor:
        """(B, T) mask of the state that enters a block, 0-based; with L that of the last one."""
        return batch.attention_mask

    def answer_places(self, batch: B) -> Tensor | None:
        """(B,) places of the token at which answers are read; None where all tokens are pooled."""
        return None

    def label_head(self, names: Sequence[str]) -> LabelHead | None:
        """A frozen head that scores labels by what they are called; None where the backbone has no way to."""
        return None

    def seen(self, batch: B) -> Tensor | None:
        """(B, v) mean of what a vision encoder sees of each sample, before any projection; None for other backbones."""
        return None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def train(self, mode: bool = True) -> Encoder[B]:
        """Stays in evaluation mode whatever is asked: a frozen encoder drops nothing out."""
        super().train(False)
        return self

    def weight_hash(self) -> str:
        """SHA-256 of every weight's name, type, shape and bytes as they are now, on whichever device."""
        return hash_weights(self.model)

    def forward(
        self,
        batch: B,
        transforms: Mapping[str, Transform] | None = None,
        hidden_states: bool = False,
        stop_after: int | None = None,
        enter: Callable[[int, Tensor], None] | None = None,
    ) -> Output:
        """Encodes a batch.

        Args:
            batch: B samples of at most T tokens.
            transforms: by site name, what is applied to that site's output, (B, T, d) -> (B, T, d), before the residual
                add; sites that are not named are left as they are.
            hidden_states: whether to return every hidden state.
            stop_after: m in 0..L runs only the first m blocks; `last_hidden_state` is then hidden state m (0 is the
                embeddings). The blocks above cost nothing. None runs all.
            enter: called before each block that runs with its index and the (B, T, d) hidden state entering it, so that
                what the block's sites do may depend on that state (L2R's routers).

        Raises:
            ValueError: a transform for a site that the backbone does not have, or one that changes the shape;
                `stop_after` outside 0..L.
        """
        transforms = transforms or {}
        if not transforms.keys() <= self._site_names:
            unknown = ", ".join(sorted(transforms.keys() - self._site_names))
            raise ValueError(
                f"no such site: {unknown}; this backbone has {self.sites[0].name} to {self.sites[-1].name}"
            )
        if stop_after is not None and not 0 <= stop_after <= self.n_blocks:
            raise ValueError(f"stop_after is {stop_after}; it must be within 0..{self.n_blocks}")
        call = _Call(transforms, stop_after, [] if hidden_states else None, enter)
        with self._lock:
            before, self._call = self._call, call
            try:
                result = self.run(batch)
            except _StopForwardError as stop:
                result = stop.hidden
            finally:
                self._call = before
        last, encoded = result if isinstance(result, tuple) else (result, None)
        states = None if call.hidden_states is None else (*call.hidden_states, last)
        mask = self.mask_at(batch, self.n_blocks if stop_after is None else stop_after)
        return Output(last, states, mask, self.answer_places(batch), encoded)

    def _before_block(self, index: int) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        """A hook on what enters block `index`, which is hidden state `index` in every architecture."""

        def hook(_: nn.Module, arguments: tuple[Any, ...]) -> None:
            if self._call.stop_after == index:
                raise _StopForwardError(arguments[0])
            if self._call.hidden_states is not None:
                self._call.hidden_states.append(arguments[0])
            if self._call.enter is not None:
                self._call.enter(index, arguments[0])

        return hook

    def _after_site(self, name: str) -> Callable[[nn.Module, Any, Any], Any]:
        """A hook that replaces the site's output by its transform, where this call has one."""

        def hook(_: nn.Module, __: Any, output: Any) -> Any:
            transform = self._call.transforms.get(name)
            if transform is None:
                return None
            hidden = output[0] if isinstance(output, tuple) else output
            changed = transform(hidden)
            if changed.shape != hidden.shape:
                raise ValueError(
                    f"the transform at {name} made {tuple(changed.shape)} of {tuple(hidden.shape)}; "
                    "it must keep the shape"
                )
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        return hook


Backbone = Encoder[Any]
"""Any frozen encoder: all that training, routing and scoring need to know of one."""
