"""The settings of a run as a form, made from the models themselves: a new setting appears here by itself.

A field is one and the same under every recipe and preset. When one of them changes, fields say the new one's own, and
what the visitor typed stays (`typed_fields.py`). A number that cannot be none is the default where its field
is emptied.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.train import typed_fields
from cl_core.backbones.catalogue import KNOWN
from cl_core.errors import Faults
from cl_core.recipes.recipe import Recipe
from cl_core.recipes.settings import (
    GROUPS,
    RunSettings,
    flat_name,
    flat_names,
    group_names,
    make_settings,
)
from cl_core.settings import descriptions

COMMON = ("epochs", "batch_size", "learning_rate", "limit_train", "limit_test")
"""Shown at once, whatever the recipe."""
OF_CHOICES = frozenset({"memory", "network", "improvise", "fusion", "baselines", "merging"})
"""Parts of the settings that some choices of the slots read, and others do not."""
COLUMNS = 4
MAYBE = {None: "as it comes", True: "yes", False: "no"}
"""Of settings that are yes, no, or left to what they are about."""
WANTED = "wanted-settings"
"""In the session: settings that the form is to be filled with, by their flat names, and all others as they come."""
OTHER = "set-backbone-other"
"""Key of the field for a backbone that is not in the list."""
LONGEST_SHOWN = 40
"""Letters of a value in a list of what was changed."""


@dataclass(frozen=True)
class FormSettings:
    """What the form says.

    Attributes:
        changed: settings that differ from those of the preset and the recipe, by their flat names.
        kept: those that were typed and are the preset's and the recipe's own at this moment: they stay with another.
    """

    changed: dict[str, Any]
    kept: dict[str, Any]

    @property
    def typed(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self.changed or self.kept)


def common_names(recipe: Recipe) -> list[str]:
    """The settings that are changed most with this recipe."""
    names = list(COMMON)
    if recipe.ranks:
        names += ["k", "temperature"]
    if recipe.keeps_memory:
        names.append("memory")
    return [*names, *recipe.router.traits.asks]


def groups(recipe: Recipe) -> list[str]:
    """Parts whose settings a recipe reads, so that the form is no longer than it must be."""
    read = recipe.settings_read
    return [
        group
        for group in GROUPS
        if group not in OF_CHOICES or not group_names(group).isdisjoint(read)
    ]


def settings_form(recipe: Recipe, preset: str, kinds: Sequence[str]) -> FormSettings:
    """Draws the fields; what they say.

    Args:
        recipe: whose settings are the defaults.
        preset: named settings beneath it.
        kinds: of the stream's tasks, which the backbone must read.
    """
    defaults = make_settings(recipe.settings, preset=preset)
    box = key_of(f"backbone-{'-'.join(sorted(kinds))}")
    options = _backbones(defaults, kinds)
    wanted = st.session_state.pop(WANTED, None)
    asked = None if wanted is None else _asked(recipe, preset, wanted)
    names = [name for name in flat_names() if name != "backbone"]
    typed_fields.fill(
        {**_says(defaults, box, options), OTHER: ""},
        [key_of(name) for name in names if _emptied(name, value_of(defaults, name))],
        None if asked is None else _typed_in(wanted or {}, _says(asked, box, options), box),
    )
    values: dict[str, Any] = {}
    columns = st.columns(COLUMNS)
    with columns[0]:
        listed = st.selectbox(
            "backbone",
            options,
            key=box,
            help="Frozen; adapters are trained in it. "
            + "; ".join(f"{row.name}: {row.summary}" for row in KNOWN.values()),
            persist_state="session",
        )
    with columns[1]:  # a box that takes other words forgets those that are typed without Enter
        other = st.text_input(
            "or another backbone",
            key=OTHER,
            placeholder="none",
            help="In place of the one in the list: a checkpoint's folder, hub:owner/name or open_clip:MODEL/TAG.",
            persist_state="session",
        )
    values["backbone"] = other.strip() or listed
    common = common_names(recipe)
    _grid(common, defaults, columns, 2)
    shown = {group: _names(group, common) for group in groups(recipe)}
    others = st.expander(
        "All settings", icon=":material/tune:", key="all-settings", on_change="rerun"
    )
    if others.open:  # fifty fields, which most forms are sent without
        with others:
            st.caption("Each is called here as in `--set name=value` on the terminal.")
            tabs = st.tabs([name.capitalize() for name in shown])
            for names, tab in zip(shown.values(), tabs, strict=True):
                with tab:
                    _grid(names, defaults, st.columns(COLUMNS))
    for name in (*common, *(name for names in shown.values() for name in names)):
        values[name] = _typed(name, value_of(defaults, name))
    as_preset = {name: value_of(defaults, name) for name in values}
    return FormSettings(
        changed={name: value for name, value in values.items() if value != as_preset[name]},
        kept={
            name: value
            for name, value in values.items()
            if value == as_preset[name]
            and typed_fields.is_typed(box if name == "backbone" else key_of(name))
        },
    )


def value_of(settings: RunSettings, name: str) -> Any:
    """The setting of a flat name."""
    group, field = flat_names()[name]
    return getattr(getattr(settings, group), field)


def key_of(name: str) -> str:
    """The widget's."""
    return f"set-{name}"


def changes(changed: Mapping[str, Any]) -> str:
    """What `settings_form` found, in words: also fields in parts that are not open."""
    parts = []
    for name, value in changed.items():
        said = "none" if value in (None, ()) else _shown(value)
        short = said if len(said) <= LONGEST_SHOWN else f"{said[:LONGEST_SHOWN]}…"
        parts.append(f"{name.replace('_', ' ')} {short}")
    return ", ".join(parts)


def _typed_in(wanted: Mapping[str, Any], says: Mapping[str, Any], box: str) -> dict[str, Any]:
    """What the fields of a job's settings say, by their keys: as if somebody had typed it.

    Args:
        wanted: the settings, by their flat names.
        says: what each field says of them.
        box: key of the list of backbones.
    """
    keys = [key_of(name) for name in wanted if name != "backbone"]
    keys += [box, OTHER] if "backbone" in wanted else []
    return {key: says[key] for key in keys if key in says}


def _emptied(name: str, default: Any) -> bool:
    """Whether a setting's field says nothing, which the setting cannot: it then says the default."""
    value = st.session_state.get(key_of(name), default)
    kind, optional = _typing(name)
    if optional or isinstance(default, tuple) or not _shown(default):
        return False
    return value is None or (kind is str and not str(value).strip())


def _says(settings: RunSettings, box: str, options: Sequence[str]) -> dict[str, Any]:
    """What each field says where the settings are these, by its key.

    Args:
        settings: of a run.
        box: key of the list of backbones.
        options: in the list.
    """
    names = [name for name in flat_names() if name != "backbone"]
    backbone = value_of(settings, "backbone")
    return {
        **{key_of(name): _said(name, value_of(settings, name)) for name in names},
        box: backbone if backbone in options else options[0],
        OTHER: "" if backbone in options else backbone,
    }


def _asked(recipe: Recipe, preset: str, wanted: Mapping[str, Any]) -> RunSettings | None:
    """The settings of a job; None where they do not go with the recipe any more."""
    try:
        return make_settings(recipe.settings, wanted, preset=preset)
    except Faults:
        return None


def _said(name: str, value: Any) -> Any:
    """A setting's value as its field says it."""
    kind, _ = _typing(name)
    if kind in (int, float):
        return None if value is None else kind(value)
    return value if kind is bool or get_origin(kind) is Literal else _shown(value)


def _backbones(defaults: RunSettings, kinds: Sequence[str]) -> list[str]:
    """Of the named ones those that are here and can read the stream."""
    fitting = [row.name for row in KNOWN.values() if row.available and set(kinds) <= set(row.reads)]
    return fitting or [value_of(defaults, "backbone")]


def _names(group: str, others: Sequence[str]) -> list[str]:
    """Flat names of a group's settings, without the backbone and `others`, which stand above."""
    names = [flat_name(group, field) for field in GROUPS[group].model_fields]
    return [name for name in names if name not in ("backbone", *others)]


def _grid(
    names: Sequence[str],
    defaults: RunSettings,
    columns: Sequence[DeltaGenerator],
    first: int = 0,
) -> None:
    """Fields from left to right, the first in the column `first`."""
    for position, name in enumerate(names, first):
        with columns[position % COLUMNS]:
            _field(name, value_of(defaults, name))


def _typed(name: str, default: Any) -> Any:
    """The value that a setting's field says, whether it is drawn or not."""
    value = st.session_state[key_of(name)]
    kind, _ = _typing(name)
    is_text = kind not in (bool, int, float) and get_origin(kind) is not Literal
    return _read(value, default) if is_text else value


def _typing(name: str) -> tuple[Any, bool]:
    """What a setting is: its type, and whether it may be None."""
    group, field = flat_names()[name]
    return _unwrapped(GROUPS[group].model_fields[field].annotation)


def _meaning(name: str) -> str:
    """What a setting is for, on one line."""
    group, field = flat_names()[name]
    return " ".join(descriptions(GROUPS[group])[field].split())


def _field(name: str, default: Any) -> None:
    """The widget that fits a setting's type."""
    kind, optional = _typing(name)
    label = name.replace("_", " ")
    common: dict[str, Any] = {
        "key": key_of(name),
        "help": f"{_meaning(name)} `{name}`",
        "persist_state": "session",
    }
    if get_origin(kind) is Literal:
        st.selectbox(label, list(get_args(kind)), **common)
    elif kind is bool and optional:
        # Streamlit takes None for nothing chosen, and shows the placeholder.
        common["placeholder"] = MAYBE[None]
        st.selectbox(label, list(MAYBE), format_func=MAYBE.__getitem__, **common)
    elif kind is bool:
        st.toggle(label, **common)
    elif kind in (int, float):
        common["step"] = 1 if kind is int else _step(default)
        common["format"] = "%d" if kind is int else "%g"
        # None, so that a field that is emptied says so: without, it says 0.
        st.number_input(label, value=None, placeholder=_empty(name) if optional else None, **common)
    else:
        st.text_input(label, placeholder=_empty(name), **common)


def _unwrapped(annotation: Any) -> tuple[Any, bool]:
    """The type itself, and whether it may be None: `Annotated[int, ...] | None` is (int, True)."""
    optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
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
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _read(text: str, default: Any) -> Any:
    """What was typed: nothing is None (or no names), numbers with commas a list of them."""
    if text == _shown(default):
        return default
    if not text.strip():
        return () if isinstance(default, tuple) else None
    if isinstance(default, str):
        return text
    parts = [_part(part.strip()) for part in text.split(",")]
    return tuple(parts) if len(parts) > 1 or isinstance(default, tuple) else text


def _part(text: str) -> int | float | str:
    """A number where it is one; anything else is a name, which the settings take or refuse."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _empty(name: str) -> str:
    return "all" if name.startswith("limit") else "none"
