"""Where adapters attach, architecture by architecture."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from cl_core.backbones.sites import ARCHITECTURES, sites_of
from cl_core.backbones.text import TextBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import BLOCKS, TEXTS


def test_every_block_has_a_site_after_attention_and_one_after_the_ffn(backbone: TextBackbone):
    assert [site.name for site in backbone.sites] == [
        f"block{block}.{after}" for block in range(BLOCKS) for after in ("attention", "ffn")
    ]
    assert [site.block for site in backbone.sites] == [0, 0, 1, 1, 2, 2]


@torch.no_grad()
def test_a_transform_sees_exactly_what_the_linear_layer_of_its_site_makes(backbone: TextBackbone):
    batch = backbone.collate(backbone.tokenize(TEXTS), range(len(TEXTS)))
    inputs: dict[str, Tensor] = {}
    seen: dict[str, Tensor] = {}
    handles = []
    transforms = {}
    for site in backbone.sites:

        def keep_input(_, arguments, name=site.name):
            inputs[name] = arguments[0]

        def keep_seen(h, name=site.name):
            seen[name] = h
            return h

        module = backbone.model.get_submodule(site.module)
        handles.append(module.register_forward_pre_hook(keep_input))
        transforms[site.name] = keep_seen
    backbone(batch, transforms)
    for handle in handles:
        handle.remove()
    for site in backbone.sites:
        linear = backbone.model.get_submodule(site.module)
        dense = nn.functional.linear(inputs[site.name], linear.weight, linear.bias)
        assert torch.equal(seen[site.name], dense)
        assert seen[site.name].shape == (*batch.input_ids.shape, backbone.hidden_size)


@torch.no_grad()
def test_every_site_lies_on_the_way_to_the_output(backbone: TextBackbone):
    batch = backbone.collate(backbone.tokenize(TEXTS), range(len(TEXTS)))
    plain = backbone(batch).last_hidden_state
    for site in backbone.sites:
        changed = backbone(batch, {site.name: torch.zeros_like}).last_hidden_state
        assert not torch.allclose(changed, plain, atol=1e-4), site.name


@torch.no_grad()
def test_a_site_reaches_the_output_of_its_own_block_and_none_below(backbone: TextBackbone):
    batch = backbone.collate(backbone.tokenize(TEXTS), range(len(TEXTS)))
    plain = backbone(batch, hidden_states=True).hidden_states
    for site in backbone.sites:
        changed = backbone(batch, {site.name: torch.zeros_like}, hidden_states=True).hidden_states
        same = [torch.equal(a, b) for a, b in zip(plain, changed, strict=True)]
        assert same == [index <= site.block for index in range(BLOCKS + 1)]


@torch.no_grad()
def test_a_site_set_to_zero_leaves_the_residual_alone(backbone: TextBackbone):
    """A bottleneck is before the residual add: with both sites at zero a block is its residual and its norms."""
    batch = backbone.collate(backbone.tokenize(TEXTS[:2]), [0, 1])
    zeros = {"block1.attention": torch.zeros_like, "block1.ffn": torch.zeros_like}
    states = backbone(batch, zeros, hidden_states=True).hidden_states
    block = backbone.model.get_submodule(ARCHITECTURES[backbone.model.config.model_type].blocks)[1]
    match backbone.model.config.model_type:
        case "modernbert":
            expected = states[1]
        case "distilbert":
            expected = block.output_layer_norm(block.sa_layer_norm(states[1]))
        case _:
            expected = block.output.LayerNorm(block.attention.output.LayerNorm(states[1]))
    torch.testing.assert_close(states[2], expected, rtol=0, atol=1e-6)


@torch.no_grad()
def test_a_bert_block_computed_by_hand_has_the_bottlenecks_before_residual_and_layer_norm(
    bert: TextBackbone,
):
    batch = bert.collate(bert.tokenize(TEXTS[:1]), [0])
    transforms = {
        "block0.attention": lambda h: h + torch.tanh(h).flip(-1),
        "block0.ffn": lambda h: h - 0.3 * h.square(),
    }
    states = bert(batch, transforms, hidden_states=True).hidden_states
    block = bert.model.get_submodule("encoder.layer.0")
    x = states[0]
    attention = block.attention.self
    heads = attention.num_attention_heads

    def split(t: Tensor) -> Tensor:
        return t.unflatten(-1, (heads, -1)).transpose(1, 2)

    q, k, v = (split(part(x)) for part in (attention.query, attention.key, attention.value))
    scores = (q @ k.transpose(-1, -2)) / q.shape[-1] ** 0.5
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
    projected = transforms["block0.attention"](block.attention.output.dense(mixed))
    x = block.attention.output.LayerNorm(projected + x)
    hidden = nn.functional.gelu(block.intermediate.dense(x))
    x = block.output.LayerNorm(transforms["block0.ffn"](block.output.dense(hidden)) + x)
    torch.testing.assert_close(states[1], x, rtol=0, atol=1e-5)


def test_an_unsupported_architecture_is_refused_by_name_with_the_supported_ones_and_the_way_to_add_it():
    with pytest.raises(UserError) as refused:
        sites_of("longformer", 3)
    message = str(refused.value)
    assert "'longformer' is not supported" in message
    assert all(model_type in message for model_type in ARCHITECTURES)
    assert "cl_core/backbones/sites.py" in message
    with pytest.raises(UserError, match="Did you mean 'modernbert'"):
        sites_of("modern-bert", 3)


def test_settings_sites_and_catalogue_import_neither_torch_nor_transformers():
    code = (
        "import sys, cl_core.backbones, cl_core.backbones.settings, cl_core.backbones.sites\n"
        "from cl_core.backbones.catalogue import list_backbones\n"
        "names = [b['name'] for b in list_backbones()]\n"
        "assert names == ['minilm', 'scene-clip', 'scene-qa', 'dinov2-small', 'e5-small']\n"
        "print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
