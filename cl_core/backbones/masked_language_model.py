"""Answers read at a [MASK]: the head of a masked language model, as FrozenBiLM and DAM use it.

    logit_a = g(h_mask) . e_a + b_a        g: the head's own transform
                                           e_a, b_a: means over the answer's tokens of the decoder's rows and biases

DAM (arXiv 2403.08755) builds on FrozenBiLM (Yang et al. 2022), whose language model is frozen, head included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cl_core.errors import UserError

Parts = tuple[list[nn.Module], nn.Module, Tensor]
"""What follows the trunk before scores are taken, the module whose weight (V, d) scores tokens, and its biases (V,)."""


class MaskedHead(nn.Module):
    """The frozen head of a masked language model.

    Args:
        parts: see `Parts`.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        steps, self.words, bias = parts
        self.transform = nn.Sequential(*steps)
        self.register_buffer("bias", bias.detach())

    def forward(self, hidden: Tensor) -> Tensor:
        """g: (..., d) hidden states at a [MASK] to (..., d)."""
        changed: Tensor = self.transform(hidden)
        return changed

    def embeddings(self, answers: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """e (C, d) and b (C,), in float32, of answers given as token ids.

        Raises:
            UserError: an answer without tokens.
        """
        if any(not tokens for tokens in answers):
            raise UserError("an answer has no tokens; it cannot be scored")
        scores: Any = self.words.weight
        ids = [torch.tensor(list(tokens), device=scores.device) for tokens in answers]
        rows = torch.stack([scores[tokens].float().mean(dim=0) for tokens in ids])
        biases = torch.stack([self.get_buffer("bias")[tokens].float().mean() for tokens in ids])
        return rows.detach(), biases.detach()


def _bert(model: Any) -> Parts:
    head = model.cls.predictions
    return [head.transform], head.decoder, head.decoder.bias


def _roberta(model: Any) -> Parts:
    head = model.lm_head
    return [head.dense, nn.GELU(), head.layer_norm], head.decoder, head.decoder.bias


def _deberta(model: Any) -> Parts:
    if hasattr(model, "cls"):
        return _bert(model)
    head = model.lm_predictions.lm_head  # of Microsoft's own checkpoints
    steps = [head.dense, head.transform_act_fn, head.LayerNorm]
    return steps, model.deberta.embeddings.word_embeddings, head.bias


def _distilbert(model: Any) -> Parts:
    steps = [model.vocab_transform, model.activation, model.vocab_layer_norm]
    return steps, model.vocab_projector, model.vocab_projector.bias


def _modernbert(model: Any) -> Parts:
    return [model.head], model.decoder, model.decoder.bias


MASKED: dict[str, Callable[[Any], Parts]] = {
    "bert": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "deberta-v2": _deberta,
    "distilbert": _distilbert,
    "modernbert": _modernbert,
}
"""Architecture -> what to take from the model that `AutoModelForMaskedLM` makes."""


def masked_head(model: Any, model_type: str, name: str) -> MaskedHead:
    """The head of a masked language model.

    Raises:
        UserError: an architecture whose head is not known here.
    """
    if model_type not in MASKED:
        raise UserError(
            f"backbone '{name}' is of architecture '{model_type}', whose masked-language-model head is not known here; "
            f"known are {', '.join(MASKED)}"
        )
    return MaskedHead(MASKED[model_type](model))
