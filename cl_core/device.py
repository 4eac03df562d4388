"""Device and precision, chosen once per run, with the reason in words."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from cl_core.errors import UserError, counted

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Device:
    """Where a run computes and in which precision its forward passes multiply.

    Attributes:
        torch_device: the device.
        bfloat16: whether forward passes run under bf16 autocast. Adapters, routers and heads stay in float32.
        reason: one sentence that says why, printed at the start of a run.
    """

    torch_device: torch.device
    bfloat16: bool
    reason: str

    @property
    def name(self) -> str:
        """What an artifact's key says of the device: its kind and precision, not which card it was."""
        return f"{self.torch_device.type}-{'bfloat16' if self.bfloat16 else 'float32'}"

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which forward passes run."""
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(self.torch_device.type, dtype=torch.bfloat16)

    def peak_memory_bytes(self) -> int:
        """Largest memory that torch held on the GPU in this process; 0 on a CPU."""
        if self.torch_device.type != "cuda":
            return 0
        return int(torch.cuda.max_memory_allocated(self.torch_device))

    def synchronise(self) -> None:
        """Waits for the work handed to a GPU, so that a clock read afterwards tells the truth."""
        if self.torch_device.type == "cuda":
            torch.cuda.synchronize(self.torch_device)


def choose_device(name: str = "auto", precision: Precision = "auto") -> Device:
    """Chooses the device once.

    Args:
        name: "auto", "cpu", "cuda" or "cuda:n".
        precision: "auto" is bf16 autocast on a GPU and float32 on a CPU.

    Raises:
        UserError: an unknown name, a GPU that is not there, or bf16 on a device without it.
    """
    if name == "auto":
        has_gpu = torch.cuda.is_available()
        device = torch.device("cuda" if has_gpu else "cpu")
        reason = "a GPU is available" if has_gpu else "no GPU is available"
    else:
        reason = "as asked"
        try:
            device = torch.device(name)
        except RuntimeError:
            device = torch.device("meta")
        if device.type not in ("cpu", "cuda"):
            raise UserError(f"device '{name}' is not known; choose auto, cpu, cuda or cuda:0")
        if device.type == "cuda":
            count = torch.cuda.device_count() if torch.cuda.is_available() else 0
            if (device.index or 0) >= count:
                raise UserError(
                    f"device '{name}' is not there: torch sees {count} GPUs; use --device cpu, or check the driver"
                )
    bfloat16 = precision == "bfloat16" or (precision == "auto" and device.type == "cuda")
    if bfloat16 and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        if precision == "bfloat16":
            raise UserError("this GPU has no bf16; use --precision float32")
        bfloat16 = False
    if bfloat16 and device.type == "cpu" and not _cpu_has_bfloat16():
        raise UserError("this CPU has no bf16 instructions; use --precision float32")
    where = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else counted(torch.get_num_threads(), "thread")
    )
    how = "bf16 autocast" if bfloat16 else "float32"
    return Device(device, bfloat16, f"{device} ({where}), {how}: {reason}")


def _cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bf16 in hardware (AVX512-BF16 or AMX); elsewhere autocast only slows things down."""
    capabilities = torch.backends.cpu.get_cpu_capability()
    if "AVX512" not in capabilities:
        return False
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            return any("avx512_bf16" in line or "amx_bf16" in line for line in lines)
    except OSError:
        return False
