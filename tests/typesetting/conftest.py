"""A real TeX for the tests of this folder."""

from __future__ import annotations

import os

import pytest

from tests.debian import must_have
from tests.typesetting.tex import NoTex, provide


@pytest.fixture(scope="session")
def pdflatex() -> str:
    """The program, or a skip that says why there is none; in continuous integration a failure."""
    try:
        return provide()
    except NoTex as error:
        if must_have(os.environ):
            pytest.fail(f"CI must have a TeX: {error}")
        pytest.skip(str(error))
