"""All settings of a run: the parts' own models side by side, and their flat names for `--set`.

Every leaf has a name of its own (`epochs`, `k`, `limit`), so the terminal and the app need no
dotted paths; `train.epochs` works too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

import yaml
from pydantic import ValidationError, field_validator

from cl_core.adapters.settings import (
    AdapterSettings,
    AnswerSettings,
    FusionSettings,
    MergeSettings,
)
from cl_core.backbones.settings import BackboneSettings
from cl_core.bounded_files import yaml_value
from cl_core.errors import Faults, UserError, did_you_mean, short
from cl_core.initialise.settings import ImproviseSettings
from cl_core.limits import ADAPTERS, BATCH_ROWS, COUNT, SEED, TooLarge
from cl_core.route.settings import MemorySettings, RouterNetworkSettings, RouterSettings
from cl_core.settings import Settings, allowed, no_longer, within
from cl_core.tasks.spec import Ground
from cl_core.train.settings import PRESETS, BaselineSettings, TrainSettings


class DataSettings(Settings):
    """Which samples of each task are used, and on what they are seen.

    Subsets are stratified by class and drawn with `limit_seed`.
    """

    limit: Annotated[int, within(COUNT)] | None = None
    """At most this many samples in each split; null for all."""
    limit_train: Annotated[int, within(COUNT)] | None = None
    """At most this many training samples; overrides `limit`."""
    limit_validation: Annotated[int, within(COUNT)] | None = None
    """At most this many validation samples; overrides `limit`."""
    limit_test: Annotated[int, within(COUNT)] | None = None
    """At most this many test samples; overrides `limit`."""
    hold_out: Annotated[tuple[str, ...], no_longer(ADAPTERS)] = ()
    """Tasks that are not learnt, only routed to the others' adapters and scored: films,books or a list."""
    limit_seed: Annotated[int, within(SEED, least=-SEED.most)] = 0
    """Draws the subset; the same for every seed of a run, so that seeds differ in training alone."""
    ground: Ground | None = None
    """What shows where pictures and clips are transparent, white, black or "#rrggbb"; null for what the stream says."""

    @field_validator("hold_out", mode="before")
    @classmethod
    def _names_with_commas(cls, names: Any) -> Any:
        """Names side by side are a list: what one types after `--set`."""
        if isinstance(names, str):
            return tuple(name.strip() for name in names.split(",") if name.strip())
        return names

    def limits(self) -> dict[str, int | None]:
        """Rows per split; None for all."""
        return {
            "train": self.limit_train or self.limit,
            "validation": self.limit_validation or self.limit,
            "test": self.limit_test or self.limit,
        }


class EvaluateSettings(Settings):
    """What is evaluated at each stage, and how heads answer together."""

    head_rule: Literal["auto", "direct", "compose", "top1"] = "auto"
    """CIL: how the heads of several tasks answer together. `auto` depends on the router, see docs/methods.md."""
    split: Literal["test", "validation"] = "test"
    """The split that is scored."""
    unseen: bool = False
    """Whether tasks not yet learnt are scored too, which forward transfer needs; in CIL they are only routed."""
    eval_batch_size: Annotated[int, within(BATCH_ROWS)] = 32
    """Samples per forward pass. It changes speed, and results by no more than rounding."""


class RunSettings(Settings):
    """Everything that a run's numbers depend on, but for the stream and the recipe's four choices."""

    backbone: BackboneSettings = BackboneSettings()
    adapter: AdapterSettings = AdapterSettings()
    answers: AnswerSettings = AnswerSettings()
    train: TrainSettings = TrainSettings()
    router: RouterSettings = RouterSettings()
    memory: MemorySettings = MemorySettings()
    network: RouterNetworkSettings = RouterNetworkSettings()
    improvise: ImproviseSettings = ImproviseSettings()
    fusion: FusionSettings = FusionSettings()
    baselines: BaselineSettings = BaselineSettings()
    merging: MergeSettings = MergeSettings()
    data: DataSettings = DataSettings()
    evaluate: EvaluateSettings = EvaluateSettings()


GROUPS: dict[str, type[Settings]] = {
    "backbone": BackboneSettings,
    "adapter": AdapterSettings,
    "answers": AnswerSettings,
    "train": TrainSettings,
    "router": RouterSettings,
    "memory": MemorySettings,
    "network": RouterNetworkSettings,
    "improvise": ImproviseSettings,
    "fusion": FusionSettings,
    "baselines": BaselineSettings,
    "merging": MergeSettings,
    "data": DataSettings,
    "evaluate": EvaluateSettings,
}


_FLAT = {("backbone", "name"): "backbone"}  # "name" alone would be taken for the run's


def flat_name(group: str, field: str) -> str:
    """What `--set` calls a field: its own name, but for the few that would be ambiguous."""
    return _FLAT.get((group, field), field)


@cache
def flat_names() -> Mapping[str, tuple[str, str]]:
    """Maps each setting's flat name to its group and field: {"epochs": ("train", "epochs"), ...}."""
    names: dict[str, tuple[str, str]] = {}
    for group, model in GROUPS.items():
        for field in model.model_fields:
            name = flat_name(group, field)
            if name in names:
                raise ValueError(f"setting '{name}' is in both '{names[name][0]}' and '{group}'")
            names[name] = (group, field)
    return MappingProxyType(names)


def group_names(group: str) -> set[str]:
    """Flat names of a group's settings; empty where there is no such group."""
    fields = GROUPS[group].model_fields if group in GROUPS else ()
    return {flat_name(group, field) for field in fields}


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Turns ["epochs=1", "limit=60"] into {"epochs": 1, "limit": 60}; values are read as YAML.

    Raises:
        Faults: every assignment without "=".

    >>> parse_assignments(["epochs=1", "hold_out=films", "ground=#ff0000"])
    {'epochs': 1, 'hold_out': 'films', 'ground': '#ff0000'}
    """
    values: dict[str, Any] = {}
    faults = []
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            faults.append(f"'{assignment}' is not of the form name=value, such as epochs=3")
            continue
        try:
            colour = value.strip().startswith("#")  # which YAML would take for a remark
            values[name.strip()] = value.strip() if colour else yaml_value(value)
        except (yaml.YAMLError, TooLarge) as error:
            faults.append(f"'{name.strip()}': the value cannot be read ({error})")
    if faults:
        raise Faults("--set", faults)
    return values


def make_settings(*layers: Mapping[str, Any], preset: str = "default") -> RunSettings:
    """Builds the settings from flat names; later layers win over earlier ones.

    Args:
        layers: mappings such as a recipe's own settings and the user's; "train.epochs" means the same as "epochs".
        preset: a name of `PRESETS`, applied first.

    Raises:
        Faults: every unknown name (with the closest known one) and every value that does not fit.
    """
    if preset not in PRESETS:
        raise UserError(f"there is no preset '{preset}'; choose one of {', '.join(PRESETS)}")
    names = flat_names()
    values: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    faults = []
    for layer in (PRESETS[preset], *layers):
        for name, value in layer.items():
            group, _, leaf = name.rpartition(".")
            if leaf not in names or (group and group != names[leaf][0]):
                faults.append(f"there is no setting '{name}'.{did_you_mean(leaf, names)}")
            else:
                own_group, field = names[leaf]
                values[own_group][field] = value
    parts: dict[str, Settings] = {}
    for group, model in GROUPS.items():
        try:
            parts[group] = model(**values[group])
        except ValidationError as error:
            for problem in error.errors():
                leaf, *inner = map(str, problem["loc"] or (group,))
                where = ".".join([flat_name(group, leaf), *inner])
                if problem["type"] == "value_error":  # which says what was found
                    faults.append(f"{where} {problem['ctx']['error']}")
                else:
                    faults.append(f"{where}={short(problem['input'])}: {allowed(problem)}")
    if faults:
        raise Faults("settings", [*faults, "known settings: " + ", ".join(sorted(names))])
    return RunSettings(**parts)
