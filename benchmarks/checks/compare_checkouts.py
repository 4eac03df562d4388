"""Two checkouts carry out the same small runs: are scores, routing records and artifacts what they were?

    git worktree add ../before main
    python benchmarks/checks/compare_checkouts.py ../before .          # some three minutes on one core
    python benchmarks/checks/compare_checkouts.py ../before . --all    # every recipe, more compositions, every protocol

Each checkout, in a process of its own with one thread, trains six recipes on a stream of texts, one of pictures and
one of questions about pictures: built-in, a few rows each, on tiny random backbones that both read. Then the runs are
looked at (`checkout_runs.py`): `explain`, `vary`, `merge`, and samples under what-ifs.

Every file of both workspaces is compared byte by byte: tables, lists of artifacts, the store with its keys and tensors,
and what was said. Left out are times (in events the fields of `TIMES`, of timings all but their keys) and what
describes the machine. The exit status is 1 where anything else differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent
RECIPES: tuple[str, ...] = ("dam", "l2r-wavg", "i2i-ff", "sequential", "epi", "replay")
OTHERS = (
    *("l2r-merge", "i2i-ll", "adapters", "adapter-fusion", "s-prompts", "average-merge"),
    *("joint", "ewc", "lwf"),
)
"""With --all."""
MIXES = {
    how: {"initialise": "previous", "train": "isolated", "route": "centroid", "compose": how}
    for how in ("select", "average", "ensemble", "ties", "fisher")
}
"""With --all: DAM with another composition."""
SIZES = "train=20,validation=8,test=8"
STREAMS = {
    "text": ("dil", [f"builtin: domains/{name}" for name in ("restaurants", "films", "products")]),
    "image": (
        "cil",
        [f"kind: image, builtin: 'scenes/{style}:{SIZES}'" for style in ("flat", "neon")],
    ),
    "qa": (
        "dil",
        [f"kind: image-qa, builtin: 'questions/{about}:{SIZES}'" for about in ("count", "shape")],
    ),
}
"""Protocol and tasks of each stream."""
SETTINGS: dict[str, Any] = {
    "limit_train": 20,
    "limit_validation": 8,
    "limit_test": 8,
    "epochs": 3,
    "router_epochs": 3,
    "batch_size": 4,
    "max_length": 24,
    "layer": -2,
    "learning_rate": 1e-2,
    "memory": 0.3,
    "fisher_rows": 4,
    "image_grid": 2,
    "unseen": True,
}
TIMES = ("time", "seconds", "process", "peak_memory_bytes", "peak_gpu_memory_bytes")
"""Fields of events that differ each time."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument("after", type=Path, help="another, or the same: what differs every time?")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--all", action="store_true", help="all recipes under all protocols")
    parser.add_argument("--keep", type=Path, help="an empty folder for both, to look into")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-checkouts-"))
        folder = (chosen.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        checkouts = {"before": chosen.before.resolve(), "after": chosen.after.resolve()}
        world = make_world(folder, checkouts, chosen.recipes, chosen.all)
        for name, checkout in checkouts.items():
            carry_out(checkout, folder / name, world)
        before, after = (files(folder / name) for name in checkouts)
        lines = list(differences(before, after))
    for line in lines:
        print(line)
    runs = sum(name.endswith("scores.parquet") for name in after)
    print(f"{runs} runs, {len(before | after)} files: {len(lines) or 'none'} differ")
    sys.exit(1 if lines else 0)


def make_world(
    folder: Path, checkouts: dict[str, Path], recipes: Sequence[str], everything: bool
) -> Path:
    """Tiny backbones and streams on disk; returns the file that lists the runs."""
    sys.path.insert(0, str(HERE.parents[1]))
    from tests.backbones.checkpoints import write_checkpoint
    from tests.backbones.small_vision import write_vision
    from tests.backbones.test_image_loader import write_open_clip

    words = str(write_checkpoint("bert", folder / "bert"))
    backbones = {
        "text": {"backbone": words},
        "image": {"backbone": str(write_open_clip(folder / "clip"))},
        "qa": {"backbone": words, "vision": str(write_vision(folder / "vit"))},
    }
    mixes = MIXES if everything else {}
    names = [*recipes, *(OTHERS if everything else ()), *mixes]
    runs = []
    for kind, (default, tasks) in STREAMS.items():
        numbered = zip(("first", "second", "third"), tasks, strict=False)
        lines = "".join(f"  - {{name: {name}, {task}}}\n" for name, task in numbered)
        file = folder / f"{kind}.yaml"
        file.write_text(f"name: {kind}\nprotocol: {default}\ntasks:\n{lines}")
        for protocol in ("til", "cil", "dil") if everything else (default,):
            for name in names:
                slots = {"slots": {"name": name, **mixes[name]}} if name in mixes else {}
                run = {"name": f"{kind}-{protocol}-{name}", "recipe": name, **slots}
                run |= {"stream": str(file), "protocol": protocol, "settings": backbones[kind]}
                runs.append(run)
    world = folder / "world.json"
    named = {name: str(checkout) for name, checkout in checkouts.items()}
    world.write_text(json.dumps({"checkouts": named, "runs": runs, "settings": SETTINGS}))
    return world


def carry_out(checkout: Path, workspace: Path, world: Path) -> None:
    """All runs into a folder, by a checkout's code and, where it has one, its interpreter."""
    workspace.mkdir()
    python = checkout / ".venv" / "bin" / "python"
    subprocess.run(
        [str(python) if python.exists() else sys.executable, HERE / "checkout_runs.py", world],
        cwd=workspace,
        env={
            **os.environ,
            "PYTHONPATH": str(checkout),
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        },
        check=True,
    )


def files(folder: Path) -> dict[str, Path]:
    """All files below a folder that are the same each time, by their names in it."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    # Hashes are of these very files, and of events and environments, which differ each time.
    passing = ("environment.json", "hashes.json", ".lock", "lock")
    return {name: path for name, path in paths.items() if not name.endswith(passing)}


def differences(before: dict[str, Path], after: dict[str, Path]) -> Iterator[str]:
    """A line for each file that differs or is of one of them alone."""
    for name in sorted(before.keys() | after.keys()):
        if name not in after or name not in before:
            yield f"{name}: only {'before' if name in before else 'after'}"
        elif "/timing/" not in name and (what := difference(before[name], after[name])):
            yield f"{name}: {what}"


def difference(before: Path, after: Path) -> str:
    """What two files of one name differ in; empty where in nothing but times."""
    if before.read_bytes() == after.read_bytes():
        return ""
    match before.suffix:
        case ".parquet":
            tables = [pq.read_table(path) for path in (before, after)]
            columns = set(tables[0].column_names) | set(tables[1].column_names)
            same = {
                name
                for name in set(tables[0].column_names) & set(tables[1].column_names)
                if tables[0][name].equals(tables[1][name])
            }
            return f"columns {', '.join(sorted(columns - same)) or '(their encoding alone)'}"
        case ".safetensors":
            tensors = [load_file(path) for path in (before, after)]
            if tensors[0].keys() != tensors[1].keys():
                return f"tensors {', '.join(sorted(tensors[0].keys() ^ tensors[1].keys()))}"
            pairs = [(tensors[0][name], tensors[1][name]) for name in tensors[0]]
            if any(one.shape != other.shape for one, other in pairs):
                return "shapes of its tensors"
            worst = max(float(np.abs(one - other).max(initial=0)) for one, other in pairs)
            return f"numbers, by {worst:.3g} at most"
        case ".jsonl":
            return first_difference(timeless(before), timeless(after))
        case ".json":
            return first_difference(*(json.loads(path.read_text()) for path in (before, after)))
    return f"{before.read_text()[:200]!r}, then {after.read_text()[:200]!r}"


def timeless(events: Path) -> list[dict[str, Any]]:
    """Events without their times."""
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    return [{name: line[name] for name in line if name not in TIMES} for line in lines]


def first_difference(before: Any, after: Any, path: str = "") -> str:
    """The first leaf in which two nested values differ; empty where in none."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(f"{path}.{name}", before.get(name), after.get(name)) for name in before | after]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        both = enumerate(zip(before, after, strict=True))
        pairs = [(f"{path}[{i}]", one, other) for i, (one, other) in both]
    else:
        same = before == after
        return "" if same else f"{path.lstrip('.')}: {before!r}, then {after!r}"[:300]
    differences = (first_difference(one, other, where) for where, one, other in pairs)
    return next((what for what in differences if what), "")


if __name__ == "__main__":
    main()
