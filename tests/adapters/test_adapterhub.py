"""AdapterHub's files: what they hold, and which of them are ours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cl_core.adapters.adapter import Adapter
from cl_core.adapters.adapterhub import read_adapterhub, reduction_factor, write_adapterhub
from cl_core.adapters.settings import AdapterSettings
from cl_core.errors import Faults, UserError
from tests.adapters.banks import fake_sites

HOULSBY: dict[str, Any] = {  # as adapters 1.3.0 writes its DoubleSeqBnConfig
    "adapter_residual_before_ln": False,
    "cross_adapter": False,
    "dropout": 0.0,
    "init_weights": "bert",
    "inv_adapter": None,
    "is_parallel": False,
    "leave_out": [],
    "ln_after": False,
    "ln_before": False,
    "mh_adapter": True,
    "non_linearity": "swish",
    "original_ln_after": True,
    "original_ln_before": False,
    "output_adapter": True,
    "phm_layer": False,
    "reduction_factor": 4,
    "residual_before_ln": True,
    "scaling": 1.0,
    "stochastic_depth": 0.0,
    "use_gating": False,
}


def random_adapter(**settings: Any) -> Adapter:
    generator = torch.Generator().manual_seed(0)
    adapter = Adapter.initialise(AdapterSettings(**settings), fake_sites(3), 16, generator)
    moved = [
        torch.randn(parameter.shape, generator=generator) for parameter in adapter.parameters()
    ]
    return Adapter(*moved, site_names=adapter.site_names, activation=adapter.activation)


def write_theirs(
    folder: Path, config: object = HOULSBY, prefix: str = "", binary: bool = False
) -> dict[str, torch.Tensor]:
    """The files of a houlsby adapter of two blocks, d = 6 and r = 2, with the library's own names."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for block in range(2):
        for site in ("attention.output", "output"):
            stem = f"{prefix}encoder.layer.{block}.{site}.adapters.mine"
            for part, shape in (
                ("adapter_down.0.weight", (2, 6)),
                ("adapter_down.0.bias", (2,)),
                ("adapter_up.weight", (6, 2)),
                ("adapter_up.bias", (6,)),
            ):
                tensors[f"{stem}.{part}"] = torch.randn(shape, generator=generator)
    if binary:
        torch.save(tensors, folder / "pytorch_adapter.bin")
    else:
        save_file(tensors, folder / "adapter.safetensors")
    description = {"config": config, "hidden_size": 6, "model_type": "bert", "name": "mine"}
    (folder / "adapter_config.json").write_text(json.dumps(description))
    return tensors


@pytest.mark.parametrize("sites", ["houlsby", "pfeiffer"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh"])
@pytest.mark.parametrize("blocks", [None, 2])
def test_what_is_written_is_read_back_byte_for_byte(
    tmp_path: Path, sites: str, activation: str, blocks: int | None
) -> None:
    adapter = random_adapter(sites=sites, activation=activation, blocks=blocks)
    write_adapterhub(adapter, tmp_path / "a", blocks=3)
    back = read_adapterhub(tmp_path / "a")
    assert (back.site_names, back.activation) == (adapter.site_names, adapter.activation)
    for mine, theirs in zip(adapter.parameters(), back.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_names_and_shapes_are_the_librarys(tmp_path: Path) -> None:
    adapter = random_adapter(sites="pfeiffer", blocks=2)
    write_adapterhub(adapter, tmp_path / "a", blocks=3, name="books")
    tensors = load_file(tmp_path / "a" / "adapter.safetensors")
    up = tensors["encoder.layer.1.output.adapters.books.adapter_up.weight"]
    assert torch.equal(up, adapter.up[0].T)
    assert len(tensors) == 8
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())["config"]
    assert config["leave_out"] == [0]
    assert (config["mh_adapter"], config["output_adapter"]) == (False, True)
    assert config["original_ln_before"] is False
    write_adapterhub(random_adapter(), tmp_path / "d", blocks=3, model_type="distilbert")
    names = load_file(tmp_path / "d" / "adapter.safetensors")
    assert "transformer.layer.0.attention_adapters.adapters.adapter.adapter_down.0.bias" in names


def test_pickled_weights_are_refused_and_what_to_do_is_said(tmp_path: Path) -> None:
    write_theirs(tmp_path, binary=True)
    with pytest.raises(
        UserError, match=r"pytorch_adapter\.bin\) are not read: save the adapter again"
    ):
        read_adapterhub(tmp_path)


@pytest.mark.parametrize("prefix", ["", "bert.", "roberta."])
def test_the_librarys_houlsby_is_read(tmp_path: Path, prefix: str) -> None:
    tensors = write_theirs(tmp_path, prefix=prefix)
    adapter = read_adapterhub(tmp_path)
    assert adapter.activation == "silu"
    assert adapter.site_names == (
        "block0.attention",
        "block0.ffn",
        "block1.attention",
        "block1.ffn",
    )
    stem = f"{prefix}encoder.layer.1.attention.output.adapters.mine"
    assert torch.equal(adapter.down[2], tensors[f"{stem}.adapter_down.0.weight"])
    assert torch.equal(adapter.up[2].T, tensors[f"{stem}.adapter_up.weight"])
    write_theirs(tmp_path / "named", "double_seq_bn")
    assert read_adapterhub(tmp_path / "named").activation == "silu"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("original_ln_before", True, "the bottleneck would read the state after a LayerNorm"),
        ("original_ln_after", False, "LayerNorm would be left out"),
        ("ln_before", True, "inside the bottleneck"),
        ("ln_after", True, "after the bottleneck"),
        ("is_parallel", True, "beside the sublayer"),
        ("scaling", 4.0, "scaled"),
        ("scaling", "learned", "scaled"),
        ("use_gating", True, "gate"),
        ("phm_layer", True, "hypercomplex"),
        ("inv_adapter", "nice", "invertible"),
        ("non_linearity", "gelu_new", "known are"),
        ("residual_before_ln", "post_add", "post_add"),
    ],
)
def test_what_computes_another_function_is_refused_with_the_field(
    tmp_path: Path, field: str, value: object, reason: str
) -> None:
    write_theirs(tmp_path, {**HOULSBY, field: value})
    with pytest.raises(Faults, match=reason) as caught:
        read_adapterhub(tmp_path)
    assert field in str(caught.value)


def test_the_published_pfeiffer_is_another_function(tmp_path: Path) -> None:
    write_theirs(tmp_path, "pfeiffer")
    with pytest.raises(Faults, match="after a LayerNorm"):
        read_adapterhub(tmp_path)


def test_folders_without_a_bottleneck_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_adapterhub(tmp_path)
    write_theirs(tmp_path / "lora", {"architecture": "lora", "r": 8})
    with pytest.raises(UserError, match="no bottleneck adapter's configuration"):
        read_adapterhub(tmp_path / "lora")
    write_theirs(tmp_path / "named", "prefix_tuning")
    with pytest.raises(UserError, match="no bottleneck known here"):
        read_adapterhub(tmp_path / "named")
    write_theirs(tmp_path / "empty")
    save_file({"other.weight": torch.zeros(1)}, tmp_path / "empty" / "adapter.safetensors")
    with pytest.raises(UserError, match=r"other\.weight"):
        read_adapterhub(tmp_path / "empty")


def damage(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Writes an adapter whose weights were changed."""
    tensors = write_theirs(folder)
    change(tensors)
    save_file(tensors, folder / "adapter.safetensors")


FIRST = "encoder.layer.0.attention.output.adapters.mine"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t[f"{FIRST}.adapter_up.bias"].fill_(torch.nan), "no finite numbers"),
        (lambda t: t[f"{FIRST}.adapter_up.bias"].fill_(torch.inf), "no finite numbers"),
        (
            lambda t: t.update({f"{FIRST}.adapter_up.bias": torch.zeros(6, dtype=torch.int32)}),
            "no finite numbers",
        ),
        (
            lambda t: t.update({f"bert.{key}": value.clone() for key, value in t.items()}),
            "two weights for one site",
        ),
        (
            lambda t: [t.pop(key) for key in list(t) if key.startswith(FIRST)],
            "block 0 has no bottleneck after attention",
        ),
        (
            lambda t: t.update({key: value.flatten() for key, value in t.items()}),
            "differ in shape",
        ),
        (
            lambda t: t.update({key: value[:0].clone() for key, value in t.items()}),
            "differ in shape",
        ),
        (
            lambda t: t.update(
                {f"{FIRST}.adapter_up.bias".replace("0", "9" * 5000): t.popitem()[1]}
            ),
            "weights of no bottleneck",
        ),
        (
            lambda t: [t.pop(key) for key in list(t) if ".0.attention" in key or ".0.out" in key],
            "block 0 has no weights, and leave_out does not name it",
        ),
        (
            lambda t: [t.pop(key) for key in list(t) if "attention" in key],
            "mh_adapter is True, and there are no weights after attention",
        ),
    ],
)
def test_weights_that_are_not_what_the_configuration_says_are_refused(
    tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], object], sentence: str
) -> None:
    damage(tmp_path, change)
    with pytest.raises(UserError, match=sentence) as caught:
        read_adapterhub(tmp_path)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("value", "sentence"),
    [([1], "leave_out names block 1"), ("all", "must be a list"), ([True], "must be a list")],
)
def test_what_is_left_out_has_no_weights(tmp_path: Path, value: object, sentence: str) -> None:
    write_theirs(tmp_path, {**HOULSBY, "leave_out": value})
    with pytest.raises(Faults, match=sentence):
        read_adapterhub(tmp_path)


def test_a_pipe_for_weights_is_not_waited_for(tmp_path: Path) -> None:
    write_theirs(tmp_path)
    (tmp_path / "adapter.safetensors").unlink()
    os.mkfifo(tmp_path / "adapter.safetensors")
    with pytest.raises(UserError, match="no regular file"):
        read_adapterhub(tmp_path)


def test_what_adapterhub_cannot_express_is_not_written(tmp_path: Path) -> None:
    adapter = random_adapter()
    with pytest.raises(UserError, match="model types"):
        write_adapterhub(adapter, tmp_path, blocks=3, model_type="modernbert")
    with pytest.raises(UserError, match="neither dots nor spaces"):
        write_adapterhub(adapter, tmp_path, blocks=3, name="a.b")
    odd = Adapter(
        *(parameter[:3] for parameter in adapter.parameters()), site_names=adapter.site_names[:3]
    )
    with pytest.raises(UserError, match="the same sites in every adapted"):
        write_adapterhub(odd, tmp_path, blocks=3)


def test_the_reduction_factor_gives_the_width_whatever_it_is() -> None:
    for size in (384, 768, 1024):
        for width in range(1, size + 1):
            assert int(size // reduction_factor(size, width)) == width
