"""CITATION.cff says of the project and its papers what they say themselves."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import cl_core
from app.settings.citations import PAPERS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def plain(bibtex: str) -> str:
    return bibtex.replace("{", "").replace("}", "")


def field(entry: str, name: str) -> str:
    (value,) = re.findall(rf"^ *{name} *= \{{(.*)\}},$", entry, re.M)
    return plain(value)


def test_the_citation_has_what_its_format_asks_for_and_the_package_s_version() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert CITATION["message"]
    assert CITATION["title"] == "Adapter Lab"
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "cl_core.__version__"}
    assert CITATION["version"] == cl_core.__version__


def test_authors_licence_and_keywords_are_those_of_the_project() -> None:
    project = PROJECT["project"]
    assert CITATION["authors"] == project["authors"]
    assert CITATION["license"] == project["license"]
    assert CITATION["keywords"] == project["keywords"]
    assert CITATION["abstract"] == project["description"]


def test_the_papers_are_those_that_the_lab_cites() -> None:
    references = CITATION["references"]
    assert len(references) == len(PAPERS)
    for reference, entry in zip(references, PAPERS.values(), strict=True):
        authors = [f"{one['given-names']} {one['family-names']}" for one in reference["authors"]]
        assert reference["title"] == field(entry, "title")
        assert " and ".join(authors) == field(entry, "author")
        assert str(reference["year"]) == field(entry, "year")
        assert reference["url"] == f"https://arxiv.org/abs/{field(entry, 'eprint')}"
        assert reference["identifiers"][0]["value"] == f"arXiv:{field(entry, 'eprint')}"
