r"""Any text as LaTeX that compiles under pdflatex, lualatex and xelatex alike.

pdflatex knows only some of Unicode. Letters with accents are written as LaTeX's accents, the Greek alphabet and a few
signs by their commands; of everything else (Chinese, Cyrillic, emoji) the code points are written, "[U+6570 U+636E]",
and a comment in the file says what they stand for.
"""

# ruff: noqa: RUF001 - signs that look like others are the point of the tables

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # Not special, but not what they look like in every font encoding, or taken for ligatures.
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': r"''",
    "`": r"\char96{}",
    "[": r"{[}",  # after \\ it would be taken for a length
    "]": r"{]}",
    "*": r"{*}",
}
_SIGNS = {
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "ȷ": r"\j{}", "å": r"\aa{}", "Å": r"\AA{}",
    "¿": r"?`{}", "¡": r"!`{}", "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "£": r"\pounds{}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "‐": "-", "‑": "-", "‘": "`{}", "’": "'{}", "“": "``{}",
    "”": "''{}", "…": r"\dots{}", "†": r"$\dagger$", "•": r"$\bullet$", "·": r"$\cdot$", "°": r"$^\circ$",
    "′": r"$'$", "±": r"$\pm$", "×": r"$\times$", "÷": r"$\div$", "−": "$-$", "≤": r"$\leq$", "≥": r"$\geq$",
    "≠": r"$\neq$", "≈": r"$\approx$", "∞": r"$\infty$", "→": r"$\to$", "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$", "µ": r"$\mu$", "¬": r"$\neg$", "½": r"$\frac12$", "¹": "$^1$", "²": "$^2$",
    "³": "$^3$", "ϵ": r"$\epsilon$", "ς": r"$\varsigma$",
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0323": "d", "\u0331": "b",
}  # fmt: skip
_BELOW = frozenset("cdb")
_GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "omicron",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
]
_QUOTED = re.compile(r"(?<![\w\\'}])'(?=[\w\\])([^']*[^'\s])'(?!\w)")
"""What stands between two straight quotes, the first of which LaTeX would set as a closing one."""
_AS_LATIN = {
    "alpha": "A", "beta": "B", "epsilon": "E", "zeta": "Z", "eta": "H", "iota": "I", "kappa": "K", "mu": "M",
    "nu": "N", "omicron": "O", "rho": "P", "tau": "T", "chi": "X",
}  # fmt: skip
"""Capitals that look like Latin ones: LaTeX has no command for them."""


def escape(text: str) -> str:
    r"""Any text, a task's name or a path, on one line, as LaTeX that shows it.

    >>> print(escape("50 % of café_1"))
    50 \% of caf{\'{e}}\_1
    >>> print(escape("the head rule 'compose' isn't 'top1'"))
    the head rule `compose' isn't `top1'
    """
    parts: list[str] = []
    unknown: list[str] = []

    def flush() -> None:
        if unknown:
            parts.append(
                "{[}" + " ".join(f"U+{ord(character):04X}" for character in unknown) + "{]}"
            )
            unknown.clear()

    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        written = _character(character)
        if written is None:
            unknown.append(character)
        elif written:
            flush()
            parts.append(written)
    flush()
    written = re.sub("-(?=-)", "-{}", "".join(parts))  # two hyphens would become a dash
    return _QUOTED.sub(r"`\1'", written)


def replaced(texts: Iterable[str]) -> list[str]:
    """Comments that say which texts hold characters that are written as code points."""
    said = []
    for text in dict.fromkeys(texts):
        written = escape(text)
        if "U+" in written and "U+" not in text:
            shown = "".join(
                character for character in " ".join(text.split()) if character.isprintable()
            )
            said.append(f"% {written} stands for {shown}, which pdflatex has no signs for")
    return said


def _character(character: str) -> str | None:
    """One character as LaTeX; "" where it shows nothing, None where pdflatex has none."""
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _SIGNS:
        return _SIGNS[character]
    if character.isascii():
        return character if character.isprintable() else ""
    return _greek(character) or _accented(character)


def _greek(character: str) -> str | None:
    match = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(character, ""))
    name = "" if match is None else match.group(2).lower().replace("lamda", "lambda")
    if match is None or name not in _GREEK:
        return None
    if match.group(1) == "SMALL":
        return "$o$" if name == "omicron" else rf"$\{name}$"
    return rf"$\mathrm{{{_AS_LATIN[name]}}}$" if name in _AS_LATIN else rf"$\{name.title()}$"


def _accented(character: str) -> str | None:
    decomposed = unicodedata.normalize("NFD", character)
    base, marks = decomposed[0], decomposed[1:]
    if not (
        marks and base.isascii() and base.isalpha() and all(mark in _ACCENTS for mark in marks)
    ):
        return None
    commands = [_ACCENTS[mark] for mark in marks]
    # An accent takes the place of the dot.
    dotless = base in "ij" and not _BELOW & set(commands)
    written = rf"\{base}" if dotless else base
    for command in commands:
        written = rf"\{command}{{{written}}}"
    return f"{{{written}}}"
