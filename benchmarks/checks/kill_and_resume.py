"""A run that is killed and resumed ends with the same bytes as one that was left alone.

    python benchmarks/checks/kill_and_resume.py                # twenty kills, about ten minutes on two cores
    python benchmarks/checks/kill_and_resume.py --warm         # the same in a quarter of the time

A small run (DAM on `domains-dil`, a random BERT of three blocks that this script makes, a checkpoint
every second step) is carried out once undisturbed, with the command line. Then it is begun again and
again in workspaces of its own, each time killed with SIGKILL at a random moment and taken up with
`adapter-lab resume`; of those, half are killed a second time, some a third, before they may finish. One
kill in ten falls into the loading before the run's first step.

Compared byte by byte with the undisturbed run: scores.parquet, routing.parquet, the list of artifacts
and every file of tensors in it, adapters and heads first. For each kill, the phase in which it fell is
read from events.jsonl. At last, one adapter of a finished run is truncated: resuming has to name it,
compute it again and end with the same bytes.

Each process is a fresh interpreter; with --warm it is forked from one that has the imports behind it
(`tests/engine/test_kill_and_resume.py` does that), which leaves out the differences between interpreters.

Target: no byte differs. The exit status is 1 when one does, for that is a fault and not a slow machine.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from cl_core.runs.events import (
    ArtifactEvent,
    WarningEvent,
)
from cl_core.runs.workspace import Workspace

sys.path.insert(0, str(Path(__file__).resolve().parent))  # where a test imports it
from killed_process import Command, Kill, kill_at, wait_until_loading, wait_until_working

NAME, STREAM, RECIPE = "run", "domains-dil", "dam"
SETTINGS = {
    "limit_train": 40,
    "limit_validation": 8,
    "limit_test": 12,
    "epochs": 3,
    "batch_size": 4,
    "max_length": 24,
    "layer": -2,
    "learning_rate": 1e-2,
    "checkpoint_every": 2,
}


@dataclass(frozen=True)
class ReferenceRun:
    """The run that is compared with, and how long its parts took: loading, then the work itself."""

    workspace: Path
    backbone: Path
    warm: bool
    loading: float
    work: float


@dataclass(frozen=True)
class Trial:
    """One run, killed at least once, resumed until finished."""

    kills: tuple[Kill, ...]
    differences: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--warm", action="store_true", help="fork processes that have imported all")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-and-resume-") as temporary:
        folder = Path(temporary)
        backbone = make_backbone(folder / "backbone")
        undisturbed = leave_alone(folder / "undisturbed", backbone, chosen.warm)
        print(
            f"undisturbed: {undisturbed.loading:.1f} s of loading, {undisturbed.work:.1f} s of work; "
            f"moments drawn with seed {chosen.seed}",
            flush=True,
        )
        count, faults = 0, 0
        for trial in trials(folder, undisturbed, chosen.kills, chosen.seed):
            for kill in trial.kills:
                count += 1
                print(f"kill {count:2d}: {kill.phase} ({kill.seconds:.2f} s in)")
            faults += bool(trial.differences)
            print(f"         resumed to its end: {verdict(trial.differences)}", flush=True)
        message, differences = truncate_and_resume(undisturbed, folder / "before")
        faults += bool(differences)
        print(f"truncated: {message}\n         resumed to its end: {verdict(differences)}")
        print(
            f"{count} kills: {'meets' if not faults else 'misses'} the target of no byte differing"
        )
    sys.exit(1 if faults else 0)


def make_backbone(folder: Path) -> Path:
    """A random BERT of three blocks, d = 16, as a checkpoint on disk."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.backbones.checkpoints import write_checkpoint

    return write_checkpoint("bert", folder)


def leave_alone(workspace: Path, backbone: Path, warm: bool = False) -> ReferenceRun:
    """The run, begun and finished by one process."""
    folder = Workspace(workspace).run(NAME)
    process = begin(workspace, backbone, warm)
    loaded = wait_until_loading(process, folder)
    started = wait_until_working(process, folder, 0)
    process.finish()
    # The work ends with its last event: what follows is the report, and the interpreter's end.
    moments = [datetime.fromisoformat(event.time) for event in folder.events]
    work = (moments[-1] - moments[0]).total_seconds()
    return ReferenceRun(workspace, backbone, warm, started - loaded, work)


def trials(
    folder: Path,
    undisturbed: ReferenceRun,
    kills: int,
    seed: int,
    again: float = 0.5,
) -> Iterator[Trial]:
    """Runs that are killed and resumed, until `kills` kills have been dealt.

    Args:
        folder: workspaces go below it.
        undisturbed: what the results are compared with.
        kills: how many there are in all.
        seed: of the moments.
        again: probability that a resumed run is killed once more.
    """
    draw = np.random.default_rng(seed)
    backbone, warm = undisturbed.backbone, undisturbed.warm
    number = 0
    while kills > 0:
        workspace = folder / f"trial{number}"
        number += 1
        dealt: list[Kill] = []
        left = undisturbed.work
        process = begin(workspace, backbone, warm)
        while not dealt or (len(dealt) < kills and draw.random() < again):
            if dealt:
                process = resume(workspace, warm)
            in_loading = draw.random() < 0.1
            moment = draw.uniform(0, undisturbed.loading if in_loading else left)
            kill = kill_at(process, Workspace(workspace).run(NAME), moment, in_loading)
            if kill is None:  # it had finished before
                break
            dealt.append(kill)
            left = left if in_loading else max(left - moment, undisturbed.work / 10)
        if not dealt:
            continue
        resume(workspace, warm).finish()
        kills -= len(dealt)
        yield Trial(tuple(dealt), compare(workspace, undisturbed.workspace))


def begin(workspace: Path, backbone: Path, warm: bool) -> Command:
    """Starts the run."""
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    names = ["--stream", STREAM, "--recipe", RECIPE, "--name", NAME, "--backbone", str(backbone)]
    return Command(["run", *names, "--device", "cpu", *settings], workspace, warm)


def resume(workspace: Path, warm: bool) -> Command:
    """Takes the run up where it was left."""
    return Command(["resume", NAME], workspace, warm)


def compare(workspace: Path, undisturbed: Path, name: str = NAME) -> tuple[str, ...]:
    """The names of all results of a run whose bytes differ."""
    mine, wanted = results(workspace, name), results(undisturbed, name)
    return tuple(
        file for file in sorted(mine.keys() | wanted.keys()) if mine.get(file) != wanted.get(file)
    )


def results(workspace: Path, name: str = NAME) -> dict[str, bytes]:
    """Name to bytes: a run's tables, its list of artifacts, their hashes and every artifact's tensors."""
    opened = Workspace(workspace)
    run = opened.run(name)
    tables = ("scores.parquet", "routing.parquet", "artifacts.json")
    contents = {name: (run.path / name).read_bytes() for name in tables}
    hashes = json.loads((run.path / "hashes.json").read_bytes())
    lasting = {name: hashes["files"][name] for name in ("run.yaml", *tables)}
    lasting["before"] = hashes.get("before", {})
    contents["hashes.json"] = json.dumps([lasting, hashes["artifacts"]]).encode()
    for name, key in run.artifacts().items():
        file = opened.store.folder(name.split("/")[0], key) / "tensors.safetensors"
        contents[name] = file.read_bytes() if file.is_file() else b""
    if not any(name.startswith(("adapter/", "shared/")) for name in contents):
        raise RuntimeError("the run names no adapter: there is nothing to compare")
    return contents


def truncate_and_resume(undisturbed: ReferenceRun, before: Path) -> tuple[str, tuple[str, ...]]:
    """Cuts one adapter of the finished run in half, resumes, and compares with what was there.

    Args:
        undisturbed: its adapter is cut.
        before: a folder for a copy of the workspace as it was.

    Returns:
        What the run said of the damage, and the names of all results that differ.

    Raises:
        RuntimeError: the run did not name the artifact, or did not compute it again.
    """
    shutil.copytree(undisturbed.workspace, before)
    workspace = Workspace(undisturbed.workspace)
    run = workspace.run(NAME)
    names = [name for name in run.artifacts() if name.startswith("adapter/")]
    key = run.artifacts()[names[len(names) // 2]]
    file = workspace.store.folder("adapter", key) / "tensors.safetensors"
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)
    count = len(run.events)
    resume(undisturbed.workspace, undisturbed.warm).finish()
    since = run.events[count:]
    said = [
        event.message for event in since if isinstance(event, WarningEvent) and key in event.message
    ]
    again = [event for event in since if isinstance(event, ArtifactEvent) and event.key == key]
    if not said:
        raise RuntimeError(f"the run did not name the truncated adapter {key}")
    if not again or again[0].reused:
        raise RuntimeError(f"the truncated adapter {key} was not computed again")
    return said[0], compare(undisturbed.workspace, before)


def verdict(differences: Sequence[str]) -> str:
    """In words."""
    return f"DIFFERS in {', '.join(differences)}" if differences else "every byte is the same"


if __name__ == "__main__":
    main()
