"""What may stand where others read it: names and sentences without the folders of this machine.

A figure, a table of a paper and a report are handed on; the path of a checkpoint or of a data file tells whose home it
lies in. Screens and JSON of one's own terminal keep the whole paths.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PureWindowsPath

from cl_core.backbones.settings import BackboneSettings

HOSTED = ("hub:", "open_clip:")
"""What names of backbones begin with that are no folders."""
_ROOT = r"(?:~|[A-Za-z]:)?[/\\]"
_FOLDERS = re.compile(rf"""(?<![\w.:/\\]){_ROOT}(?:[^\s'"`/\\,;:()]+[/\\])+""")
"""From where a path begins (not within a word, an address or another path) to its last part."""
_QUOTED = re.compile(rf"""(['"`]){_ROOT}(?:[^'"`/\\]+[/\\])*([^'"`/\\]*)\1""")
"""A whole path, spaces and all."""


def backbone_title(name: str) -> str:
    """What a backbone is called: of a checkpoint's folder the last part."""
    if name.startswith(HOSTED):
        return name
    return PureWindowsPath(name).name or name  # takes either kind of slash


def backbone_titles(names: Sequence[str]) -> list[str]:
    """`backbone_title` of each; several folders of one name are numbered in their order, "base (2)".

    >>> backbone_titles(["minilm", "/data/one/base", "/data/two/base"])
    ['minilm', 'base', 'base (2)']
    """
    names_of: dict[str, list[str]] = {}
    titles = []
    for name in names:
        title = backbone_title(name)
        same_title = names_of.setdefault(title, [])
        if name not in same_title:
            same_title.append(name)
        number = same_title.index(name) + 1
        titles.append(title if number == 1 else f"{title} ({number})")
    return titles


def published(settings: BackboneSettings) -> BackboneSettings:
    """The settings with their backbones' titles in place of their folders."""
    vision = None if settings.vision is None else backbone_title(settings.vision)
    return settings.model_copy(update={"name": backbone_title(settings.name), "vision": vision})


def without_folders(sentence: str) -> str:
    """A sentence with the last part of every absolute path in place of the path.

    >>> without_folders("'/data/one/base' has no weights")
    "'base' has no weights"
    """
    return _FOLDERS.sub("", _QUOTED.sub(r"\1\2\1", sentence))
