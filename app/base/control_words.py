"""Sentences of the core's that say what to set, as pages say it: there it is a field, on the terminal `--set`."""

from __future__ import annotations

import re

_VALUE = r"\[[^\]]*\]|(?:[^\s;,.()]|\.(?=\d))+(?:(?:, \w+)* or \w+)?"
_SETTING = re.compile(rf"--set (\w+)=({_VALUE})")


def by_control(said: str) -> str:
    """The same with each `--set name=value` as the field of that name on Train.

    >>> by_control("it needs them: --set unseen=true")
    "it needs them: 'unseen' set to true on Train"
    >>> by_control("(--set head_rule=direct, compose or top1; docs/methods.md)")
    "('head rule' set to direct, compose or top1 on Train; docs/methods.md)"
    """
    return _SETTING.sub(
        lambda setting: f"'{setting[1].replace('_', ' ')}' set to {setting[2]} on Train", said
    )
