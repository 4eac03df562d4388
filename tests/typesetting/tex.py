"""The TeX of these tests: the system's pdflatex with booktabs and siunitx, else Debian's packages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.debian import Machine, installed
from tests.patience import PATIENCE

PACKAGES = ("texlive-latex-recommended", "texlive-science")
STYLES = ("booktabs.sty", "siunitx.sty")
DOCUMENT = "\\documentclass{article}\n\\usepackage{booktabs,siunitx,graphicx}\n\\begin{document}\n%s\n\\end{document}\n"


class NoTex(Exception):
    """There is none, and none can be had; the message says what was tried."""


def provide(machine: Machine | None = None) -> str:
    """The path of a pdflatex that finds the packages, installed if need be.

    Args:
        machine: this one, unless a test makes one up.

    Raises:
        NoTex: none can be had.
    """
    machine = machine or Machine()
    program = _complete(machine)
    if program is not None:
        return program
    tried = ["no pdflatex with booktabs and siunitx is on the path"]
    program = installed(machine, PACKAGES, lambda: _complete(machine), tried)
    if program is not None:
        return program
    raise NoTex("; ".join(tried))


def compiled(program: str, body: str, folder: Path) -> str:
    """Sets a document whose body this is, and returns TeX's log.

    Args:
        program: pdflatex.
        body: between `\\begin{document}` and `\\end{document}`.
        folder: where it is set.

    Raises:
        AssertionError: it does not compile; the message is TeX's.
    """
    (folder / "table.tex").write_text(DOCUMENT % body, encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(
        [*command, "table.tex"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    log = (folder / "table.log").read_text(encoding="utf-8", errors="replace")
    faults = re.findall(r"^!.*(?:\n.*){0,6}", log, re.M)
    assert done.returncode == 0, "\n".join(faults)
    assert not faults, "\n".join(faults)
    assert (folder / "table.pdf").stat().st_size > 1000
    return log


def _complete(machine: Machine) -> str | None:
    program = machine.which("pdflatex")
    if program is None:
        return None
    missing = [style for style in STYLES if machine.run(["kpsewhich", style]) is not None]
    return None if missing else program
