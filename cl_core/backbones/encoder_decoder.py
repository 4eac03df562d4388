"""Encoder-decoders of `transformers` that answer by generating: BART.

The encoder reads the text, and what is seen, as a `TextBackbone` does. The decoder reads a tree of all answers
(`answer_tree.py`) and so scores each of them in one pass; without a vocabulary it reads its first tokens alone, and
heads read the mean of their states. Adapters have sites in the blocks of both: the decoder's follow the encoder's. A
decoder's attention site is its self-attention, as AdapterHub has it. Shapes: B samples, T tokens, N nodes of the tree,
d hidden size, C answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl_core.backbones.answer_tree import AnswerTree
from cl_core.backbones.encoder import LabelHead, Output
from cl_core.backbones.pooling import pool
from cl_core.backbones.sites import Architecture
from cl_core.backbones.text import TextBackbone

GENERATORS: dict[str, Architecture] = {
    row.model_type: row
    for row in (
        Architecture(
            "bart",
            "BART",
            "encoder.layers",
            "self_attn.out_proj",
            "fc2",
            decoder="decoder.layers",
        ),
    )
}
"""Encoder-decoders by the `model_type` of their checkpoints."""


class GenerativeBackbone(TextBackbone):
    """A frozen encoder-decoder.

    Args:
        model: encoder and decoder, as `transformers.AutoModelForSeq2SeqLM(...).model`.
        tokenizer: its fast tokenizer.
        words: the linear layer that scores tokens.
        bias: (V,) or (1, V), added to the scores.
        name: as the user calls it.
        revision: the pinned commit of a checkpoint from the hub, else None.
        fingerprint: SHA-256 of weights, configuration and tokenizer.
        max_length: longer texts are cut to this many tokens.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        words: nn.Module,
        bias: Tensor,
        *,
        name: str,
        revision: str | None,
        fingerprint: str,
        max_length: int,
    ) -> None:
        config: Any = model.config
        super().__init__(
            model,
            tokenizer,
            name=name,
            revision=revision,
            fingerprint=fingerprint,
            max_length=max_length,
            row=GENERATORS[str(config.model_type)],
        )
        words.requires_grad_(False)
        self.words = words
        self.register_buffer("word_bias", bias.detach().flatten())
        encoder: Any = model.get_submodule("encoder")
        self.encoder_blocks = len(encoder.layers)
        # What precedes an answer in training: <s> a </s>, shifted right behind the decoder's own start.
        self._start = [int(config.decoder_start_token_id), int(config.bos_token_id)]
        self._end = int(config.eos_token_id)
        self._tree = self._tree_of(())

    def answer_from(self, names: Sequence[str]) -> None:
        """Answers are generated from this vocabulary from now on; without names there is none."""
        self.vocabulary = tuple(names)
        self._tree = self._tree_of(self.vocabulary)

    def _tree_of(self, names: Sequence[str]) -> AnswerTree:
        tokens = []
        if names:
            tokens = self.tokenizer(list(names), add_special_tokens=False)["input_ids"]
        return AnswerTree.of(tokens, self._start, self._end)

    @property
    def read_size(self) -> int:
        """C where answers are generated, else d."""
        return len(self.vocabulary) or self.hidden_size

    def run_embedded(
        self, states: Tensor, mask: Tensor, types: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The decoder's (B, N, d) last hidden states at the nodes of the tree, and the encoder's (B, T, d)."""
        model: Any = self.model
        encoded: Tensor = model.encoder(inputs_embeds=states, attention_mask=mask).last_hidden_state
        decoder, tree = model.decoder, self._tree.to(encoded.device)
        hidden = decoder.embed_tokens(tree.tokens) + nn.functional.embedding(
            tree.depth + decoder.embed_positions.offset, decoder.embed_positions.weight
        )
        hidden = decoder.layernorm_embedding(hidden).expand(len(encoded), -1, -1)
        self_mask = _additive(tree.sees, hidden.dtype).expand(len(encoded), 1, -1, -1)
        across = _additive(mask.bool().unsqueeze(1), hidden.dtype)
        across = across.expand(-1, -1, hidden.shape[1], -1)
        for layer in decoder.layers:
            hidden = layer(
                hidden, self_mask, encoded, encoder_attention_mask=across, use_cache=False
            )
        return hidden, encoded

    def run(self, batch: Any) -> tuple[Tensor, Tensor]:
        """The decoder's and the encoder's last hidden states."""
        model: Any = self.model
        words = model.get_input_embeddings()(batch.input_ids)
        return self.run_embedded(words, batch.attention_mask, None)

    def mask_at(self, batch: Any, block: int) -> Tensor:
        """The mask of the state that enters a block: that of the text, or of the tree, which has no padding."""
        mask: Tensor = batch.attention_mask
        if block < self.encoder_blocks:
            return mask
        return mask.new_ones(len(mask), len(self._tree.tokens))

    def read(self, output: Output, pooling: str) -> Tensor:
        """(B, C) log-probabilities of the answers; (B, d) pooled states of the decoder without a vocabulary."""
        if not self.vocabulary:
            return pool(output.last_hidden_state, output.attention_mask, pooling)
        words: Any = self.words
        tree = self._tree.to(output.last_hidden_state.device)
        return tree.score(output.last_hidden_state, words.weight, self.get_buffer("word_bias"))

    def label_head(self, names: Sequence[str]) -> LabelHead | None:
        """Picks the log-probabilities of some answers; None without a vocabulary."""
        if not set(names) <= set(self.vocabulary):
            return None
        weight = torch.zeros(len(names), len(self.vocabulary))
        for row, name in enumerate(names):
            weight[row, self.vocabulary.index(name)] = 1.0
        weight = weight.to(self.device)
        return LabelHead(weight, weight.new_zeros(len(names)), None, zero_shot=True)


def _additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """(..., 1, N, M) of a boolean mask: 0 where it is allowed to look, the least number elsewhere."""
    least = torch.finfo(dtype).min
    return (
        torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
        .masked_fill(~allowed, least)
        .unsqueeze(-3)
    )
