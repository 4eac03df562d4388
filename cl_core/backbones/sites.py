"""Adapter sites by architecture: where in a block a bottleneck attaches.

A site is the output of attention's output projection ("attention") or of the FFN's second layer
("ffn"), each before the residual add and LayerNorm (DAM, arXiv 2403.08755; Houlsby et al., arXiv
1902.00751). Dropout between the projection and the residual add is off, as the backbone is never in training mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cl_core.choices import NamedRows
from cl_core.errors import UserError, did_you_mean

Sublayer = Literal["attention", "ffn"]


@dataclass(frozen=True)
class Site:
    """One place in a backbone where a bottleneck attaches.

    Attributes:
        name: unique in the backbone, "block3.attention" or "block3.ffn".
        block: its block, 0 nearest the input.
        sublayer: after attention or after the FFN.
        module: dotted path of the linear layer whose output the bottleneck transforms.
    """

    name: str
    block: int
    sublayer: Sublayer
    module: str


@dataclass(frozen=True)
class Architecture:
    """One row of the table: where a model of `transformers` keeps what we need.

    Attributes:
        model_type: as in the checkpoint's config.json.
        title: the name that people use.
        blocks: path of the list of blocks in the model that `AutoModel` makes.
        attention: in a block, path of attention's output projection.
        ffn: in a block, path of the FFN's second layer.
        kernel: attention implementation; "eager" where the model has no other.
        has_pooler: whether the model can be built without its pooler, which we never read.
        reserved_positions: positions of its position table that no token can have.
        decoder: path of the list of a decoder's blocks, whose sites have the same paths; "" without a decoder.
    """

    model_type: str
    title: str
    blocks: str
    attention: str
    ffn: str
    kernel: Literal["sdpa", "eager"] = "sdpa"
    has_pooler: bool = False
    reserved_positions: int = 0
    decoder: str = ""

    @property
    def name(self) -> str:
        """What the table lists it by: `model_type`."""
        return self.model_type


_BERT = ("encoder.layer", "attention.output.dense", "output.dense")

ARCHITECTURES = NamedRows(
    "architecture",
    (
        Architecture("bert", "BERT, MiniLM", *_BERT, has_pooler=True),
        # RoBERTa counts positions from padding_idx + 1 = 2.
        Architecture("roberta", "RoBERTa", *_BERT, has_pooler=True, reserved_positions=2),
        Architecture("xlm-roberta", "XLM-R", *_BERT, has_pooler=True, reserved_positions=2),
        Architecture(
            "distilbert", "DistilBERT", "transformer.layer", "attention.out_lin", "ffn.lin2"
        ),
        Architecture("electra", "ELECTRA", *_BERT),
        # Disentangled attention has no SDPA form in transformers 5.
        Architecture("deberta-v2", "DeBERTa-v2, DeBERTa-v3", *_BERT, kernel="eager"),
        # Pre-norm: its blocks add attn.Wo's and mlp.Wo's outputs to the residual stream.
        Architecture("modernbert", "ModernBERT", "layers", "attn.Wo", "mlp.Wo"),
    ),
    Architecture,
)
"""All of them, by `model_type`."""


def architecture(model_type: str) -> Architecture:
    """Returns the table's row.

    Raises:
        UserError: an architecture without a row; the message lists those that have one and how to add one.
    """
    if model_type not in ARCHITECTURES:
        supported = ", ".join(f"{row.model_type} ({row.title})" for row in ARCHITECTURES.values())
        raise UserError(
            f"the architecture '{model_type}' is not supported as a backbone.{did_you_mean(model_type, ARCHITECTURES)} "
            f"Supported are: {supported}. To add one, give ARCHITECTURES in cl_core/backbones/sites.py a row with the "
            "paths of its blocks, of attention's output projection and of the FFN's second layer "
            "(docs/extending/architecture.md)."
        )
    return ARCHITECTURES[model_type]


def sites_of(model_type: str, n_blocks: int) -> tuple[Site, ...]:
    """All 2 L sites of a model, ordered block0.attention, block0.ffn, block1.attention, ...

    Raises:
        UserError: an unsupported architecture.
    """
    return sites_at(architecture(model_type), n_blocks)


def sites_at(row: Architecture, n_blocks: int, n_decoder: int = 0) -> tuple[Site, ...]:
    """All sites of a model with so many blocks, the decoder's behind the encoder's."""
    paths = [f"{row.blocks}.{block}" for block in range(n_blocks)]
    paths += [f"{row.decoder}.{block}" for block in range(n_decoder)]
    return tuple(
        Site(f"block{block}.{sublayer}", block, sublayer, f"{blocks}.{path}")
        for block, blocks in enumerate(paths)
        for sublayer, path in _sublayers(row)
    )


def _sublayers(row: Architecture) -> tuple[tuple[Sublayer, str], tuple[Sublayer, str]]:
    return ("attention", row.attention), ("ffn", row.ffn)
