"""A frozen text encoder whose sites' outputs a caller may transform, one call at a time.

The hooks are registered once. What they apply is an argument of `forward`, kept for the length of that call and under
a lock: nothing is left behind for the next call, and no global says which adapter is active.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

import torch
from torch import Tensor, nn

from cl_core.backbones.encoding import Batch, Encoding, pad_batch
from cl_core.backbones.fingerprint import hash_weights
from cl_core.backbones.sites import Site, architecture, sites_of
from cl_core.errors import AdapterLabError, UserError

__all__ = ["Batch", "Encoding", "Output", "TextBackbone", "Transform"]

Transform = Callable[[Tensor], Tensor]
"""What happens to a site's output, (B, T, d) -> (B, T, d)."""


@dataclass(frozen=True)
class Output:
    """What one forward pass gives.

    Attributes:
        last_hidden_state: (B, T, d), of the last block that ran.
        hidden_states: the embeddings, then each block's output, (B, T, d) each: L + 1 of them, or m + 1 when the
            pass stopped after block m; None unless asked for.
        attention_mask: (B, T), as in the batch.
    """

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None
    attention_mask: Tensor


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


class TextBackbone(nn.Module):
    """A frozen encoder: always in evaluation mode, no parameter requires a gradient.

    Args:
        model: what `transformers.AutoModel` makes of a supported architecture.
        tokenizer: its fast tokenizer.
        name: as the user calls it.
        revision: the pinned commit of a checkpoint from the hub, else None.
        fingerprint: SHA-256 of weights, configuration and tokenizer; the artifacts' keys hold it.
        max_length: longer texts are cut to this many tokens, special tokens included.

    Attributes:
        model_type: the architecture's name in transformers, "bert".
        hidden_size: d.
        n_blocks: L.
        sites: all 2 L sites: block0.attention, block0.ffn, block1.attention, ...

    Raises:
        UserError: an unsupported architecture.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        *,
        name: str,
        revision: str | None,
        fingerprint: str,
        max_length: int,
    ) -> None:
        super().__init__()
        config: Any = model.config
        row = architecture(config.model_type)
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.model_type = str(config.model_type)
        self.revision = revision
        self.fingerprint = fingerprint
        self.max_length = max_length
        self.hidden_size = int(config.hidden_size)
        blocks = list(model.get_submodule(row.blocks).children())
        self.n_blocks = len(blocks)
        self.sites: tuple[Site, ...] = sites_of(row.model_type, self.n_blocks)
        self._site_names = frozenset(site.name for site in self.sites)
        self._takes_types = int(getattr(config, "type_vocab_size", 0) or 0) > 1
        self._call = _IDLE
        self._lock = RLock()
        for index, block in enumerate(blocks):
            block.register_forward_pre_hook(self._before_block(index))
        for site in self.sites:
            module = model.get_submodule(site.module)
            if not isinstance(module, nn.Linear) or module.out_features != self.hidden_size:
                raise AdapterLabError(
                    f"site {site.name}: '{site.module}' is {module}, not a linear layer with {self.hidden_size} "
                    f"outputs; the row '{row.model_type}' in cl_core/backbones/sites.py does not fit this transformers"
                )
            module.register_forward_hook(self._after_site(site.name))
        self.requires_grad_(False)
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def train(self, mode: bool = True) -> TextBackbone:
        """Stays in evaluation mode whatever is asked: a frozen encoder drops nothing out."""
        super().train(False)
        return self

    def weight_hash(self) -> str:
        """SHA-256 of every weight's name, type, shape and bytes as they are now, on whichever device."""
        return hash_weights(self.model)

    def tokenize(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Encoding:
        """Turns N texts (or pairs of texts) into token ids, without padding.

        Raises:
            UserError: `pairs` has another length than `texts`.
        """
        if pairs is not None and len(pairs) != len(texts):
            raise UserError(
                f"there are {len(texts)} texts but {len(pairs)} second texts; give one for each"
            )
        if len(texts) == 0:
            return Encoding.from_lists([], [] if self._takes_types else None, self._pad_id)
        found = self.tokenizer(
            list(texts),
            None if pairs is None else list(pairs),
            truncation=True,
            max_length=self.max_length,
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=self._takes_types,
        )
        types = found["token_type_ids"] if self._takes_types else None
        return Encoding.from_lists(found["input_ids"], types, self._pad_id)

    def collate(
        self, encoding: Encoding, indices: Sequence[int], device: torch.device | None = None
    ) -> Batch:
        """Rows `indices` of the encoding in that order, padded to the longest of them.

        Args:
            encoding: from `tokenize`.
            indices: B row numbers.
            device: where the batch goes; the backbone's device when None.
        """
        return pad_batch(encoding, indices, self.device if device is None else device)

    def forward(
        self,
        batch: Batch,
        transforms: Mapping[str, Transform] | None = None,
        hidden_states: bool = False,
        stop_after: int | None = None,
        enter: Callable[[int, Tensor], None] | None = None,
    ) -> Output:
        """Encodes a batch.

        Args:
            batch: B texts of at most T tokens.
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
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if self._takes_types and batch.token_type_ids is not None:
            inputs["token_type_ids"] = batch.token_type_ids
        call = _Call(transforms, stop_after, [] if hidden_states else None, enter)
        with self._lock:
            before, self._call = self._call, call
            try:
                last: Tensor = self.model(**inputs).last_hidden_state
            except _StopForwardError as stop:
                last = stop.hidden
            finally:
                self._call = before
        states = None if call.hidden_states is None else (*call.hidden_states, last)
        return Output(last, states, batch.attention_mask)

    @property
    def _pad_id(self) -> int:
        return int(self.tokenizer.pad_token_id)

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

    def _after_site(self, name: str) -> Callable[[nn.Module, Any, Tensor], Tensor | None]:
        """A hook that replaces the site's output by its transform, where this call has one."""

        def hook(_: nn.Module, __: Any, output: Tensor) -> Tensor | None:
            transform = self._call.transforms.get(name)
            if transform is None:
                return None
            changed = transform(output)
            if changed.shape != output.shape:
                raise ValueError(
                    f"the transform at {name} made {tuple(changed.shape)} of {tuple(output.shape)}; "
                    "it must keep the shape"
                )
            return changed

        return hook
