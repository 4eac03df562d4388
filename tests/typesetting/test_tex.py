"""Which TeX the tests take, decided on machines that are made up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.debian import Machine
from tests.typesetting.tex import NoTex, provide


class MadeUp:
    """A machine with some programs and styles, on which installing works or does not."""

    def __init__(self, programs: set[str], styles: set[str], installs: bool = False) -> None:
        self.programs, self.styles, self.installs = programs, styles, installs
        self.said: list[str] = []

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def run(self, command: Sequence[str]) -> str | None:
        line = " ".join(command)
        self.said.append(line)
        if command[0] == "kpsewhich":
            return None if command[1] in self.styles else "status 1"
        if line == "apt-get update":
            self.installs = True
            return None
        if not self.installs:
            return "Unable to locate package"
        self.programs.add("pdflatex")
        self.styles |= {"booktabs.sty", "siunitx.sty"}
        return None

    def provide(self, superuser: bool = True) -> str:
        return provide(Machine(self.which, self.run, superuser))


def test_the_systems_own_is_taken_and_nothing_installed() -> None:
    machine = MadeUp({"pdflatex", "apt-get"}, {"booktabs.sty", "siunitx.sty"})
    assert machine.provide(superuser=False) == "/usr/bin/pdflatex"
    assert not any("apt-get" in line for line in machine.said)


def test_one_without_siunitx_is_completed_by_debians_packages() -> None:
    machine = MadeUp({"pdflatex", "apt-get"}, {"booktabs.sty"}, installs=True)
    assert machine.provide() == "/usr/bin/pdflatex"
    assert any("texlive-latex-recommended texlive-science" in line for line in machine.said)


def test_a_fresh_container_fetches_its_list_first() -> None:
    machine = MadeUp({"apt-get"}, set())
    assert machine.provide() == "/usr/bin/pdflatex"
    assert machine.said.count("apt-get update") == 1


def test_where_none_can_be_had_it_says_what_was_tried() -> None:
    with pytest.raises(NoTex, match="apt-get needs the superuser"):
        MadeUp({"apt-get"}, set()).provide(superuser=False)
    with pytest.raises(NoTex, match="there is no apt-get"):
        MadeUp(set(), set()).provide()
