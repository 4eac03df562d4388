"""The layouts in which JSON keeps a table, by columns and by index too, as pandas writes it where nobody says how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SPLIT = {"columns", "index", "data"}
_PLACE = re.compile("[0-9]+")


def by_rows(content: Any) -> Any:
    """A list of objects, where the content is a table in another layout; else the content as it is.

    `DataFrame.to_json` writes columns of cells by their index ("columns", which it does by default), objects by their
    index ("index"), or the lists "columns", "index" and "data" ("split"); `to_dict("list")` and `datasets` write
    columns as lists. An object of which no cell says that it is a column is one row.

    >>> by_rows({"text": {"0": "a", "1": "b"}, "label": {"0": "x", "1": "y"}})
    [{'text': 'a', 'label': 'x'}, {'text': 'b', 'label': 'y'}]
    >>> by_rows({"text": ["a", "b"], "label": ["x", "y"]})
    [{'text': 'a', 'label': 'x'}, {'text': 'b', 'label': 'y'}]
    >>> by_rows({"text": "a", "votes": {"yes": 3}})
    {'text': 'a', 'votes': {'yes': 3}}
    """
    if not isinstance(content, Mapping) or not content:
        return content
    cells = list(content.values())
    if _SPLIT >= content.keys() >= {"columns", "data"}:
        names, rows = content["columns"], content["data"]
        if isinstance(names, list) and isinstance(rows, list) and _fit(names, rows):
            return [dict(zip(map(str, names), row, strict=True)) for row in rows]
    if all(isinstance(column, dict) for column in cells):
        return _by_index(content, cells)
    lengths = {len(column) if _is_column(column) else -1 for column in cells}
    if len(cells) > 1 and len(lengths) == 1 and lengths != {-1}:
        return [dict(zip(content, row, strict=True)) for row in zip(*cells, strict=True)]
    return content


def _by_index(content: Mapping[str, Any], cells: list[dict[str, Any]]) -> Any:
    """Columns of cells by index, or objects by index: what has numbers for names is the index."""
    outer, inner = all(map(_PLACE.fullmatch, content)), all(map(_PLACE.fullmatch, cells[0]))
    if outer and not inner:
        return cells
    same = all(column.keys() == cells[0].keys() for column in cells)
    if same and cells[0] and (inner or len(cells) > 1):
        return [{name: content[name][row] for name in content} for row in cells[0]]
    return content


def _is_column(cells: Any) -> bool:
    """Whether it is a list of cells, not one of rows."""
    return isinstance(cells, list) and not all(isinstance(cell, dict) for cell in cells)


def _fit(names: list[Any], rows: list[Any]) -> bool:
    return all(isinstance(row, list) and len(row) == len(names) for row in rows)
