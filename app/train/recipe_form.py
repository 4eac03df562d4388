"""The recipe as four slots from left to right, filled by a named recipe and changed one by one."""

from __future__ import annotations

import streamlit as st

from app.base.escaped_text import plain
from cl_core.errors import Faults
from cl_core.recipes.named import RECIPES, load_recipe
from cl_core.recipes.recipe import SLOTS, Recipe

QUESTIONS = {
    "initialise": "Where does an adapter start?",
    "train": "What is trained while a task is learnt?",
    "route": "Which adapters does a sample get?",
    "compose": "How do the weights combine them?",
}


def recipe_form(lesson: bool) -> Recipe | None:
    """The recipe that was put together; None where it cannot work, which is then explained.

    Args:
        lesson: say above each slot which question it answers.
    """
    names = list(RECIPES)
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        base = st.selectbox("Recipe", names, key="recipe", bind="query-params", on_change=_fill)
    right.markdown(f"{plain(RECIPES[base].summary)} — *{plain(_plain(RECIPES[base].source))}*")
    for key, choice in slots(RECIPES[base]).items():
        st.session_state.setdefault(key, choice)
    chosen = {}
    for number, (column, slot) in enumerate(zip(st.columns(4), SLOTS, strict=True), 1):
        with column.container(border=True, height="stretch", gap="xsmall"):
            if lesson:
                st.markdown(f"*{QUESTIONS[slot]}*")
            chosen[slot] = st.selectbox(
                f"{number} {slot.capitalize()}",
                list(SLOTS[slot]),
                key=f"slot-{slot}",
                help=QUESTIONS[slot],
                persist_state="session",
            )
            row = SLOTS[slot][chosen[slot]]
            st.markdown(plain(row.summary))
            st.caption(plain(_plain(row.source)))
    try:
        return load_recipe(base, **chosen)
    except Faults as refused:
        faults = "\n".join(f"- {plain(fault)}" for fault in refused.faults)
        st.error(f"**Incompatible choices**\n\n{faults}", icon=":material/block:")
        st.button("Back to the recipe's own", on_click=_fill, icon=":material/undo:")
        return None


def slots(recipe: Recipe) -> dict[str, str]:
    """A recipe's choices by the keys of the slots."""
    return {f"slot-{slot}": getattr(recipe, slot) for slot in SLOTS}


def _fill() -> None:
    recipe = RECIPES.get(st.session_state["recipe"])
    if recipe is not None:  # a message may say any: its list says the first one then
        st.session_state.update(slots(recipe))


def _plain(source: str) -> str:
    return source.replace("**", "")
