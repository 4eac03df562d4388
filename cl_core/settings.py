"""The base of all settings: typed once, frozen, unknown keys refused.

Each part keeps its settings in a `settings.py` beside the classes that they configure. YAML files, command-line flags
and the app's forms are all made from these models, so none of these files imports torch.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen pydantic model that refuses keys it does not know, and numbers that are not finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
