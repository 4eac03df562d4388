"""Makes the bundled demonstration anew: `python -m app.demonstration_assets`, some ten minutes on two CPU cores.

Every run is carried out from its built-in stream as `adapter-lab run` does it, with a fixed seed and on the CPU; then
the maps are computed, and what pages read is copied. What no page reads stays behind: `NAMED` says what goes along.
`--check` makes the runs anew and compares them with the bundled ones, and changes nothing.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from app.data.bundled import NAMES, RUNS, SEED, BundledRun
from app.data.runs import DEMONSTRATION
from app.workers import scored_rows
from app.workers.map_key import KIND, METHODS, inputs_of
from app.workers.projection_worker import project
from cl_core.analysis.embeddings import find_embeddings
from cl_core.analysis.oracle_answers import explain_losses
from cl_core.api import run as carry_out
from cl_core.archive.needs import keys_of
from cl_core.archive.prune import folder_bytes
from cl_core.cli.output import TerminalWatcher, say
from cl_core.engine.execution import Watcher
from cl_core.errors import UserError, counted
from cl_core.reports.report import Report
from cl_core.runs.events import ArtifactEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import READ_ONLY, Workspace
from cl_core.store import key, write_text

NAMED = ("adapter", "shared", "router", "network")
"""Kinds of artifacts that go along where a run names them: what its model answers with.

With them go its test samples themselves, the features that its router reads, the maps of these, one of each task's
states, through which `cl_core.analysis.embeddings` finds the features, and how long each took. L2R's memory, I2I's
fusions and what the vision encoder saw of each clip stay behind: no page reads them, and a copy that goes on makes
them again.
"""
NOTE = """The bundled demonstration of Adapter Lab. While this file is here, nothing in this folder is ever written.
It is made by `make demo-assets`; the lab copies it into your own workspace when you want to work with it.
"""
LARGEST_MB = 25
TOLERANCE = 0.05
"""Of a score: other processors round differently, and of 60 test samples three may tip over."""


def make(workspace: Workspace, runs: Sequence[BundledRun], watcher: Watcher | None = None) -> None:
    """Carries the runs out, explains their losses and computes their maps.

    Args:
        workspace: gets them; what it has already is not computed again.
        runs: which.
        watcher: is told what happens.
    """
    for bundled in runs:
        carry_out(
            bundled.stream,
            bundled.recipe,
            name=bundled.name,
            seed=SEED,
            workspace=workspace.root,
            device="cpu",
            precision="float32",
            watcher=watcher,
            **bundled.settings,
        )
    for bundled in runs:
        run = workspace.find(bundled.name)
        scored_rows.keep(workspace, run)
        if not run.config.recipe.shares_adapter:
            explain_losses(workspace, run, "cpu")
        embeddings = find_embeddings(workspace, run)
        if embeddings is not None:
            project(workspace, workspace, embeddings)


def pack(workspace: Workspace, target: Path, runs: Sequence[BundledRun]) -> None:
    """Copies what pages read of the runs to a folder, which is replaced.

    Raises:
        UserError: it would be too large to bundle.
    """
    packed = Workspace(target.with_name(f"{target.name}.new"))
    shutil.rmtree(packed.root, ignore_errors=True)
    for bundled in runs:
        folder = workspace.find(bundled.name)
        shutil.copytree(
            folder.path, packed.run(bundled.name).path, ignore=shutil.ignore_patterns("*.lock")
        )
        for kind, artifact_key in needed(workspace, folder):
            destination = packed.store.folder(kind, artifact_key)
            if not destination.is_dir():
                shutil.copytree(workspace.store.folder(kind, artifact_key), destination)
    write_text(packed.root / READ_ONLY, NOTE)
    size = folder_bytes(packed.root) / 1e6
    if size > LARGEST_MB:
        raise UserError(f"{packed.root} has {size:.1f} MB; at most {LARGEST_MB} are bundled")
    shutil.rmtree(target, ignore_errors=True)
    packed.root.rename(target)


def needed(workspace: Workspace, run: RunFolder) -> set[tuple[str, str]]:
    """(kind, key) of the artifacts of a run that pages read; see `NAMED`.

    Raises:
        UnknownNeeds: the run cannot say.
    """
    keys_of([run])
    artifacts: set[tuple[str, str]] = set()
    states: dict[str, str] = {}
    for name, artifact_key in run.artifacts().items():
        kind, _, rest = name.partition("/")
        if kind in NAMED:
            artifacts.add((kind, artifact_key))
        elif kind == "states":
            states[rest.partition("/")[2].partition("/")[0]] = artifact_key
    artifacts |= {("states", artifact_key) for artifact_key in states.values()}
    embeddings = find_embeddings(workspace, run)
    if embeddings is not None:
        artifacts |= {("features", artifact_key) for artifact_key in embeddings.keys}
        artifacts |= {(KIND, key(KIND, inputs_of(embeddings, method))) for method in METHODS}
    artifacts.add((scored_rows.KIND, key(scored_rows.KIND, scored_rows.inputs_of(run.config))))
    for event in run.events:
        if isinstance(event, ArtifactEvent) and event.kind == "features":
            inputs = workspace.store.inputs("features", event.key)
            if (
                inputs is not None and "layer" in inputs
            ):  # training samples' too: neighbours are looked for among them
                artifacts.add(("features", event.key))
    timings = {
        ("timing", key("timing", {"artifact": artifact_key})) for _, artifact_key in artifacts
    }
    return artifacts | {timing for timing in timings if workspace.store.has(*timing)}


def differences(fresh: RunFolder, bundled: RunFolder) -> list[str]:
    """In what a run made anew differs from the bundled one: settings, keys of artifacts, scores.

    Keys of states hold the hash of routing weights, whose last bit differs between processors: they are not compared.
    """
    lines = []
    if fresh.config != bundled.config:
        lines.append("run.yaml differs")
    new, old = (_keys(run.artifacts()) for run in (fresh, bundled))
    lines += [
        f"artifact {name} is {new.get(name, 'missing')[:12]}, bundled is {old.get(name, 'missing')[:12]}"
        for name in sorted(new.keys() | old.keys())
        if new.get(name) != old.get(name)
    ]
    scores, bundled_scores = Report(fresh).matrix, Report(bundled).matrix
    if scores.shape != bundled_scores.shape or not np.allclose(
        scores, bundled_scores, rtol=0, atol=TOLERANCE, equal_nan=True
    ):
        largest = (
            np.nanmax(np.abs(scores - bundled_scores))
            if scores.shape == bundled_scores.shape
            else math.nan
        )
        lines.append(f"the score matrices differ by up to {largest:.3f}")
    return lines


def _keys(names: Mapping[str, str]) -> dict[str, str]:
    return {name: key for name, key in names.items() if not name.startswith("states/")}


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=DEMONSTRATION, help="folder to make")
    parser.add_argument(
        "--work", type=Path, help="workspace to make it in, kept; else a temporary one"
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="some of the runs")
    parser.add_argument("--check", action="store_true", help="compare with the bundled one instead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Workspace(asked.work or Path(temporary) / "workspace")
        runs = [run for run in RUNS if run.name in asked.only]
        make(workspace, runs, TerminalWatcher())
        if not asked.check:
            pack(workspace, asked.target, runs)
            say(
                f"{asked.target}: {folder_bytes(asked.target) / 1e6:.1f} MB, {counted(len(runs), 'run')}"
            )
            return
        bundled = Workspace(asked.target)
        lines = [
            f"{run.name}: {difference}"
            for run in runs
            for difference in differences(workspace.find(run.name), bundled.find(run.name))
        ]
    say("\n".join(lines) or f"what is bundled: {counted(len(runs), 'run')}")
    raise SystemExit(1 if lines else 0)


if __name__ == "__main__":
    main()
