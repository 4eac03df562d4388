"""What-ifs of routing and merging: the controls, which of them a recipe has a place for, and what they ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.base import theme
from app.base.escaped_text import as_label
from app.shell import actions
from cl_core.adapters.compose import COMPOSITIONS, plain_compositions
from cl_core.runs.run_config import RunConfig

ROUTER, ALIKE, ORACLE = "the router", "uniform", "the true task"
"""Who chooses; the other options are the tasks, of which one is forced."""
TEMPERATURES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
MOST_BUTTONS = 10
"""Numbers from which k is chosen side by side; of more adapters, with a slider."""
HELP_K = "The k adapters with the highest router scores are kept."
KEYS = ("k", "t", "by", "drop", "how")
"""Of the widgets, and in addresses."""


@dataclass(frozen=True)
class WhatIfChoice:
    """A what-if.

    Attributes:
        fields: of `cl_core.model.what_if.WhatIf`; empty for the run's own way.
        words: what it is, for headings.
    """

    fields: dict[str, Any]
    words: str


def reasons(config: RunConfig) -> dict[str, str]:
    """By control, why a recipe has no place for it; only those that it has none for."""
    return {_control(field): why for field, why in config.recipe.what_ifs.items()}


def panel(config: RunConfig, tasks: Sequence[str], true: int | None) -> WhatIfChoice:
    """Draws the controls and returns what they ask.

    Args:
        config: of the run.
        tasks: K numbered names of the tasks learnt at this stage.
        true: the sample's own task among them; None where it has no adapter or is not known.
    """
    names = [task.name for task in config.tasks]
    why = reasons(config)
    if len(tasks) == 1 and not why:
        why = dict.fromkeys(KEYS, "one adapter is all there is so far; learn another task.")
    choosers = [
        ROUTER,
        ALIKE,
        *([ORACLE] if true is not None else []),
        *(f"only {t}" for t in tasks),
    ]
    _keep_valid("by", choosers)
    by = st.selectbox(
        "Who chooses the adapters?",
        choosers,
        key="by",
        bind="query-params",
        disabled="by" in why,
        help="The router as in the run; uniform weights; the oracle, which is told the true task; or a single adapter.",
    )
    ranked = by == ROUTER
    k, own_k = _k(config, len(tasks), "k" in why or not ranked)
    t, own_t = _temperature(config, "t" in why or not ranked)
    own_how = config.recipe.compose
    hows = list(dict.fromkeys([own_how, *plain_compositions()]))
    _keep_valid("how", hows)
    how = st.selectbox(
        "Composition",
        hows,
        key="how",
        bind="query-params",
        disabled="how" in why,
        help=" ".join(as_label(f"{name}: {COMPOSITIONS[name].summary}") for name in hows),
    )
    _keep_valid("drop", tasks, several=True)
    drop = st.multiselect(
        "Adapters left out",
        list(tasks),
        key="drop",
        bind="query-params",
        disabled="drop" in why,
        placeholder="no adapter",
    )
    # Set, not forgotten: a browser sends again what a forgotten widget showed.
    plain = {"by": ROUTER, "t": own_t, "how": own_how, "drop": []}
    if len(tasks) > 1:
        plain["k"] = own_k
    for reason in dict.fromkeys(why.values()):
        st.caption(f"{_controls(why, reason)}: {as_label(reason)}")
    if actions.pressed("As in the run", "as-in-the-run", icon=":material/undo:", width="stretch"):
        actions.then(**plain)

    fields: dict[str, Any] = {}
    if by == ALIKE:
        fields["uniform"] = True
    elif by == ORACLE and true is not None:
        fields["force"] = names[true]
    elif by is not None and by != ROUTER:
        fields["force"] = names[choosers.index(by) - len(choosers) + len(tasks)]
    if ranked and k != own_k:
        fields["k"] = k
    if ranked and t != own_t:
        fields["temperature"] = t
    if how != own_how:
        fields["compose"] = how
    if drop:
        fields["drop"] = [names[list(tasks).index(dropped)] for dropped in drop]
    return WhatIfChoice(
        {name: value for name, value in fields.items() if _control(name) not in why},
        describe(fields, names),
    )


def describe(fields: dict[str, Any], names: Sequence[str]) -> str:
    """A what-if in words: "k = 3, without 2 films"."""
    numbered = {name: theme.numbered(index, name) for index, name in enumerate(names)}
    said: dict[str, Callable[[Any], str]] = {
        "force": lambda name: f"only {numbered[name]}",
        "uniform": lambda _: ALIKE,
        "k": lambda k: f"k = {k}",
        "temperature": lambda t: f"τ = {t:g}",
        "compose": str,
        "drop": lambda dropped: "without " + ", ".join(numbered[name] for name in dropped),
    }
    return ", ".join(said[name](value) for name, value in fields.items())


def _k(config: RunConfig, most: int, disabled: bool) -> tuple[int, int]:
    """k from 1 to K, and the run's own."""
    run_k = min(config.settings.router.k, most)
    if most == 1:
        return 1, 1
    if st.session_state.get("k") not in (None, *range(1, most + 1)):
        st.session_state["k"] = run_k
    # Buttons, where there is room for them: a slider tells the server what it shows a fifth of a second later.
    label, options = _label(config, "Adapters kept, k", "k", run_k), list(range(1, most + 1))
    if most > MOST_BUTTONS:
        return st.select_slider(
            label,
            options,
            value=run_k,
            key="k",
            bind="query-params",
            disabled=disabled,
            help=HELP_K,
        ), run_k
    value = st.segmented_control(
        label,
        options,
        default=run_k,
        required=True,
        key="k",
        bind="query-params",
        disabled=disabled,
        help=HELP_K,
    )
    return value or run_k, run_k


def _temperature(config: RunConfig, disabled: bool) -> tuple[float, float]:
    """The softmax's temperature, and the run's own."""
    run_temperature = config.settings.router.temperature
    value = st.pills(
        _label(config, "Temperature τ", "temperature", run_temperature),
        sorted({*TEMPERATURES, run_temperature}),
        default=run_temperature,
        required=True,
        key="t",
        bind="query-params",
        format_func=lambda t: f"{t:g}",
        disabled=disabled,
        help="Small: nearly the top-1 adapter alone. Large: nearly equal weights of the k kept.",
    )
    return float(run_temperature if value is None else value), run_temperature


def _label(config: RunConfig, name: str, field: str, value: float) -> str:
    """With what the run has, where its recipe reads the setting."""
    return name if field in config.recipe.what_ifs else f"{name} (run: {value:g})"


def _keep_valid(key: str, options: Sequence[str], several: bool = False) -> None:
    """Forgets what is no option any more, such as a task that this stage has not learnt."""
    if key not in st.session_state:
        return
    now = st.session_state[key]
    if several:
        st.session_state[key] = [option for option in now or [] if option in options]
    elif now not in options:
        del st.session_state[key]


def _control(field: str) -> str:
    """The control that a field of a what-if comes from."""
    return {"temperature": "t", "compose": "how", "force": "by", "uniform": "by"}.get(field, field)


def _controls(why: dict[str, str], reason: str) -> str:
    called = {
        "k": "k",
        "t": "Temperature",
        "by": "Who chooses",
        "drop": "Adapters left out",
        "how": "Composition",
    }
    listed = [called[key] for key, given in why.items() if given == reason]
    return "Not applicable" if len(listed) == len(KEYS) else " and ".join(listed)
