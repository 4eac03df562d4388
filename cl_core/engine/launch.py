"""Preparing runs: from what the user asked for to a run folder, and from an old one to its stream."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cl_core.errors import UserError
from cl_core.limits import SEED
from cl_core.recipes.named import load_recipe
from cl_core.recipes.recipe import Recipe
from cl_core.recipes.settings import DataSettings, make_settings
from cl_core.runs.run_config import RunConfig, TaskSummary
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from cl_core.tasks.stream import vocabulary

if TYPE_CHECKING:
    from cl_core.device import Precision
    from cl_core.tasks.stream import Stream
    from cl_core.tasks.task import Task


def open_stream(source: str, protocol: str | None, data: DataSettings) -> Stream:
    """Loads and checks a stream, cut to the settings' limits.

    Raises:
        UserError: it does not exist, or has faults; all of them are listed.
    """
    from cl_core.tasks.stream_loader import load_stream

    return load_stream(
        source,
        protocol=protocol,
        limits=data.limits(),
        limit_seed=data.limit_seed,
        hold_out=data.hold_out,
        ground=data.ground,
    )


def default_name(stream: str, recipe: Recipe, seed: int) -> str:
    """What a run is called that was given no name: stream, recipe and seed, as a file name."""
    source = Path(stream)
    plain = source.stem if source.suffix in (".yaml", ".yml") else source.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{plain}-{recipe.name}-{seed}")


def prepare(
    workspace: Workspace,
    stream: str,
    recipe: str | Recipe = "dam",
    *,
    name: str | None = None,
    seed: int = 0,
    preset: str = "default",
    settings: Mapping[str, Any] | None = None,
    protocol: Literal["til", "cil", "dil"] | None = None,
    device: str = "auto",
    precision: Precision = "auto",
) -> tuple[RunFolder, Stream]:
    """Checks everything and creates the run's folder; nothing is computed yet.

    Args:
        workspace: where the run goes.
        stream: a preset's name or the path of a stream file.
        recipe: a recipe or the name of one.
        name: of the run; by default stream, recipe and seed.
        seed: of initialisation, order and dropout.
        preset: named training settings.
        settings: single settings by their flat names, over those of preset and recipe.
        protocol: overrides the stream's.
        device: "auto", "cpu", "cuda" or "cuda:n".
        precision: of forward passes.

    Raises:
        UserError: something asked for does not exist or does not fit, a run of this name has other settings, or the
            workspace is read-only.
    """
    if abs(seed) > SEED.most:
        raise UserError(f"the seed is {seed}; allowed are -{SEED.shown} to {SEED.shown}")
    chosen = load_recipe(recipe) if isinstance(recipe, str) else recipe
    chosen.check()
    run_settings = make_settings(chosen.settings, settings or {}, preset=preset)
    chosen.check_settings(run_settings)
    run = workspace.run(name or default_name(stream, chosen, seed))
    loaded = open_stream(stream, protocol, run_settings.data)
    source = str(Path(stream).resolve()) if Path(stream).suffix in (".yaml", ".yml") else stream
    config = RunConfig(
        name=run.name,
        stream=source,
        stream_name=loaded.name,
        protocol=loaded.protocol,
        recipe=chosen,
        settings=run_settings,
        seed=seed,
        device=device,
        precision=precision,
        label_space=tuple(loaded.label_space.names),
        vocabulary=vocabulary(loaded) if run_settings.answers.answers == "embeddings" else (),
        tasks=summarise_tasks(loaded, loaded.tasks),
        held_out=summarise_tasks(loaded, loaded.held_out),
    )
    if not run.exists:
        workspace.check_writable()
        run.path.mkdir(parents=True, exist_ok=True)
        # Of two that begin it at once, the second meets what the first wrote.
        with RunLock(run.lock_path):
            if not run.exists:
                run.create(config)
    words: Any = {"recipe": {"summary", "source"}}  # what a recipe is described with changes no run
    differences = _differences(
        run.config.model_dump(exclude=words), config.model_dump(exclude=words)
    )
    if differences and run.status == "failed" and not run.learnt:
        workspace.check_writable()  # it came to nothing, and holds nobody to what it was
        run.create(config)
        run.__dict__.pop("config", None)
    elif differences:
        raise UserError(
            f"run '{run.name}' exists with other settings: {'; '.join(differences)}. Choose another --name, "
            f"or remove {run.path}"
        )
    return run, loaded


def reopen(run: RunFolder) -> Stream:
    """Loads the stream of an existing run again.

    Raises:
        UserError: its data are gone, or it is no longer what it was: the data of a task, the order of tasks, which are
            learnt, or what their labels are.
    """
    config = run.config
    stream = open_stream(run.stream_source, config.protocol, config.settings.data)
    if change := _change(config, stream):
        raise UserError(
            f"run '{run.name}' cannot go on: {change} changed since it began. "
            "Start a new run; whatever is unchanged is not computed again"
        )
    return stream


def _change(config: RunConfig, stream: Stream) -> str:
    """What a stream is no longer as a run has it; "" where it is."""
    tasks, held_out = (
        summarise_tasks(stream, stream.tasks),
        summarise_tasks(stream, stream.held_out),
    )
    now = {task.name: task.fingerprint for task in (*tasks, *held_out)}
    changed = [task.name for task in config.all_tasks if now.get(task.name) != task.fingerprint]
    if changed or len(now) != len(config.all_tasks):
        return f"the data of {', '.join(changed) or 'its stream'}"
    names = [[task.name for task in part] for part in (tasks, held_out)]
    if names != [[task.name for task in part] for part in (config.tasks, config.held_out)]:
        return "the order of its tasks, or which of them are held out,"
    labels = {task.name: task.labels for task in (*tasks, *held_out)}
    if tuple(stream.label_space.names) != config.label_space or any(
        labels[task.name] != task.labels for task in config.all_tasks
    ):
        return "which labels its tasks share"
    return ""


def summarise_tasks(stream: Stream, tasks: Sequence[Task]) -> tuple[TaskSummary, ...]:
    """What a run folder remembers of some of a stream's tasks."""
    return tuple(
        TaskSummary(
            name=task.name,
            label_names=task.label_names,
            labels=tuple(stream.label_space.global_index(task.name)),
            rows={split: len(rows) for split, rows in task.splits.items()},
            fingerprint=task.fingerprint,
            ground=task.ground,
        )
        for task in tasks
    )


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Names the leaves in which two nested mappings differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted(old.keys() | new.keys())
        parts = [
            _differences(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))
            for name in names
        ]
        return [difference for part in parts for difference in part]
    if old == new:
        return []
    if isinstance(old, list | tuple):
        return [f"{path} differ"]
    return [f"{path} was {old!r}, now {new!r}"]
