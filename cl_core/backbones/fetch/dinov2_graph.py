"""DINOv2's weights out of an ONNX graph, under the names of the hub's checkpoints.

The graph was exported from `transformers.Dinov2Model`: biases, norms and scales kept their names, matrices of linear
layers became anonymous operands of MatMul nodes, transposed, and the nodes say in their names whose they are. The
positions were split into those of the class token and of the patches. Nothing of the graph is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cl_core.bounded_files import check_regular
from cl_core.errors import UserError
from cl_core.limits import BLOCKS, CONFIG_WIDTH, FETCHED_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

INNER = "backbone."
"""Begins the names of what belongs to DINOv2; the rest is a head of the wheel's own."""
HEAD_WIDTH = 64
"""Of every published DINOv2 (arXiv 2304.07193, table 16); the graph does not say how many heads there are."""
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SIDE, RESIZED = 224, 256
"""Pixels of a side, and of the shorter side before the cut, as the hub's preprocessor_config.json has them."""


def read_dinov2(file: Path) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
    """Weights and configuration files of the DINOv2 in a graph.

    Args:
        file: the ONNX graph, weights within.

    Returns:
        Arrays by name, and the content of the JSON files by name.

    Raises:
        ImportError: the package onnx is not installed.
        UserError: the graph is none of a DINOv2.
        TooLarge: the file, or what it says of itself, is larger than what is read.
    """
    FETCHED_BYTES.check(f"'{file.name}'", check_regular(file))
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(str(file), load_external_data=False).graph
        arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
        weights = dict(_weights(graph, arrays))
        config = _config(weights)
    except (DecodeError, KeyError, StopIteration, IndexError, ValueError) as error:
        fault = (
            f"it lacks {error}" if isinstance(error, KeyError) else str(error) or "it lacks some"
        )
        raise UserError(
            f"'{file.name}' is no graph of a DINOv2: {fault}; fetch it again"
        ) from error
    return weights, {"config.json": config, "preprocessor_config.json": _preprocessing()}


def _weights(graph: Any, arrays: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    import numpy as np

    for name, array in arrays.items():
        if name.startswith(INNER):
            yield name.removeprefix(INNER), array
    for node in graph.node:
        operands = [name for name in node.input if name in arrays]
        layer = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
        if node.op_type == "MatMul" and operands and layer.startswith(INNER):
            yield (
                f"{layer.removeprefix(INNER)}.weight",
                np.ascontiguousarray(arrays[operands[0]].T),
            )
    width = arrays[f"{INNER}embeddings.cls_token"].shape[-1]
    loose = [
        array
        for name, array in arrays.items()
        if not name.startswith(INNER) and array.ndim == 3 and array.shape[::2] == (1, width)
    ]
    first = next(array for array in loose if array.shape[1] == 1)
    patches = max(loose, key=lambda array: array.shape[1])
    yield "embeddings.position_embeddings", np.concatenate([first, patches], axis=1)


def _config(weights: Mapping[str, Array]) -> dict[str, Any]:
    """config.json: all of it read from the shapes, but for the heads' width."""
    width, _, patch, _ = weights["embeddings.patch_embeddings.projection.weight"].shape
    side = round((weights["embeddings.position_embeddings"].shape[1] - 1) ** 0.5) * patch
    blocks = 1 + max(
        int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")
    )
    inner = weights["encoder.layer.0.mlp.fc1.bias"].shape[0]
    CONFIG_WIDTH.check("its width", width)
    CONFIG_WIDTH.check("its side", side)
    BLOCKS.check("it", blocks)
    return {
        "architectures": ["Dinov2Model"],
        "model_type": "dinov2",
        "hidden_size": width,
        "num_hidden_layers": blocks,
        "num_attention_heads": width // HEAD_WIDTH or 1,
        "mlp_ratio": inner // width,
        "image_size": side,
        "patch_size": patch,
        "layer_norm_eps": 1e-6,
        "hidden_act": "gelu",
        "qkv_bias": True,
        "use_swiglu_ffn": False,
        "use_mask_token": False,  # of its pretraining; the graph has none
    }


def _preprocessing() -> dict[str, Any]:
    """preprocessor_config.json, as facebook/dinov2-small has it."""
    return {
        "image_processor_type": "BitImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": RESIZED},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": SIDE, "width": SIDE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": MEAN,
        "image_std": DEVIATION,
    }
