"""Tensors and tables as bytes, the same bytes for the same content. Never pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # readers of JSON alone need neither
    import pyarrow
    import torch


def tensor_bytes(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """Returns the tensors, views or on a GPU as they may be, as one safetensors file.

    No metadata are written: safetensors keeps them in a hash map, whose order changes.
    """
    from safetensors.torch import save

    # safetensors refuses tensors that share memory, and a bank's adapters are views of one tensor.
    return save({name: _own_memory(tensor) for name, tensor in sorted(tensors.items())})


def _own_memory(tensor: torch.Tensor) -> torch.Tensor:
    tensor = tensor.detach()
    return tensor.cpu().contiguous() if tensor.device.type != "cpu" else tensor.contiguous().clone()


def table_bytes(table: pyarrow.Table) -> bytes:
    """Returns the table as one parquet file (format 2.6, zstd)."""
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink, compression="zstd", version="2.6")
    content: bytes = sink.getvalue().to_pybytes()
    return content
