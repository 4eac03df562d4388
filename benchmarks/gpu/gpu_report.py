"""What a check on a GPU found: comparisons with their tolerances, speeds, and the machine they were taken on."""

from __future__ import annotations

import json
import platform
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cl_core.device import Device

TOLERANCES = {
    "composition": 1e-5,  # relative distance of last hidden states (Frobenius), float32
    "routing": 1e-3,  # largest difference of a weight; tau = 0.01 multiplies errors of cosines by 100
    "loss": 2e-3,  # largest difference of an epoch's training loss (nats), float32
    # Distance of trained weights over the distance that training moved them, float32. Training makes
    # rounding grow: noise of 1e-7 on the word embeddings alone came to 3e-3 after 75 steps on a CPU.
    "weights": 3e-2,
    "accuracy": 0.03,  # largest difference of a cell of the score matrix, float32
    "bfloat16 states": 5e-2,  # relative distance of pooled states under the same weights
    "bfloat16 accuracy": 0.08,  # largest difference of the last row of the score matrix
}


@dataclass
class Report:
    """All that was found: checks, what each of them found, and speeds."""

    device: str
    facts: dict[str, str]
    checks: list[dict[str, Any]] = field(default_factory=list)
    speeds: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, device: Device, backbone: str) -> Report:
        """An empty report that names the machine, the versions and the backbone."""
        report = cls(device.reason, {"backbone": backbone, **describe(device)})
        if device.torch_device.type != "cuda":
            report.notes.append("**No GPU was measured**: this is the CPU compared with itself.")
        return report

    def check(self, name: str, measured: float, tolerance: float) -> None:
        """Keeps one comparison; NaN fails."""
        row = {
            "check": name,
            "found": measured,
            "tolerance": tolerance,
            "holds": measured <= tolerance,
        }
        self.checks.append(row)
        print(f"{'holds' if row['holds'] else 'FAILS'}: {name}: {measured:.2e}", file=sys.stderr)

    def speed(self, work: str, device: Device, batch: int, measure: Callable[[], float]) -> None:
        """Keeps the samples per second that `measure` returns, and the peak memory while it ran."""
        on_gpu = device.torch_device.type == "cuda"
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(device.torch_device)
        row = {
            "work": work,
            "precision": "bfloat16" if device.bfloat16 else "float32",
            "batch": batch,
            "samples_per_second": measure(),
        }
        of_process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        row["peak_memory_bytes"] = device.peak_memory_bytes() if on_gpu else of_process
        self.speeds.append(row)

    @property
    def failed(self) -> list[str]:
        """Names of the checks that do not hold."""
        return [row["check"] for row in self.checks if not row["holds"]]

    def markdown(self) -> str:
        """For docs/results.md."""
        lines = [f"# GPU check: {self.device}", ""]
        lines += [f"- {name}: {value}" for name, value in self.facts.items()]
        lines += [f"- {note}" for note in self.notes]
        lines += ["", "| check | found | tolerance | |", "| --- | ---: | ---: | --- |"]
        for row in self.checks:
            word = "holds" if row["holds"] else "**fails**"
            lines.append(f"| {row['check']} | {row['found']:.2e} | {row['tolerance']:g} | {word} |")
        lines += [
            "",
            "| work | precision | batch | samples/s | peak memory (MiB) |",
            "| --- | --- | ---: | ---: | ---: |",
        ]
        for row in self.speeds:
            lines.append(
                f"| {row['work']} | {row['precision']} | {row['batch']} | {row['samples_per_second']:.0f} | "
                f"{row['peak_memory_bytes'] / 2**20:.0f} |"
            )
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Everything, for programs."""
        return json.dumps(asdict(self), indent=1)

    def finish(self, folder: Path | None, name: str) -> None:
        """Writes `name`.md and `name`.json; ends the process with status 1 when a check does not hold."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.md").write_text(self.markdown())
            (folder / f"{name}.json").write_text(self.json() + "\n")
        if self.failed:
            sys.exit(f"failed: {', '.join(self.failed)}")


def describe(device: Device) -> dict[str, str]:
    """Versions and machine."""
    facts = {
        "torch": str(torch.__version__),
        "transformers": version("transformers"),
        "python": platform.python_version(),
        "TF32 in float32 products": str(torch.get_float32_matmul_precision() != "highest"),
    }
    if device.torch_device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device.torch_device)
        facts |= {
            "GPU": gpu.name,
            "GPU memory": f"{gpu.total_memory / 2**30:.0f} GiB",
            "compute capability": f"{gpu.major}.{gpu.minor}",
            "CUDA": str(torch.version.cuda),
        }
    return facts


def distance(actual: Tensor, wanted: Tensor) -> float:
    """Of two tensors, relative to the second."""
    return float((actual - wanted).norm() / wanted.norm())


def largest(difference: Tensor) -> float:
    """The largest absolute value."""
    return float(difference.abs().max())
