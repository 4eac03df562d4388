"""Settings of the backbone: which checkpoint, how much of a text it reads, and its precision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cl_core.settings import Settings


class BackboneSettings(Settings):
    """The frozen encoder of a run. The defaults need no network."""

    name: Annotated[str, Field(min_length=1)] = "minilm"
    """A name that `adapter-lab backbones` lists, the folder of a checkpoint, hub:owner/name, or open_clip:MODEL/TAG."""

    revision: str | None = None
    """For hub:owner/name only, and needed there: the commit hash (or tag) that pins the weights."""

    max_length: Annotated[int, Field(ge=8)] = 128
    """Longer texts are cut to this many tokens, special tokens included."""

    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the backbone's weights, whatever the checkpoint says; adapters stay in float32."""
