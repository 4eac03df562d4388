"""The name of an artifact: a hash of everything that it depends on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


def key(kind: str, inputs: Mapping[str, JSON]) -> str:
    """Returns the SHA-256, in hex, of the canonical JSON of `kind` and `inputs`.

    Keys do not depend on the order of a mapping's entries, nor on tuple against list. They do tell
    1 from 1.0 and
    True: settings are typed, so the same setting has the same type each time.

    Args:
        kind: what the artifact is ("adapter", "features", ...).
        inputs: everything that it depends on (fingerprints, settings, seed, parents' keys, the
            slot's code version).

    Raises:
        TypeError: something that is not JSON (a path, a tensor, a set), or a mapping key that is
            not a string.
        ValueError: a number that is not finite. Either message says where in `inputs` it is.

    >>> one = key("adapter", {"seed": 0, "shape": (2, 3)})
    >>> one == key("adapter", {"shape": [2, 3], "seed": 0})
    True
    >>> one == key("adapter", {"shape": [2, 3], "seed": 0.0})
    False
    """
    return hashlib.sha256(
        canonical_json({"kind": kind, "inputs": inputs}).encode("ascii")
    ).hexdigest()


def canonical_json(data: JSON) -> str:
    """Returns the one JSON text of `data`: keys sorted, no spaces, ASCII only, floats in their
    shortest exact form.

    Raises:
        TypeError, ValueError: as `key`.

    >>> canonical_json({"b": 0.5, "a": (1, True, None)})
    '{"a":[1,true,null],"b":0.5}'
    """
    return json.dumps(
        plain(data), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def plain(data: JSON, path: str = "inputs") -> Any:
    """Returns `data` made of dict, list and scalars only; `path` is where the message says that a
    fault is.

    Raises:
        TypeError, ValueError: as `key`.
    """
    # Exact types: a subclass (numpy.float64 is a float, an enum may be a str) could print
    # differently elsewhere.
    if data is None or type(data) in (bool, int, str):
        return data
    if type(data) is float:
        if not math.isfinite(data):
            raise ValueError(f"{path} is {data}, which JSON cannot hold; use null, or leave it out")
        return data
    if isinstance(data, Mapping):
        for name in data:
            if type(name) is not str:
                raise TypeError(f"{path} has the key {name!r}; keys must be plain strings")
        return {name: plain(value, f"{path}.{name}") for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value, f"{path}[{index}]") for index, value in enumerate(data)]
    raise TypeError(
        f"{path} is a {type(data).__module__}.{type(data).__name__}; "
        "only null, booleans, numbers, strings, lists and mappings can be written as JSON"
    )
