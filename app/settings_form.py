"""The settings of a run as a form, made from the models themselves: a new setting appears here by itself."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import streamlit as st
import yaml
from streamlit.delta_generator import DeltaGenerator

from cl_core.backbones.catalogue import KNOWN
from cl_core.lab.recipe import Recipe
from cl_core.lab.run_settings import GROUPS, RunSettings, flat_name, flat_names, make_settings

COMMON = ("epochs", "batch_size", "learning_rate", "limit_train", "limit_test")
"""Shown at once, whatever the recipe."""
COLUMNS = 4
MAYBE = {None: "as it comes", True: "yes", False: "no"}
"""Of settings that are yes, no, or left to what they are about."""
WANTED = "wanted-backbone"
"""In the session, a backbone that the form is to be filled with; its widget's key is known only with the stream."""


def common_names(recipe: Recipe) -> list[str]:
    """The settings that are changed most with this recipe."""
    names = list(COMMON)
    if recipe.route in ("centroid", "corrupted"):
        names += ["k", "temperature"]
    if recipe.route == "learned" or recipe.train == "replay":
        names.append("memory")
    if recipe.route == "fixed":
        names.append("weights")
    return names


def groups(recipe: Recipe) -> list[str]:
    """Parts whose settings a recipe reads, so that the form is no longer than it must be."""
    read = {
        "memory": recipe.route == "learned" or recipe.train == "replay",
        "network": recipe.route == "learned",
        "improvise": recipe.initialise == "improvised",
        "fusion": recipe.compose == "fusion" or recipe.initialise == "improvised",
        "baselines": recipe.train in ("ewc", "lwf"),
        "merging": recipe.compose not in ("merge", "average", "select", "fusion"),
    }
    return [group for group in GROUPS if read.get(group, True)]


def settings_form(recipe: Recipe, preset: str, kinds: Sequence[str]) -> dict[str, Any]:
    """The settings that differ from those of the preset and the recipe, by their flat names.

    Args:
        recipe: whose settings are the defaults.
        preset: named settings beneath it.
        kinds: of the stream's tasks, which the backbone must read.
    """
    defaults = make_settings(recipe.settings, preset=preset)
    scope = f"{recipe.name}-{preset}"
    values: dict[str, Any] = {}
    columns = st.columns(COLUMNS)
    with columns[0]:
        values["backbone"] = _backbone(defaults, kinds, scope)
    _grid(common_names(recipe), defaults, scope, values, columns, 1)
    with st.expander("All settings", icon=":material/tune:", key="all-settings"):
        st.caption("Each is called here as in `--set name=value` on the terminal.")
        shown = groups(recipe)
        for group, tab in zip(shown, st.tabs([name.capitalize() for name in shown]), strict=True):
            names = [flat_name(group, field) for field in GROUPS[group].model_fields]
            with tab:
                rest = [name for name in names if name not in values]
                _grid(rest, defaults, scope, values, st.columns(COLUMNS))
    return {name: value for name, value in values.items() if value != value_of(defaults, name)}


def value_of(settings: RunSettings, name: str) -> Any:
    """The setting of a flat name."""
    group, field = flat_names()[name]
    return getattr(getattr(settings, group), field)


def key_of(scope: str, name: str) -> str:
    """The widget's; a recipe or preset of other defaults has widgets of its own."""
    return f"set-{scope}-{name}"


def _backbone(defaults: RunSettings, kinds: Sequence[str], scope: str) -> str:
    """Of the named ones those that can read the stream; any other by its path or hub:owner/name."""
    fitting = [row.name for row in KNOWN.values() if row.available and set(kinds) <= set(row.reads)]
    first = value_of(defaults, "backbone")
    options = fitting or [first]
    key = key_of(scope, f"backbone-{'-'.join(sorted(kinds))}")
    wanted = st.session_state.pop(WANTED, None)
    if wanted is not None:
        st.session_state[key] = wanted
    chosen = st.selectbox(
        "backbone",
        options,
        options.index(first) if first in options else 0,
        key=key,
        accept_new_options=True,
        help="Frozen; adapters are trained in it. A name of this list, a checkpoint's folder, hub:owner/name or "
        "open_clip:MODEL/TAG. " + "; ".join(f"{row.name}: {row.summary}" for row in KNOWN.values()),
        persist_state="session",
    )
    return str(chosen)


def _grid(
    names: Sequence[str],
    defaults: RunSettings,
    scope: str,
    values: dict[str, Any],
    columns: Sequence[DeltaGenerator],
    first: int = 0,
) -> None:
    """Fields from left to right, the first in the column `first`; what they say goes into `values`."""
    for place, name in enumerate(names, first):
        with columns[place % COLUMNS]:
            values[name] = _field(name, value_of(defaults, name), key_of(scope, name))


def _field(name: str, default: Any, key: str) -> Any:
    """The widget that fits a setting's type."""
    group, field = flat_names()[name]
    info = GROUPS[group].model_fields[field]
    kind, optional = _unwrapped(info.annotation)
    label = name.replace("_", " ")
    common: dict[str, Any] = {
        "key": key,
        "help": f"{_sentence(info.description)} `{name}`",
        "persist_state": "session",
    }
    listed = get_origin(kind) is Literal
    number = kind in (int, float)
    if not (number and optional):  # set, not given as default: *Change the settings* sets it too
        first = kind(default) if number else default if listed or kind is bool else _shown(default)
        st.session_state.setdefault(key, first)
    if listed:
        return st.selectbox(label, list(get_args(kind)), **common)
    if kind is bool:
        if optional:
            return st.selectbox(label, list(MAYBE), format_func=MAYBE.__getitem__, **common)
        return st.toggle(label, **common)
    if number:
        common["step"] = 1 if kind is int else _step(default)
        common["format"] = "%d" if kind is int else "%g"
        if optional:
            start = default if default is None else kind(default)
            return st.number_input(label, value=start, placeholder=_empty(name), **common)
        return st.number_input(label, **common)
    text = st.text_input(label, placeholder=_empty(name), **common)
    return _read(text, default)


def _unwrapped(annotation: Any) -> tuple[Any, bool]:
    """The type itself, and whether it may be None: `Annotated[int, ...] | None` is (int, True)."""
    optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        members = [each for each in get_args(annotation) if each is not type(None)]
        optional = len(members) < len(get_args(annotation))
        annotation = members[0]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation, optional


def _step(value: float | None) -> float:
    """A tenth of the value's order of magnitude."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.01


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _read(text: str, default: Any) -> Any:
    """What was typed: nothing is None (or no names), numbers with commas a list of them."""
    if text == _shown(default):
        return default
    if not text.strip():
        return () if isinstance(default, tuple) else None
    if isinstance(default, str):
        return text
    parts = [yaml.safe_load(part) for part in text.split(",")]
    return tuple(parts) if len(parts) > 1 or isinstance(default, tuple) else text


def _empty(name: str) -> str:
    return "all" if name.startswith("limit") else "none"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())
