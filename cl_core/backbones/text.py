"""A frozen text encoder: tokens in, hidden states out; see `encoder.py` for its sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl_core.backbones.encoder import Encoder, LabelHead, Output, Transform
from cl_core.backbones.encoding import Batch, Encoding, pad_batch
from cl_core.backbones.masked_language_model import MaskedHead
from cl_core.backbones.sites import Architecture, architecture, sites_at
from cl_core.errors import AdapterLabError, UserError

__all__ = ["Batch", "Encoding", "Output", "TextBackbone", "Transform"]


class TextBackbone(Encoder[Batch]):
    """A text encoder of `transformers`, frozen.

    Args:
        model: what `transformers.AutoModel` makes of a supported architecture.
        tokenizer: its fast tokenizer.
        name: as the user calls it.
        revision: the pinned commit of a checkpoint from the hub, else None.
        fingerprint: SHA-256 of weights, configuration and tokenizer; the artifacts' keys hold it.
        max_length: longer texts are cut to this many tokens, special tokens included.
        masked: the model's own masked-language-model head, where answers are read at a [MASK]; else None.
        masked_suffix: what follows a text then, with "[MASK]" in it.
        row: where the model keeps what we need; by default the architecture's row in `ARCHITECTURES`.

    Attributes:
        model_type: the architecture's name in transformers, "bert".
        row: where the model keeps what we need.

    Raises:
        UserError: an unsupported architecture.
    """

    kinds = ("text",)

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        *,
        name: str,
        revision: str | None,
        fingerprint: str,
        max_length: int,
        masked: MaskedHead | None = None,
        masked_suffix: str = "[MASK]",
        row: Architecture | None = None,
    ) -> None:
        config: Any = model.config
        row = row or architecture(config.model_type)
        size = int(config.hidden_size)
        encoder = list(model.get_submodule(row.blocks).children())
        decoder = list(model.get_submodule(row.decoder).children()) if row.decoder else []
        blocks, sites = encoder + decoder, sites_at(row, len(encoder), len(decoder))
        for site in sites:
            module = model.get_submodule(site.module)
            if not isinstance(module, nn.Linear) or module.out_features != size:
                raise AdapterLabError(
                    f"site {site.name}: '{site.module}' is {module}, not a linear layer with {size} "
                    f"outputs; the row '{row.model_type}' in cl_core/backbones/sites.py does not fit this transformers"
                )
        super().__init__(
            model,
            blocks,
            sites,
            hidden_size=size,
            name=name,
            revision=revision,
            fingerprint=fingerprint,
        )
        self.row = row
        self.blocks = tuple(blocks)
        self.tokenizer = tokenizer
        self.masked = masked
        if masked is not None:
            masked.requires_grad_(False)
            masked.eval()
            if tokenizer.mask_token is None or "[MASK]" not in masked_suffix:
                raise UserError(
                    f"backbone '{name}' is to answer at a [MASK]: its tokenizer must have such a token, and "
                    f"masked_suffix hold it; it is '{masked_suffix}'"
                )
        self._suffix = masked_suffix.replace("[MASK]", str(tokenizer.mask_token))
        self.model_type = str(config.model_type)
        self.max_length = max_length
        self._takes_types = int(getattr(config, "type_vocab_size", 0) or 0) > 1

    def encode(self, rows: Mapping[str, Sequence[Any]]) -> Encoding:
        """The texts of the column `text`, with those of `text_pair` where there is one."""
        pairs = list(rows["text_pair"]) if "text_pair" in rows else None
        return self.tokenize(list(rows["text"]), pairs)

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
        first, second, cut = list(texts), None if pairs is None else list(pairs), True
        if self.masked is not None:
            # The suffix is a second text, so that cutting a long first one leaves the [MASK] where it is.
            first = (
                first
                if second is None
                else [f"{a} {b}" for a, b in zip(first, second, strict=True)]
            )
            second = [self._suffix] * len(first)
        encoded = self.tokenizer(
            first,
            second,
            truncation="only_first" if self.masked is not None else cut,
            max_length=self.max_length,
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=self._takes_types,
        )
        types = encoded["token_type_ids"] if self._takes_types else None
        return Encoding.from_lists(encoded["input_ids"], types, self._pad_id)

    def _collate(self, encoding: Encoding, indices: Sequence[int], device: torch.device) -> Batch:
        return pad_batch(encoding, indices, device)

    def run_embedded(
        self, states: Tensor, mask: Tensor, types: Tensor | None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """As `run`, from word embeddings.

        Args:
            states: (B, T, d) in the place of word embeddings.
            mask: (B, T).
            types: (B, T), where the model has token types.
        """
        inputs = {"inputs_embeds": states, "attention_mask": mask}
        if types is not None:
            inputs["token_type_ids"] = types
        last: Tensor = self.model(**inputs).last_hidden_state
        return last

    def run(self, batch: Batch) -> Tensor | tuple[Tensor, Tensor]:
        """The (B, T, d) last hidden state."""
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if self._takes_types and batch.token_type_ids is not None:
            inputs["token_type_ids"] = batch.token_type_ids
        last: Tensor = self.model(**inputs).last_hidden_state
        return last

    def answer_places(self, batch: Batch) -> Tensor | None:
        """(B,) places of each text's [MASK], where answers are read there."""
        if self.masked is None:
            return None
        # The last one: a text may hold the token as well.
        is_mask = (batch.input_ids == int(self.tokenizer.mask_token_id)).long()
        return batch.input_ids.shape[1] - 1 - is_mask.flip(1).argmax(dim=1)

    def read(self, output: Output, pooling: str) -> Tensor:
        """(B, d) what heads read: g of the state at the [MASK] where there is one, else the pooled states."""
        if self.masked is None or output.answer_at is None:
            return super().read(output, pooling)
        rows = torch.arange(len(output.answer_at), device=output.answer_at.device)
        read: Tensor = self.masked(output.last_hidden_state[rows, output.answer_at])
        return read

    @torch.no_grad()
    def label_head(self, names: Sequence[str]) -> LabelHead | None:
        """Scores labels by what they are called.

        With a masked-language-model head by its own token scores (DAM). Without one by the pooled states of the names
        themselves, each at length 1 **(ours)**.
        """
        if self.masked is not None:
            tokens = self.tokenizer(list(names), add_special_tokens=False)["input_ids"]
            return LabelHead(*self.masked.embeddings(tokens), None, zero_shot=True)
        encoding = self.tokenize(list(names))
        output = self(self.collate(encoding, range(len(names))))
        states = self.read(output, "mean").float()
        weight = torch.nn.functional.normalize(states, dim=1)
        return LabelHead(weight, weight.new_zeros(len(names)), None, zero_shot=False)

    @property
    def _pad_id(self) -> int:
        return int(self.tokenizer.pad_token_id)
