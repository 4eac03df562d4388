"""Texts with pictures or clips, and batches of them: what `encoding.py` is for texts and `pictures.py` for pictures.

What is seen is fetched when a batch asks for it, from whatever source has it (`vision_encoder.py`). A batch keeps texts
and what is seen apart, as the second is yet to be projected (`vision_language.py`), and says where each of their tokens
stands.
Shapes: B samples, T' tokens of their texts, V tokens that are seen, of width v, T of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cl_core.backbones.encoding import Encoding, pad_batch
from cl_core.backbones.vision.vision_encoder import Medium, TokenSource, VisualTokens

MEDIA: tuple[Medium, ...] = ("image", "video")


@dataclass(frozen=True)
class Samples:
    """N texts, each with a picture, a clip or nothing to look at.

    Attributes:
        texts: N tokenised texts.
        token_sources: where what is seen comes from.
        places: for each sample, which source and which row of it; None where there is nothing to see.
    """

    texts: Encoding
    token_sources: tuple[TokenSource, ...]
    places: tuple[tuple[int, int] | None, ...]

    @classmethod
    def concat(cls, parts: Sequence[Samples]) -> Samples:
        """The samples of several parts, in their order."""
        token_sources: list[TokenSource] = []
        places: list[tuple[int, int] | None] = []
        for part in parts:
            begin = len(token_sources)
            places += [None if p is None else (begin + p[0], p[1]) for p in part.places]
            token_sources += part.token_sources
        return cls(
            Encoding.concat([part.texts for part in parts]), tuple(token_sources), tuple(places)
        )

    def subset(self, rows: Sequence[int]) -> Samples:
        """Some of the samples, in the given order."""
        return Samples(
            self.texts.subset(rows), self.token_sources, tuple(self.places[row] for row in rows)
        )

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each sample, those seen included."""
        seen = (
            0 if shown is None else self.token_sources[shown[0]].tokens for shown in self.places
        )
        return tuple(words + more for words, more in zip(self.texts.lengths, seen, strict=True))

    def __len__(self) -> int:
        return len(self.places)

    def see(self, rows: Sequence[int]) -> VisualTokens | None:
        """What some of the samples show, padded to the most tokens among them; None where none shows anything."""
        asked: dict[int, list[int]] = {}
        for position, row in enumerate(rows):
            shown = self.places[row]
            if shown is not None:
                asked.setdefault(shown[0], []).append(position)
        if not asked:
            return None
        tokens_by_source = {}
        for token_source, positions in asked.items():
            group = [self.places[rows[position]] for position in positions]
            tokens_by_source[token_source] = self.token_sources[token_source].see(
                [shown[1] for shown in group if shown]
            )
        if len(tokens_by_source) == 1 and len(next(iter(asked.values()))) == len(rows):
            return next(iter(tokens_by_source.values()))
        any_seen = next(iter(tokens_by_source.values())).features
        most = max(visual_tokens.features.shape[1] for visual_tokens in tokens_by_source.values())
        features = any_seen.new_zeros(len(rows), most, any_seen.shape[2])
        counts = torch.zeros(len(rows), dtype=torch.int64, device=any_seen.device)
        for token_source, visual_tokens in tokens_by_source.items():
            here = torch.tensor(asked[token_source], device=any_seen.device)
            features[here, : visual_tokens.features.shape[1]] = visual_tokens.features.to(features)
            counts[here] = visual_tokens.counts.to(counts)
        return VisualTokens(features, counts)


@dataclass(frozen=True)
class VisionLanguageBatch:
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

    def blind(self) -> VisionLanguageBatch:
        """The same texts with nothing to see."""
        lengths, counts = (
            self.attention_mask.sum(dim=1) - self.counts,
            torch.zeros_like(self.counts),
        )
        order, mask = sequence(lengths, counts, self.input_ids.shape[1])
        return replace(
            self, features=self.features[:, :0], counts=counts, order=order, attention_mask=mask
        )


def vision_language_batch(
    samples: Samples, indices: Sequence[int], visual_size: int, device: torch.device
) -> VisionLanguageBatch:
    """Pads the texts of some of the samples, fetches what they show, and puts the two in order.

    Args:
        samples: N of them.
        indices: B row numbers.
        visual_size: v, for batches in which nothing is seen.
        device: where the batch goes.

    Raises:
        ValueError: no index.
        UserError: a picture or a clip cannot be read.
    """
    text = pad_batch(samples.texts, indices, torch.device("cpu"))
    lengths = text.attention_mask.sum(dim=1)
    visual_tokens = samples.see(indices)
    if visual_tokens is None:
        nothing = torch.zeros(len(indices), 0, visual_size)
        visual_tokens = VisualTokens(nothing, torch.zeros_like(lengths))
    order, mask = sequence(lengths, visual_tokens.counts.cpu(), text.input_ids.shape[1])
    return VisionLanguageBatch(
        text.input_ids.to(device),
        None if text.token_type_ids is None else text.token_type_ids.to(device),
        visual_tokens.features.to(device),
        visual_tokens.counts.to(device),
        order.to(device),
        mask.to(device),
    )


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
    position = torch.arange(int(total.max()), device=lengths.device).unsqueeze(0)
    visual = (position >= 1) & (position <= seen)
    order = torch.where(
        visual, text_tokens + position - 1, torch.where(position == 0, 0, position - seen)
    )
    mask = position < total
    return order * mask, mask.long()
