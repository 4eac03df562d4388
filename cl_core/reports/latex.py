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
    numbers = [number for number in shown if number != "-"]
    whole = max((len(number.lstrip("-").partition(".")[0]) for number in numbers), default=1)
    minus = "-" if any(number.startswith("-") for number in numbers) else ""
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
    index = 0
    while index < len(tokens):
        symbol = tokens[index]
        if symbol in ("_", "^") and index + 1 < len(tokens):
            inner, index = _script(tokens, index + 1)
            out.append(f"{symbol}{{{inner}}}")
            continue
        between = symbol.isspace() and _is_word(tokens, index - 1) and _is_word(tokens, index + 1)
        out.append(r"\ " if between else _math(symbol))
        index += 1
    return f"${''.join(out)}$"


def _script(tokens: Sequence[str], index: int) -> tuple[str, int]:
    """What stands below or above, and the place behind it: a token, or all that is in brackets."""
    closing = {"{": "}", "(": ")"}.get(tokens[index])
    if closing is None or closing not in tokens[index:]:
        return _math(tokens[index]), index + 1
    end = tokens.index(closing, index)
    inner = "".join(_math(token) for token in tokens[index + 1 : end])
    return (inner if closing == "}" else f"({inner})"), end + 1


def _is_word(tokens: Sequence[str], index: int) -> bool:
    if not 0 <= index < len(tokens):
        return False
    return len(tokens[index]) > 1 and tokens[index].isalpha() and tokens[index] not in _WORDS


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
