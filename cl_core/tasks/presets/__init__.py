"""The papers' streams as stream files. Reading them needs neither torch nor datasets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.stream_file import read_stream_file

FOLDER = Path(__file__).parent


@cache
def presets() -> dict[str, StreamSpec]:
    """Every preset by name, further orders under "<name>-<order>", and "<name>-order1" for the first."""
    streams: dict[str, StreamSpec] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        spec = read_stream_file(file)
        streams[spec.name] = spec
        for order in spec.orders:
            streams[f"{spec.name}-{order}"] = spec.ordered(order)
    return streams
