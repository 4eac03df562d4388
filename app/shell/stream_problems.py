"""What is wrong with a stream's data, and what is worth knowing: sentences, and a table where there are many."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.base.escaped_text import plain
from cl_core.errors import counted

MOST_SENTENCES = 8
"""Problems that are written out; a table has all of them."""
MOST_NUMBERS = 12
"""Rows that a sentence names."""


def problems(checked: dict[str, Any]) -> None:
    """Everything that is wrong with the data, each with its rows; then what is worth knowing."""
    faults = checked.get("faults", [])
    if "error" in checked:
        st.error(plain(checked["error"]), icon=":material/error:")
    if faults:
        count = counted(len(faults), "problem")
        lines = [f"**{count} to fix before it can be learnt**", ""]
        lines += [f"- {_sentence(fault)}" for fault in faults[:MOST_SENTENCES]]
        st.error("\n".join(lines), icon=":material/error:")
        if len(faults) > MOST_SENTENCES:
            with st.expander(f"All {count}", icon=":material/table:"):
                st.dataframe(fault_table(faults), hide_index=True, key="problems")
    warnings = checked.get("warnings", [])
    if warnings:
        with st.expander(f"Warnings ({len(warnings)})", icon=":material/info:"):
            for warning in warnings:
                st.text(warning)


def _sentence(fault: dict[str, Any]) -> str:
    """Where, what, and in which rows; nothing of it is read as markup."""
    where = ", ".join(part for part in (fault["task"], fault["split"], fault["file"]) if part)
    few = {**fault, "rows": fault["rows"][:MOST_NUMBERS]}
    rows = f" in rows {_rows(few)}" if fault["rows"] else ""
    return plain(f"{where}: {fault['problem']}{rows}" if where else f"{fault['problem']}{rows}")


def fault_table(faults: list[dict[str, Any]]) -> pd.DataFrame:
    """One line per problem; rows are counted from 1."""
    return pd.DataFrame(
        [
            {
                "task": fault["task"],
                "split": fault["split"],
                "problem": fault["problem"],
                "rows": _rows(fault),
                "file": fault["file"],
            }
            for fault in faults
        ]
    )


def _rows(fault: dict[str, Any]) -> str:
    listed = ", ".join(map(str, fault["rows"]))
    more = fault["row_count"] - len(fault["rows"])
    return f"{listed} and {more} more" if more > 0 else listed
