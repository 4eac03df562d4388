r"""Numbers, columns and formulas as LaTeX that compiles under pdflatex, lualatex and xelatex alike.

Tables take `\usepackage{booktabs}` and `\usepackage{siunitx}` (version 2 or 3): columns of numbers are siunitx's `S`,
so that they align at the decimal point and have real minus signs. Means stand alone in their column; siunitx drops an
uncertainty of 0 and prints only half of one in bold, so that spreads stand below them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cl_core.evaluate.statistics import MINUS, decimal
from cl_core.reports.latex_text import escape, replaced

__all__ = ["PACKAGES", "cell", "column", "escape", "formula", "replaced", "signed", "stacked"]

PACKAGES = r"% needs \usepackage{booktabs,siunitx}; compiles under pdflatex, lualatex and xelatex"
_WORDS = {
    "mean": r"\mathop{\mathrm{mean}}\nolimits",
    "argmax": r"\mathop{\mathrm{argmax}}\nolimits",
    "max": r"\max",
    "min": r"\min",
    "sum": r"\sum",
    "ln": r"\ln",
    "Phi": r"\Phi",
}
_MATH = {
    "<=": r"\leq ",
    ">=": r"\geq ",
    "#": r"\#",
    "%": r"\%",
    "&": r"\&",
    "$": r"\$",
    "~": r"\sim ",
}


def signed(value: float, digits: int) -> str:
    """A number in text, with a real minus; "--" where it is not defined."""
    shown = _plain(value, digits).replace(",", r"{,}")
    return "--" if shown == "-" else f"$-${shown[1:]}" if shown.startswith("-") else shown


def cell(value: float, digits: int, bold: bool = False) -> str:
    """A number in an `S` column; "--" where it is not defined."""
    shown = _plain(value, digits).replace(",", "")
    if shown == "-":
        return "{--}"
    return rf"\bfseries {shown}" if bold else shown


def column(values: Sequence[float], digits: int) -> str:
    """An `S` column as wide as its widest number; `detect-weight` lets a number be bold."""
    shown = [_plain(value, digits).replace(",", "") for value in values]
    numbers = [each for each in shown if each != "-"]
    whole = max((len(each.lstrip("-").partition(".")[0]) for each in numbers), default=1)
    minus = "-" if any(each.startswith("-") for each in numbers) else ""
    return f"S[table-format={minus}{whole}.{digits}, detect-weight]"


def _plain(value: float, digits: int) -> str:
    """With a hyphen, of which siunitx makes a minus sign."""
    return decimal(value, digits).replace(MINUS, "-")


def stacked(*lines: str) -> str:
    """The head of a column of numbers, in several lines; each is LaTeX."""
    body = r" \\ ".join(lines)
    return rf"{{\begin{{tabular}}{{@{{}}c@{{}}}}{body}\end{{tabular}}}}"


def formula(text: str) -> str:
    r"""A formula of `cl_core.evaluate.table` as LaTeX math, with its dollars: "mean_j R[T, j]"."""
    tokens = re.findall(r"<=|>=|[A-Za-z]+[0-9]*|[0-9.]+|\s+|.", text)
    out: list[str] = []
    place = 0
    while place < len(tokens):
        symbol = tokens[place]
        if symbol in ("_", "^") and place + 1 < len(tokens):
            inner, place = _script(tokens, place + 1)
            out.append(f"{symbol}{{{inner}}}")
            continue
        between = symbol.isspace() and _is_word(tokens, place - 1) and _is_word(tokens, place + 1)
        out.append(r"\ " if between else _math(symbol))
        place += 1
    return f"${''.join(out)}$"


def _script(tokens: Sequence[str], place: int) -> tuple[str, int]:
    """What stands below or above, and the place behind it: a token, or all that is in brackets."""
    closing = {"{": "}", "(": ")"}.get(tokens[place])
    if closing is None or closing not in tokens[place:]:
        return _math(tokens[place]), place + 1
    end = tokens.index(closing, place)
    inner = "".join(_math(each) for each in tokens[place + 1 : end])
    return (inner if closing == "}" else f"({inner})"), end + 1


def _is_word(tokens: Sequence[str], place: int) -> bool:
    if not 0 <= place < len(tokens):
        return False
    return len(tokens[place]) > 1 and tokens[place].isalpha() and tokens[place] not in _WORDS


def _math(symbol: str) -> str:
    if symbol in _WORDS:
        return _WORDS[symbol]
    if symbol in _MATH:
        return _MATH[symbol]
    if symbol[0].isalpha() and symbol.isascii():
        return symbol if len(symbol) == 1 else rf"\mathrm{{{symbol}}}"
    if symbol.isspace():
        return " "
    if symbol in ("{", "}", "\\") or not symbol.isascii():
        return rf"\text{{{escape(symbol)}}}"
    return symbol
