"""Warnings of ours are sentences; those of libraries are shown as Python shows them."""

from __future__ import annotations

import pytest

from cl_core import choices
from cl_core.cli.endings import worded


@pytest.mark.parametrize(
    ("category", "file", "said"),
    [
        (UserWarning, choices.__file__, "adapter-lab: a \\x1b[31mrow is left out\n"),
        (UserWarning, "/lib/numpy.py", "/lib/numpy.py:7: UserWarning: a \x1b[31mrow is left out\n"),
        (FutureWarning, choices.__file__, f"{choices.__file__}:7: FutureWarning: a \x1b[31mrow"),
    ],
)
def test_a_warning_says_where_it_arose_only_where_that_is_of_use(
    category: type[Warning], file: str, said: str
) -> None:
    assert worded("a \x1b[31mrow is left out", category, file, 7).startswith(said)
