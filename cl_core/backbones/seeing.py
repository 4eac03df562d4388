"""A frozen text encoder that also sees: questions about pictures and clips, and texts and pictures alone.

    [CLS]  V f_1 + c ... V f_V + c  q_1 ... q_n  [SEP]

f are tokens of a frozen vision encoder (`visual.py`), V and c the task's visual projection: the "visual" entry of a
pass's transforms, else the backbone's own, where it was trained with one. Without either nothing is seen. The papers
put what is seen in front of the question (DAM, arXiv 2403.08755; I2I, arXiv 2304.02168); leaving [CLS] at the first
place, where routers and heads read it, is **(ours)**. Shapes: B samples, T tokens, V visual tokens of width v, d.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cl_core.backbones.encoder import Encoder, LabelHead, Output, Transform
from cl_core.backbones.encoding import Batch, Encoding, pad_batch
from cl_core.backbones.fingerprint import hash_weights
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.visual import Eye, Live, Medium, Sights, Viewer

VISUAL = "visual"
"""The place of the visual projection, beside the sites of the bottlenecks."""
MEDIA: tuple[Medium, ...] = ("image", "video")


@dataclass(frozen=True)
class Samples:
    """N texts, each with a picture, a clip or nothing to look at.

    Attributes:
        texts: N tokenised texts.
        viewers: where what is seen comes from.
        places: for each sample, which viewer and which row of it; None where there is nothing to see.
    """

    texts: Encoding
    viewers: tuple[Viewer, ...]
    places: tuple[tuple[int, int] | None, ...]

    @classmethod
    def concat(cls, parts: Sequence[Samples]) -> Samples:
        """The samples of several parts, in their order."""
        viewers: list[Viewer] = []
        places: list[tuple[int, int] | None] = []
        for part in parts:
            begin = len(viewers)
            places += [None if p is None else (begin + p[0], p[1]) for p in part.places]
            viewers += part.viewers
        return cls(Encoding.concat([part.texts for part in parts]), tuple(viewers), tuple(places))

    def subset(self, rows: Sequence[int]) -> Samples:
        """Some of the samples, in the given order."""
        return Samples(
            self.texts.subset(rows), self.viewers, tuple(self.places[row] for row in rows)
        )

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each sample, those seen included."""
        seen = (0 if place is None else self.viewers[place[0]].tokens for place in self.places)
        return tuple(own + more for own, more in zip(self.texts.lengths, seen, strict=True))

    def __len__(self) -> int:
        return len(self.places)

    def see(self, rows: Sequence[int]) -> Sights | None:
        """What some of the samples show, padded to the most tokens among them; None where none shows anything."""
        asked: dict[int, list[int]] = {}
        for position, row in enumerate(rows):
            place = self.places[row]
            if place is not None:
                asked.setdefault(place[0], []).append(position)
        if not asked:
            return None
        found = {}
        for viewer, positions in asked.items():
            own = [self.places[rows[position]] for position in positions]
            found[viewer] = self.viewers[viewer].see([place[1] for place in own if place])
        if len(found) == 1 and len(next(iter(asked.values()))) == len(rows):
            return next(iter(found.values()))
        any_seen = next(iter(found.values())).features
        most = max(sights.features.shape[1] for sights in found.values())
        features = any_seen.new_zeros(len(rows), most, any_seen.shape[2])
        counts = torch.zeros(len(rows), dtype=torch.int64, device=any_seen.device)
        for viewer, sights in found.items():
            here = torch.tensor(asked[viewer], device=any_seen.device)
            features[here, : sights.features.shape[1]] = sights.features.to(features)
            counts[here] = sights.counts.to(counts)
        return Sights(features, counts)


@dataclass(frozen=True)
class SeeingBatch:
    """B samples on a device.

    Attributes:
        input_ids: (B, T') int64, the texts alone, padded on the right.
        token_type_ids: (B, T') of the texts, or None.
        features: (B, V, v) what is seen; V may be 0.
        counts: (B,) how many of the V are tokens.
        order: (B, T) int64, which token stands where: below T' one of the text, from T' on one that is seen.
        attention_mask: (B, T), 1 for tokens, those seen included, and 0 for padding.
    """

    input_ids: Tensor
    token_type_ids: Tensor | None
    features: Tensor
    counts: Tensor
    order: Tensor
    attention_mask: Tensor

    def __len__(self) -> int:
        return len(self.input_ids)

    def blind(self) -> SeeingBatch:
        """The same texts with nothing to see."""
        lengths, counts = (
            self.attention_mask.sum(dim=1) - self.counts,
            torch.zeros_like(self.counts),
        )
        order, mask = sequence(lengths, counts, self.input_ids.shape[1])
        return replace(
            self, features=self.features[:, :0], counts=counts, order=order, attention_mask=mask
        )


class SeeingBackbone(Encoder[SeeingBatch]):
    """A text encoder of `transformers` with a frozen vision encoder in front of it.

    Args:
        text: the text encoder.
        eye: the vision encoder, and how much it looks at.
        name: as the user calls it.
        revision: of the text encoder, where it comes from the hub.
        start: what the backbone was trained with: tensors "adapter.visual" (d, v) and so on of a projection, and those
            of adapters, named as in `Adapter.tensors`; None where it was trained without.

    Attributes:
        visual_size: v.
        embedding_size: d of the text encoder's word embeddings, which what is seen joins.
        start: what the adapters of tasks may start from; in float32, on the CPU.
    """

    kinds = ("text", "image", "image-qa", "video-qa")

    def __init__(
        self,
        text: TextBackbone,
        eye: Eye,
        *,
        name: str,
        revision: str | None,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        parts = [text.fingerprint, eye.fingerprint]
        tensors = {name: tensor.float() for name, tensor in (start or {}).items()}
        for own in sorted(tensors):
            parts.append(hashlib.sha256(tensors[own].numpy().tobytes()).hexdigest())
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
        self.vision = eye.vision
        self.eye = eye
        self.max_length = text.max_length
        words: Any = text.model
        self.words = words.get_input_embeddings()
        self.visual_size = eye.vision.hidden_size
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

    def encode(self, rows: Mapping[str, Sequence[Any]], viewer: Viewer | None = None) -> Samples:
        """The samples of a task of any kind: its text or question, and its picture or video.

        Args:
            rows: columns by name.
            viewer: where what is seen comes from; None decodes and encodes it whenever it is asked for.
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
        viewer = viewer or Live(self.eye, medium, rows[medium])
        return Samples(texts, (viewer,), tuple((0, row) for row in range(count)))

    def collate(
        self, encoding: Samples, indices: Sequence[int], device: torch.device | None = None
    ) -> SeeingBatch:
        """Samples `indices` in that order: texts padded, what is seen fetched, and how the two are put together.

        Args:
            encoding: from `encode`.
            indices: B row numbers.
            device: where the batch goes; the backbone's device when None.
        """
        where = self.device if device is None else device
        text = pad_batch(encoding.texts, indices, torch.device("cpu"))
        lengths = text.attention_mask.sum(dim=1)
        sights = encoding.see(indices)
        if sights is None:
            nothing = torch.zeros(len(indices), 0, self.visual_size)
            sights = Sights(nothing, torch.zeros_like(lengths))
        order, mask = sequence(lengths, sights.counts.cpu(), text.input_ids.shape[1])
        return SeeingBatch(
            text.input_ids.to(where),
            None if text.token_type_ids is None else text.token_type_ids.to(where),
            sights.features.to(where),
            sights.counts.to(where),
            order.to(where),
            mask.to(where),
        )

    def answer_places(self, batch: SeeingBatch) -> Tensor | None:
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
        batch: SeeingBatch,
        transforms: Mapping[str, Transform] | None = None,
        hidden_states: bool = False,
        stop_after: int | None = None,
        enter: Callable[[int, Tensor], None] | None = None,
    ) -> Output:
        """As `Encoder.forward`. Where neither the transforms nor the backbone have a projection, nothing is seen."""
        if self.projection is None and VISUAL not in (transforms or {}):
            batch = batch.blind()
        return super().forward(batch, transforms, hidden_states, stop_after, enter)

    def seen(self, batch: SeeingBatch) -> Tensor:
        """(B, v) mean over the visual tokens of each sample; zeros where nothing is seen."""
        # Behind the last token stand zeros.
        return batch.features.sum(dim=1) / batch.counts.clamp(min=1).unsqueeze(1)

    @property
    def read_size(self) -> int:
        """As of the text encoder."""
        return self.text.read_size

    def answer_from(self, names: Sequence[str]) -> None:
        """Tells a generating text encoder its vocabulary."""
        self.text.answer_from(names)
        self.vocabulary = self.text.vocabulary

    def mask_at(self, batch: SeeingBatch, block: int) -> Tensor:
        """As of the text encoder."""
        return self.text.mask_at(Batch(batch.input_ids, batch.attention_mask), block)

    def run(self, batch: SeeingBatch) -> Tensor | tuple[Tensor, Tensor]:
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


def medium_of(rows: Mapping[str, object]) -> Medium | None:
    """The column that is looked at, if there is one."""
    return next((medium for medium in MEDIA if medium in rows), None)


def sequence(lengths: Tensor, counts: Tensor, text_tokens: int) -> tuple[Tensor, Tensor]:
    """How text and visual tokens follow one another: the first text token, what is seen, the rest of the text.

    Args:
        lengths: (B,) text tokens of each sample, at least one.
        counts: (B,) visual tokens.
        text_tokens: T', to how many the texts are padded.

    Returns:
        (B, T) places in [text, visual], 0 where there is padding, and the (B, T) mask. Padding is on the right alone,
        so that what one sample shows moves no token of another.
    """
    total, seen = (lengths + counts).unsqueeze(1), counts.unsqueeze(1)
    place = torch.arange(int(total.max()), device=lengths.device).unsqueeze(0)
    visual = (place >= 1) & (place <= seen)
    order = torch.where(visual, text_tokens + place - 1, torch.where(place == 0, 0, place - seen))
    mask = place < total
    return order * mask, mask.long()
