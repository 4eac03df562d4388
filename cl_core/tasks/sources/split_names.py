"""What splits are called, and which names beside the data hold no data at all."""

from __future__ import annotations

import re
from collections.abc import Iterable

ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Names of the splits, in any case."""
LATE = ("eval", "evaluation")
"""Test samples, or validation samples where there is a `test` beside them **(ours)**."""
SYSTEM = ("__macosx", "lost+found", "$recycle.bin", "system volume information")
SYSTEM_FILES = ("thumbs.db", "desktop.ini")


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or an operating system's, and so no class and no data."""
    if name in (".", ".."):
        return False
    return name.startswith((".", "@", "~$")) or name.lower() in (*SYSTEM, *SYSTEM_FILES)


def find_splits(names: Iterable[str]) -> dict[str, list[str]]:
    """Which names are which split, in the order of SPLITS; several for one are for the caller to choose among.

    >>> find_splits(["Training", "dev", "eval", "notes"])
    {'train': ['Training'], 'validation': ['dev'], 'test': ['eval']}
    >>> find_splits(["train", "eval", "test"])
    {'train': ['train'], 'validation': ['eval'], 'test': ['test']}
    """
    lower = {name: name.lower() for name in names}
    splits = {
        split: [name for name, plain in lower.items() if plain in aliases]
        for split, aliases in ALIASES.items()
    }
    late = [name for name in splits["test"] if lower[name] in LATE]
    if len(splits["test"]) > len(late):
        splits["test"] = [name for name in splits["test"] if name not in late]
        if not splits["validation"]:
            splits["validation"] = late
    return {split: matching for split, matching in splits.items() if matching}


def resembles(name: str) -> str | None:
    """The split that a name has a word of: "my-train.v2.csv" and "testSet" do; None for others.

    >>> resembles("my-train.v2.csv"), resembles("testSet"), resembles("contest")
    ('train', 'test', None)
    """
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    lower = [word.lower() for word in words]
    return next(
        (s for s, aliases in ALIASES.items() if any(word in aliases for word in lower)), None
    )
