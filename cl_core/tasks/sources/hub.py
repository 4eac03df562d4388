"""Data sets on the hub: pinned to a revision, without remote code."""

from __future__ import annotations

from pathlib import Path

from cl_core.errors import UserError
from cl_core.tasks.raw_rows import Fault, RawTask
from cl_core.tasks.sources.files import read_datasets
from cl_core.tasks.spec import TaskSpec

MOVING = ("main", "master", "head")


def read_hub(spec: TaskSpec, *, snapshot: Path | None = None, cache: Path | None = None) -> RawTask:
    """Reads a task's rows from the hub; faults are collected, not raised.

    `datasets` is called without remote code: a data set that is a script is refused.

    Args:
        spec: its `hub`, `config`, `revision` and `split`.
        snapshot: a local folder laid out like the repository, read instead of it.
        cache: where `datasets` keeps its copy; its own default where None.
    """
    repository = (spec.hub or "").removeprefix("hub:")
    source = f"hub:{repository}"
    if loose := unpinned(spec):
        return RawTask(spec.name, source, {}, faults=(Fault(spec.name, None, loose, source),))
    from datasets import Dataset, load_dataset

    try:
        dataset = load_dataset(
            str(snapshot) if snapshot is not None else repository,
            name=spec.config,
            revision=None if snapshot is not None else spec.revision,
            cache_dir=None if cache is None else str(cache),
        )
    # The hub's client raises many kinds; all of them end as a fault of this task beside those of the others.
    except (OSError, ValueError, RuntimeError, UserError, ImportError) as error:
        fault = Fault(spec.name, None, explain(error, spec), source)
        return RawTask(spec.name, source, {}, faults=(fault,))
    splits = {"train": dataset} if isinstance(dataset, Dataset) else dict(dataset)
    return read_datasets(splits, spec, f"{source}@{spec.revision}")


def unpinned(spec: TaskSpec) -> str | None:
    """What to do about a missing or moving revision, or None when it is pinned."""
    repository = (spec.hub or "").removeprefix("hub:")
    if spec.revision is not None and spec.revision.lower() not in MOVING:
        return None
    fault = (
        "has no revision"
        if spec.revision is None
        else f"has revision '{spec.revision}', which moves"
    )
    return (
        f"{fault}; pin it, so that the data cannot change under a run: open "
        f"https://huggingface.co/datasets/{repository}/commits/main, copy the newest commit's hash and add "
        'revision: "<hash>" to the task. A local copy needs none: give its folder as path'
    )


def explain(error: Exception, spec: TaskSpec) -> str:
    """What went wrong with the hub, and what to do."""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    if "script" in text and isinstance(error, RuntimeError):
        return (
            "the data set is a script, and remote code is never run; choose a parquet copy of it (the hub keeps "
            "one under the revision refs/convert/parquet: pin one of its commits)"
        )
    if "onfig" in text and isinstance(error, ValueError):
        return f"config '{spec.config}' does not fit: {text}"
    offline = ("Offline", "Connection", "LocalEntryNotFound", "Timeout", "MaxRetry")
    if any(word in kind or word in text for word in offline) or "Couldn't reach" in text:
        return (
            f"the hub cannot be reached and no copy is in the local cache ({kind}); go online once, or download "
            "the data set and give its folder as path"
        )
    return f"cannot be loaded at revision {spec.revision}: {kind}: {text}"
