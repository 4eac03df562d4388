"""AdapterHub's layout on disk: a folder with `adapter_config.json` and `adapter.safetensors`.

    <model>.layer.<block>.attention.output.adapters.<name>.adapter_down.0.weight    D, (r, d)
    <model>.layer.<block>.output.adapters.<name>.adapter_up.weight                  U, (d, r)

Poth et al. 2023, the library `adapters` (arXiv 2311.11077). Its bottlenecks have many switches. Ours is the function
with `original_ln_before` false, which is what its `houlsby` (`double_seq_bn`) computes as published: the bottleneck
reads the sublayer's output before the residual add and LayerNorm. Its `pfeiffer` (`seq_bn`) as published reads the
state *after* a LayerNorm of the residual sum, another function, and is refused; a `seq_bn` with
`original_ln_before=False` is ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.settings import Activation
from cl_core.bounded_files import check_regular, read_json
from cl_core.errors import Faults, UserError, short
from cl_core.limits import BLOCKS
from cl_core.output_files import write_output

PREFIXES = {
    "bert": "encoder.layer",
    "roberta": "encoder.layer",
    "xlm-roberta": "encoder.layer",
    "electra": "encoder.layer",
    "deberta-v2": "encoder.layer",
    "distilbert": "transformer.layer",
}
"""Where AdapterHub keeps the blocks of a model type."""

PARTS = {"attention": "attention.output", "ffn": "output"}
DISTILBERT_PARTS = {"attention": "attention_adapters", "ffn": "output_adapters"}

TO_HUB: dict[Activation, str] = {"relu": "relu", "gelu": "gelu", "silu": "swish", "tanh": "tanh"}
FROM_HUB: dict[str, Activation] = {"silu": "silu", **{hub: ours for ours, hub in TO_HUB.items()}}

NEEDED: dict[str, tuple[Any, str]] = {
    "original_ln_before": (False, "the bottleneck would read the state after a LayerNorm"),
    "original_ln_after": (True, "the model's own LayerNorm would be left out"),
    "ln_before": (False, "there would be a LayerNorm inside the bottleneck"),
    "ln_after": (False, "there would be a LayerNorm after the bottleneck"),
    "is_parallel": (False, "the bottleneck would stand beside the sublayer, not after it"),
    "scaling": (1.0, "the change would be scaled"),
    "use_gating": (False, "a gate would be learnt"),
    "phm_layer": (False, "the projections would be hypercomplex"),
    "inv_adapter": (None, "there would be an invertible adapter at the embeddings"),
    "cross_adapter": (False, "there would be a bottleneck after cross-attention"),
}
"""What a configuration must say to compute our function, and what it would do otherwise."""

NAMED: dict[str, dict[str, Any]] = {
    "houlsby": {"original_ln_before": False, "non_linearity": "swish"},
    "pfeiffer": {"original_ln_before": True, "non_linearity": "relu"},
}
NAMED |= {"double_seq_bn": NAMED["houlsby"], "seq_bn": NAMED["pfeiffer"]}
"""Configurations that a file may give by name."""

_KEY = re.compile(
    r"(?:.*\.)?layer\.(?P<block>[0-9]{1,4})\.(?P<sublayer>attention\.output|attention_adapters|output|output_adapters)"
    r"\.adapters\.(?P<name>[^.]+)\.(?P<part>adapter_down\.0|adapter_up)\.(?P<kind>weight|bias)"
)


def write_adapterhub(
    adapter: Adapter,
    folder: Path,
    *,
    blocks: int,
    name: str = "adapter",
    model_type: str = "bert",
    model_name: str = "",
) -> None:
    """Writes an adapter as AdapterHub keeps one.

    There, dropout is on the bottleneck's result and here on its hidden units; the file says 0. Inference is the same.

    Args:
        adapter: houlsby (both sites of a block) or pfeiffer (after the FFN), in all blocks or the upper ones.
        folder: is made; files of these names in it are replaced.
        blocks: L of the backbone, so that blocks without a bottleneck can be named.
        name: of the adapter there.
        model_type: a key of `PREFIXES`.
        model_name: of the backbone, for people; may be empty.

    Raises:
        UserError: no such model type, or sites or a visual projection that AdapterHub cannot express.
    """
    if model_type not in PREFIXES:
        raise UserError(
            f"AdapterHub's names for '{model_type}' are not known here; model types: {', '.join(PREFIXES)}"
        )
    if not re.fullmatch(r"[^.\s]+", name):
        raise UserError(f"the adapter's name is '{name}'; it must have neither dots nor spaces")
    if adapter.projection is not None:
        raise UserError(
            "the adapter has a visual projection, for which AdapterHub's layout has no place"
        )
    sites = [_parse_site(site) for site in adapter.site_names]
    adapted = sorted({block for block, _ in sites})
    sublayers = {sublayer for _, sublayer in sites}
    if len(sites) != len(adapted) * len(sublayers) or "ffn" not in sublayers:
        raise UserError(
            f"the adapter has sites {', '.join(adapter.site_names)}; AdapterHub has the same sites in every adapted "
            "block, after the FFN or after attention and FFN"
        )
    size, width = adapter.hidden_size, adapter.width
    config = {
        "mh_adapter": "attention" in sublayers,
        "output_adapter": True,
        "non_linearity": TO_HUB[adapter.activation],
        "reduction_factor": reduction_factor(size, width),
        "leave_out": [block for block in range(blocks) if block not in adapted],
        "residual_before_ln": True,
        "adapter_residual_before_ln": False,
        "dropout": 0.0,
        **{field: value for field, (value, _) in NEEDED.items()},
    }
    description = {
        "config": config,
        "hidden_size": size,
        "model_name": model_name,
        "model_type": model_type,
        "name": name,
        "version": "adapters.1.3.0",
    }
    tensors: dict[str, Tensor] = {}
    for index, (block, sublayer) in enumerate(sites):
        stem = _stem(model_type, block, sublayer, name)
        tensors[f"{stem}.adapter_down.0.weight"] = adapter.down[index]
        tensors[f"{stem}.adapter_down.0.bias"] = adapter.down_bias[index]
        tensors[f"{stem}.adapter_up.weight"] = adapter.up[index].T
        tensors[f"{stem}.adapter_up.bias"] = adapter.up_bias[index]
    folder.mkdir(parents=True, exist_ok=True)
    copies = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}
    text = json.dumps(description, indent=2, sort_keys=True)
    write_output(folder / "adapter.safetensors", save(copies, metadata={"format": "pt"}))
    write_output(folder / "adapter_config.json", f"{text}\n".encode())


def read_adapterhub(folder: str | Path) -> Adapter:
    """Reads an adapter that AdapterHub's library, or `write_adapterhub`, wrote.

    Args:
        folder: with `adapter_config.json` and `adapter.safetensors`.

    Raises:
        UserError: there is no adapter in the folder, none of a known layout, or one that diverged.
        Faults: it computes another function than ours, or its weights are not where it says; every reason.
    """
    folder = Path(folder)
    config, tensors = _read_config(folder), _read_tensors(folder)
    faults = [
        f"{field} is {short(config[field])} and must be {value!r}: {otherwise}"
        for field, (value, otherwise) in NEEDED.items()
        if field in config and config[field] != value
    ]
    asked = str(config.get("non_linearity", "")).lower()
    if asked not in FROM_HUB:
        faults.append(f"non_linearity is {short(asked)}; known are {', '.join(FROM_HUB)}")
    if config.get("residual_before_ln") == "post_add":
        faults.append("residual_before_ln is 'post_add' and must be true or false")
    if faults:
        raise Faults(f"AdapterHub adapter {folder}", faults)
    tensors_at = _bottlenecks(tensors, folder)
    sites = sorted(tensors_at, key=lambda site: (site[0], site[1] != "attention"))
    if faults := _site_faults(sites, config):
        raise Faults(f"AdapterHub adapter {folder}", faults)
    parts = [tensors_at[site] for site in sites]
    try:
        down, down_bias, up, up_bias = (
            torch.stack([bottleneck[part] for bottleneck in parts])
            for part in ("down.weight", "down.bias", "up.weight", "up.bias")
        )
        if down.ndim != 3 or up.ndim != 3 or not down.numel():
            raise ValueError("weights of a bottleneck are tables of numbers")
        up = up.transpose(1, 2).contiguous()
        names_here = tuple(f"block{block}.{sublayer}" for block, sublayer in sites)
        return Adapter(down, down_bias, up, up_bias, names_here, FROM_HUB[asked])
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"AdapterHub adapter {folder}: its bottlenecks differ in shape, or have none that fits ({error}); save it "
            "again"
        ) from error


def _bottlenecks(
    tensors: Mapping[str, Tensor], folder: Path
) -> dict[tuple[int, str], dict[str, Tensor]]:
    """Four tensors by block and sublayer.

    Raises:
        UserError: weights that are none of one adapter's bottlenecks, that are no numbers, or that are there twice.
    """
    bottlenecks: dict[tuple[int, str], dict[str, Tensor]] = {}
    names, strange = set(), []
    for key, tensor in tensors.items():
        match = _KEY.fullmatch(key)
        if match is None or int(match["block"]) >= BLOCKS.most:
            strange.append(key)
            continue
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise UserError(
                f"AdapterHub adapter {folder}: {short(key)} has values that are no finite numbers; save an adapter "
                "whose training did not diverge"
            )
        sublayer = "attention" if match["sublayer"].startswith("attention") else "ffn"
        part = f"{'down' if 'down' in match['part'] else 'up'}.{match['kind']}"
        site = bottlenecks.setdefault((int(match["block"]), sublayer), {})
        if part in site and match["name"] in names:
            raise UserError(
                f"AdapterHub adapter {folder} has two weights for one site, one of them {short(key)}; keep those of "
                "one model"
            )
        site[part] = tensor.float()
        names.add(match["name"])
    if strange or len(names) != 1:
        listed = ", ".join(map(short, strange[:5]))
        what = f"weights of no bottleneck: {listed}" if strange else "several adapters"
        raise UserError(
            f"AdapterHub adapter {folder} has {what if bottlenecks or strange else 'no weights'}"
        )
    if any(len(bottleneck) != 4 for bottleneck in bottlenecks.values()):
        raise UserError(f"AdapterHub adapter {folder} lacks some of a bottleneck's four tensors")
    return bottlenecks


def _site_faults(sites: Sequence[tuple[int, str]], config: Mapping[str, Any]) -> list[str]:
    """Where the weights are not at the sites that the configuration says, all adapted blocks having the same ones."""
    faults = []
    adapted = sorted({block for block, _ in sites})
    sublayers = {sublayer for _, sublayer in sites}
    for block in adapted:
        if lost := sorted(sublayers - {sublayer for at, sublayer in sites if at == block}):
            faults.append(f"block {block} has no bottleneck after {lost[0]}, and others have")
    for field, sublayer in (("mh_adapter", "attention"), ("output_adapter", "ffn")):
        if isinstance(config.get(field), bool) and config[field] != (sublayer in sublayers):
            there = "weights" if sublayer in sublayers else "no weights"
            faults.append(f"{field} is {config[field]}, and there are {there} after {sublayer}")
    left_out = config.get("leave_out") or []
    if not isinstance(left_out, list) or not all(type(block) is int for block in left_out):
        faults.append(f"leave_out is {short(left_out)} and must be a list of numbers of blocks")
        return faults
    if both := [block for block in adapted if block in left_out]:
        faults.append(f"leave_out names block {both[0]}, and there are weights for it")
    gaps = set(range(adapted[-1])) - {*adapted, *left_out}
    if gaps:
        faults.append(f"block {min(gaps)} has no weights, and leave_out does not name it")
    return faults


def reduction_factor(hidden_size: int, width: int) -> float:
    """A factor f with int(d // f) = r, as the library computes the width.

    >>> reduction_factor(hidden_size=384, width=48)
    8.0
    """
    factor = hidden_size / width
    return factor if int(hidden_size // factor) == width else hidden_size / (width + 0.5)


def _stem(model_type: str, block: int, sublayer: str, name: str) -> str:
    parts = DISTILBERT_PARTS if model_type == "distilbert" else PARTS
    return f"{PREFIXES[model_type]}.{block}.{parts[sublayer]}.adapters.{name}"


def _parse_site(name: str) -> tuple[int, str]:
    block, _, sublayer = name.partition(".")
    return int(block.removeprefix("block")), sublayer


def _read_config(folder: Path) -> Mapping[str, Any]:
    file = folder / "adapter_config.json"
    try:
        config = read_json(file)["config"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} cannot be read as an AdapterHub configuration: {error}") from error
    if isinstance(config, str):
        if config not in NAMED:
            names = ", ".join(NAMED)
            raise UserError(
                f"{file}: configuration {short(config)} is no bottleneck known here ({names})"
            )
        config = NAMED[config]
    if not isinstance(config, dict) or "non_linearity" not in config:
        raise UserError(f"{file} is no bottleneck adapter's configuration; only these are read")
    return config


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    try:
        check_regular(folder / "adapter.safetensors")
        return dict(load_file(folder / "adapter.safetensors"))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(
            f"{folder} has no adapter.safetensors that can be read ({error}); pickled weights (pytorch_adapter.bin) "
            "are not read: save the adapter again with safetensors"
        ) from error
