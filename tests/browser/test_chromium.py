"""Which browser the browser tests take, decided on machines that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.browser.chromium import Machine, NoBrowser, provide
from tests.debian import must_have, run


class MadeUp:
    """A machine with some programs, on which some commands work and leave something behind."""

    def __init__(self, folder: Path, programs: set[str], works: Sequence[str] = ()) -> None:
        self.own = folder / "playwrights-own"
        self.programs, self.works, self.said = programs, works, []

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def run(self, command: Sequence[str]) -> str | None:
        line = " ".join(command)
        self.said.append(line)
        for works in self.works:
            if works in line:
                if "apt-get install" in line:
                    self.programs.add("chromium")
                if "playwright install" in line:
                    self.own.touch()
                return None
        return "not here"

    def provide(self, superuser: bool = True) -> Path:
        return provide(Machine(self.which, self.run, superuser, lambda: self.own))


def test_the_systems_own_is_taken_and_nothing_installed(tmp_path: Path) -> None:
    machine = MadeUp(tmp_path, {"google-chrome", "apt-get"}, ["--version"])
    assert machine.provide() == Path("/usr/bin/google-chrome")
    assert machine.said == ["/usr/bin/google-chrome --version"]


def test_a_stub_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    machine = MadeUp(
        tmp_path, {"chromium-browser", "google-chrome"}, ["/usr/bin/google-chrome --version"]
    )
    assert machine.provide() == Path("/usr/bin/google-chrome")


def test_what_playwright_has_fetched_before_is_taken(tmp_path: Path) -> None:
    machine = MadeUp(tmp_path, {"apt-get"})
    machine.own.touch()
    assert machine.provide() == machine.own
    assert machine.said == []


def test_the_superuser_of_a_debian_installs_its_package(tmp_path: Path) -> None:
    machine = MadeUp(tmp_path, {"apt-get"}, ["apt-get", "--version"])
    assert machine.provide() == Path("/usr/bin/chromium")
    assert not any("playwright" in line for line in machine.said)


def test_others_fetch_playwrights(tmp_path: Path) -> None:
    machine = MadeUp(tmp_path, {"apt-get"}, ["playwright install chromium", "--version"])
    assert machine.provide(superuser=False) == machine.own
    assert not any("apt-get" in line for line in machine.said)


def test_where_the_package_cannot_be_had_playwrights_is_fetched(tmp_path: Path) -> None:
    machine = MadeUp(tmp_path, {"apt-get"}, ["playwright install chromium", "--version"])
    assert machine.provide() == machine.own
    assert machine.said.count("apt-get update") == 1


def test_where_none_can_be_had_it_says_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(NoBrowser, match=r"superuser.*playwright install chromium: not here"):
        MadeUp(tmp_path, {"apt-get"}).provide(superuser=False)


def test_only_continuous_integration_insists() -> None:
    assert must_have({"CI": "true"})
    assert not must_have({"CI": "false"})
    assert not must_have({})


def test_a_command_that_fails_is_quoted() -> None:
    assert run(["false"]) == "status 1"
    assert "No such file" in str(run(["/nowhere/at/all"]))
    assert run(["true"]) is None
