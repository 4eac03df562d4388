"""A frozen text encoder that also sees: questions about pictures and clips, and texts and pictures alone.

    [CLS]  V f_1 + c ... V f_V + c  q_1 ... q_n  [SEP]

f are tokens of a frozen vision encoder (`vision_encoder.py`), V and c the task's visual projection: the "visual" entry
of a pass's transforms, else the backbone's own, where it was trained with one. Without either nothing is seen. The
papers put what is seen in front of the question (DAM, arXiv 2403.08755; I2I, arXiv 2304.02168); leaving [CLS] at the
first place, where routers and heads read it, is **(ours)**. Shapes: B samples, T tokens, V visual tokens of width v, d.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cl_core.backbones.encoder import Encoder, LabelHead, Output, Transform
from cl_core.backbones.encoding import Batch
from cl_core.backbones.fingerprint import hash_weights
from cl_core.backbones.samples import Samples, VisionLanguageBatch, medium_of, vision_language_batch
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.pictures import ground_of
from cl_core.backbones.vision.vision_encoder import LiveTokens, TokenSource, VisionEncoder

VISUAL = "visual"
"""The place of the visual projection, beside the sites of the bottlenecks."""


class VisionLanguageBackbone(Encoder[VisionLanguageBatch]):
    """A text encoder of `transformers` with a frozen vision encoder in front of it.

    Args:
        text: the text encoder.
        vision_encoder: frozen, with how much it looks at.
        name: as the user calls it.
        revision: of the text encoder, where it comes from the hub.
        start: what the backbone was trained with: tensors "adapter.visual" (d, v) and so on of a projection, and those
            of adapters, named as in `Adapter.tensors`; None where it was trained without.

    Attributes:
        visual_size: v, of the tokens that are seen.
        seen_size: of what routers read of them: the vision encoder's own width.
        embedding_size: d of the text encoder's word embeddings, which what is seen joins.
        start: what the adapters of tasks may start from; in float32, on the CPU.
    """

    kinds = ("text", "image", "image-qa", "video-qa")

    def __init__(
        self,
        text: TextBackbone,
        vision_encoder: VisionEncoder,
        *,
        name: str,
        revision: str | None,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        parts = [text.fingerprint, vision_encoder.fingerprint]
        tensors = {name: tensor.float() for name, tensor in (start or {}).items()}
        for key in sorted(tensors):
            parts.append(hashlib.sha256(tensors[key].numpy().tobytes()).hexdigest())
        super().__init__(
            text.model,
            text.blocks,
            text.sites,
            hidden_size=text.hidden_size,
            name=name,
            revision=revision,
            fingerprint=hashlib.sha256(" ".join(parts).encode()).hexdigest(),
        )
        self.text = text
        self.vision = vision_encoder.vision
        self.vision_encoder = vision_encoder
        self.max_length = text.max_length
        words: Any = text.model
        self.words = words.get_input_embeddings()
        self.visual_size = vision_encoder.width
        self.seen_size = vision_encoder.vision.hidden_size
        self.embedding_size = int(self.words.embedding_dim)
        self._site_names |= {VISUAL}
        self.start = tensors
        self.register_buffer("own_weight", tensors.get("adapter.visual"))
        self.register_buffer("own_bias", tensors.get("adapter.visual_bias"))

    @property
    def projection(self) -> tuple[Tensor, Tensor] | None:
        """V and c of the backbone's own; None where it was trained without."""
        weight, bias = self._buffers["own_weight"], self._buffers["own_bias"]
        return None if weight is None or bias is None else (weight, bias)

    def weight_hash(self) -> str:
        """SHA-256 of every weight of both encoders as they are now."""
        both = f"{hash_weights(self.model)} {hash_weights(self.vision.model)}"
        return hashlib.sha256(both.encode()).hexdigest()

    def encode(
        self, rows: Mapping[str, Sequence[Any]], token_source: TokenSource | None = None
    ) -> Samples:
        """The samples of a task of any kind: its text or question, and its picture or video.

        Args:
            rows: columns by name.
            token_source: where what is seen comes from; None decodes and encodes it whenever it is asked for.
        """
        medium = medium_of(rows)
        count = len(next(iter(rows.values())))
        if "question" in rows:
            texts = self.text.tokenize(list(rows["question"]))
        elif "text" in rows:
            texts = self.text.encode(rows)
        else:
            texts = self.text.tokenize([""] * count)
        if medium is None:
            return Samples(texts, (), (None,) * count)
        token_source = token_source or LiveTokens(
            self.vision_encoder, medium, rows[medium], ground_of(rows)
        )
        return Samples(texts, (token_source,), tuple((0, row) for row in range(count)))

    def _collate(
        self, encoding: Samples, indices: Sequence[int], device: torch.device
    ) -> VisionLanguageBatch:
        return vision_language_batch(encoding, indices, self.visual_size, device)

    def answer_places(self, batch: VisionLanguageBatch) -> Tensor | None:
        """(B,) places of each text's [MASK], where answers are read there."""
        text = Batch(batch.input_ids, batch.input_ids, batch.token_type_ids)
        places = self.text.answer_places(text)
        return None if places is None else places + batch.counts * (places > 0)

    def read(self, output: Output, pooling: str) -> Tensor:
        """(B, d) what heads read, as of the text encoder."""
        return self.text.read(output, pooling)

    def label_head(self, names: Sequence[str]) -> LabelHead | None:
        """Scores labels by what they are called, as the text encoder does."""
        return self.text.label_head(names)

    def forward(
        self,
        batch: VisionLanguageBatch,
        transforms: Mapping[str, Transform] | None = None,
        hidden_states: bool = False,
        stop_after: int | None = None,
        enter: Callable[[int, Tensor], None] | None = None,
    ) -> Output:
        """As `Encoder.forward`. Where neither the transforms nor the backbone have a projection, nothing is seen."""
        if self.projection is None and VISUAL not in (transforms or {}):
            batch = batch.blind()
        return super().forward(batch, transforms, hidden_states, stop_after, enter)

    def seen(self, batch: VisionLanguageBatch) -> Tensor:
        """(B, seen_size) mean over the raw visual features of each sample, as DAM's router reads them.

        Zeros where nothing is seen. What changed from frame to frame is no part of it.
        """
        # Behind the last token stand zeros.
        raw = batch.features[:, :, : self.seen_size]
        return raw.sum(dim=1) / batch.counts.clamp(min=1).unsqueeze(1)

    @property
    def read_size(self) -> int:
        """As of the text encoder."""
        return self.text.read_size

    def answer_from(self, names: Sequence[str]) -> None:
        """Tells a generating text encoder its vocabulary."""
        self.text.answer_from(names)
        self.vocabulary = self.text.vocabulary

    def mask_at(self, batch: VisionLanguageBatch, block: int) -> Tensor:
        """As of the text encoder."""
        return self.text.mask_at(Batch(batch.input_ids, batch.attention_mask), block)

    def run(self, batch: VisionLanguageBatch) -> Tensor | tuple[Tensor, Tensor]:
        """The (B, T, d) last hidden state; of a decoder, and its encoder's."""
        words: Tensor = self.words(batch.input_ids)
        project = self._call.transforms.get(VISUAL) or self._project
        seen = project(batch.features).to(words.dtype)
        places = batch.order.unsqueeze(-1).expand(-1, -1, words.shape[2])
        types = batch.token_type_ids
        if types is not None:
            nothing = batch.order.new_zeros(len(batch), seen.shape[1])
            types = torch.cat([types, nothing], dim=1).gather(1, batch.order)
            types = types * batch.attention_mask
        states = torch.cat([words, seen], dim=1).gather(1, places)
        return self.text.run_embedded(states, batch.attention_mask, types)

    def _project(self, features: Tensor) -> Tensor:
        if self.projection is None:  # a blind batch: there is nothing to project
            return features.new_zeros(*features.shape[:2], self.embedding_size)
        weight, bias = self.projection
        with torch.autocast(features.device.type, enabled=False):
            return torch.nn.functional.linear(features.to(weight), weight, bias)
