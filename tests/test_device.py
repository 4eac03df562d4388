"""The device is chosen once, with its reason, and what cannot be had is refused in words."""

from __future__ import annotations

import pytest
import torch

from cl_core.device import choose_device
from cl_core.errors import UserError


def test_the_cpu_computes_in_float32_unless_asked() -> None:
    device = choose_device("cpu")
    assert device.torch_device == torch.device("cpu")
    assert not device.bfloat16
    assert device.name == "cpu-float32"
    assert "float32" in device.reason
    assert "as asked" in device.reason
    assert device.peak_memory_bytes() == 0


def test_auto_says_what_it_found() -> None:
    device = choose_device("auto")
    has_gpu = torch.cuda.is_available()
    assert device.torch_device.type == ("cuda" if has_gpu else "cpu")
    assert ("a GPU is available" if has_gpu else "no GPU is available") in device.reason
    assert device.bfloat16 == has_gpu


def test_bf16_on_a_cpu_is_used_where_it_is_and_refused_where_it_is_not() -> None:
    try:
        device = choose_device("cpu", "bfloat16")
    except UserError as error:
        assert "--precision float32" in str(error)  # noqa: PT017 - either outcome is right, by machine
        return
    with device.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "gpu", "mps"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="choose auto, cpu, cuda"):
        choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="torch sees 0 GPUs; use --device cpu"):
        choose_device("cuda:3")
