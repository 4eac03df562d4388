"""Settings of the backbone: which checkpoint, how much of a text it reads, and its precision."""

from __future__ import annotations

from typing import Annotated, Literal

from cl_core.limits import ADDRESS, FRAMES, GRID, PICTURE_SIDE, SENTENCE, TOKENS
from cl_core.settings import Settings, no_longer, within


class BackboneSettings(Settings):
    """The frozen encoder of a run. The defaults need no network."""

    name: Annotated[str, no_longer(ADDRESS, least=1)] = "minilm"
    """A name that `adapter-lab backbones` lists, the folder of a checkpoint, hub:owner/name, or open_clip:MODEL/TAG."""

    revision: Annotated[str, no_longer(ADDRESS)] | None = None
    """For hub:owner/name only, and needed there: the commit hash (or tag) that pins the weights."""

    max_length: Annotated[int, within(TOKENS, least=8)] = 128
    """Longer texts are cut to this many tokens, special tokens included."""

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the backbone's weights, whatever the checkpoint says; adapters stay in float32."""

    masked: bool = False
    """Whether answers are read at a [MASK] behind the text, by the model's own masked-language-model head (DAM)."""

    masked_suffix: Annotated[str, no_longer(SENTENCE)] = "Answer: [MASK]."
    """What follows a text or question then; it is a second segment, so that cutting a long text leaves it whole."""

    prompt: Annotated[str, no_longer(SENTENCE)] = "a photo of a {}."
    """Vision backbones with a text tower (CLIP): the sentence that stands for a class, {} being its name."""

    vision: Annotated[str, no_longer(ADDRESS, least=1)] | None = None
    """A vision backbone, named as in `name`, that the text encoder then sees with: for questions about pictures and
    videos, and for streams that mix kinds of tasks."""

    vision_revision: Annotated[str, no_longer(ADDRESS)] | None = None
    """As `revision`, of the vision backbone."""

    picture_size: Annotated[int, within(PICTURE_SIDE)] | None = None
    """Side in pixels that a vision transformer of `transformers` sees pictures at, a multiple of its patches' side; its
    positions are interpolated once. None: as its image processor makes them. DINOv2 at 112 costs a quarter of 224."""

    layer_scale_sites: Literal["after", "before"] = "after"
    """Whether bottlenecks stand after a layer scale, on what is added to the residual stream, or before it. DINOv2 has
    one."""

    frames: Annotated[int, within(FRAMES)] = 8
    """At most so many frames of a video, evenly spaced, are looked at. DAM 10."""

    image_grid: Annotated[int, within(GRID, least=0)] = 4
    """g: a picture is seen as g x g tokens, means of its patches; 0 for one, the class token."""

    clip_grid: Annotated[int, within(GRID, least=0)] = 2
    """g of each frame of a video. DAM's one token a frame is 0."""

    clip_changes: bool | None = None
    """Whether a frame's tokens also carry what changed since the frame before. None: as the backbone was trained, and
    not where it was trained without. The papers do not."""
