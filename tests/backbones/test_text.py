"""A frozen encoder: its bytes never change, and a text's result is its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from cl_core.backbones.text import TextBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import BLOCKS, TEXTS


def all_sites(backbone: TextBackbone, transform):
    return {site.name: transform for site in backbone.sites}


def whole_batch(backbone: TextBackbone):
    return backbone.collate(backbone.tokenize(TEXTS), range(len(TEXTS)))


def test_training_through_the_transforms_changes_no_byte_of_the_backbone(backbone: TextBackbone):
    before = backbone.weight_hash()
    shift = torch.zeros(backbone.hidden_size, device=backbone.device, requires_grad=True)
    optimiser = torch.optim.AdamW([shift], lr=0.1)
    backbone.train()
    for _ in range(2):
        output = backbone(whole_batch(backbone), all_sites(backbone, lambda h: h + shift))
        optimiser.zero_grad()
        output.last_hidden_state.square().mean().backward()
        optimiser.step()
    assert shift.grad is not None
    assert shift.detach().abs().sum() > 0
    assert backbone.weight_hash() == before
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_the_backbone_is_frozen_and_stays_in_evaluation_mode(backbone: TextBackbone):
    assert backbone.train() is backbone
    assert not any(module.training for module in backbone.modules())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_nothing_below_the_first_transform_is_kept_for_the_backward_pass(backbone: TextBackbone):
    shift = torch.zeros(backbone.hidden_size, device=backbone.device, requires_grad=True)
    states = backbone(
        whole_batch(backbone), {"block1.ffn": lambda h: h + shift}, hidden_states=True
    ).hidden_states
    assert [state.requires_grad for state in states] == [False, False, True, True]


@torch.no_grad()
def test_the_identity_at_every_site_leaves_every_bit_of_the_output(backbone: TextBackbone):
    batch = whole_batch(backbone)
    plain = backbone(batch).last_hidden_state
    assert torch.equal(plain, backbone(batch, all_sites(backbone, lambda h: h)).last_hidden_state)


@torch.no_grad()
def test_transforms_last_for_one_call_also_when_it_fails(backbone: TextBackbone):
    batch = whole_batch(backbone)
    plain = backbone(batch).last_hidden_state
    backbone(batch, all_sites(backbone, torch.zeros_like))
    assert torch.equal(plain, backbone(batch).last_hidden_state)

    def fails(h):
        raise ArithmeticError("a transform that fails")

    with pytest.raises(ArithmeticError):
        backbone(batch, {"block1.attention": fails})
    assert torch.equal(plain, backbone(batch).last_hidden_state)


def test_two_threads_do_not_see_each_others_transforms(bert: TextBackbone):
    batch = whole_batch(bert)

    @torch.no_grad()
    def encode(scale: float):
        return bert(batch, all_sites(bert, lambda h: h * scale)).last_hidden_state

    scales = [1.0, 0.5, 2.0, 0.0] * 8
    alone = {scale: encode(scale) for scale in set(scales)}
    with ThreadPoolExecutor(4) as pool:
        for scale, states in zip(scales, pool.map(encode, scales), strict=True):
            assert torch.equal(states, alone[scale])


@torch.no_grad()
def test_a_texts_result_depends_neither_on_its_batch_nor_on_padding(backbone: TextBackbone):
    """Invariant 7, the backbone's part."""
    encoding = backbone.tokenize(TEXTS)
    shift = torch.linspace(-1, 1, backbone.hidden_size, device=backbone.device)
    transforms = all_sites(backbone, lambda h: h + torch.tanh(h + shift))
    together = backbone(whole_batch(backbone), transforms).last_hidden_state
    for row, length in enumerate(encoding.lengths):
        alone = backbone(backbone.collate(encoding, [row]), transforms).last_hidden_state[0]
        assert len(alone) == length
        torch.testing.assert_close(together[row, :length], alone, rtol=0, atol=1e-5)


@torch.no_grad()
def test_hidden_states_are_those_that_transformers_returns(backbone: TextBackbone):
    batch = whole_batch(backbone)
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
    if batch.token_type_ids is not None:
        inputs["token_type_ids"] = batch.token_type_ids
    ours = backbone(batch, hidden_states=True)
    theirs = backbone.model(**inputs, output_hidden_states=True)
    assert len(ours.hidden_states) == BLOCKS + 1
    for a, b in zip(ours.hidden_states, theirs.hidden_states, strict=True):
        assert torch.equal(a, b)
    assert torch.equal(ours.last_hidden_state, theirs.last_hidden_state)


@torch.no_grad()
def test_a_pass_that_stops_early_gives_the_full_pass_hidden_state_and_runs_no_block_above(
    backbone: TextBackbone,
):
    batch = whole_batch(backbone)
    full = backbone(batch, hidden_states=True).hidden_states
    for stop in range(BLOCKS + 1):
        ran = []

        def note(h, ran=ran):
            ran.append(h)
            return h

        output = backbone(batch, all_sites(backbone, note), hidden_states=True, stop_after=stop)
        assert len(ran) == 2 * stop
        assert torch.equal(output.last_hidden_state, full[stop])
        assert len(output.hidden_states) == stop + 1
        assert backbone(batch, stop_after=stop).hidden_states is None
    assert torch.equal(backbone(batch).last_hidden_state, full[-1])


def test_a_transform_for_a_site_that_is_not_there_is_refused(bert: TextBackbone):
    with pytest.raises(ValueError, match=r"no such site: block3\.ffn; .* block2\.ffn"):
        bert(whole_batch(bert), {"block3.ffn": lambda h: h})
    with pytest.raises(ValueError, match=r"block0\.ffn made .* it must keep the shape"):
        bert(whole_batch(bert), {"block0.ffn": lambda h: h[:, :1]})
    with pytest.raises(ValueError, match=r"within 0\.\.3"):
        bert(whole_batch(bert), stop_after=4)


def test_tokens_are_the_tokenizers_own_and_batches_are_padded_to_their_longest_text(
    backbone: TextBackbone,
):
    encoding = backbone.tokenize(TEXTS)
    rows = [4, 0, 2]
    expected = backbone.tokenizer(
        [TEXTS[row] for row in rows],
        padding=True,
        truncation=True,
        max_length=32,
        return_tensors="pt",
    )
    batch = backbone.collate(encoding, rows, torch.device("cpu"))
    assert torch.equal(batch.input_ids, expected["input_ids"])
    assert torch.equal(batch.attention_mask, expected["attention_mask"])
    assert batch.input_ids.shape[1] == max(encoding.lengths[row] for row in rows)
    assert [len(ids) for ids in encoding.input_ids] == list(encoding.lengths)


@torch.no_grad()
def test_a_second_text_is_read_and_cut_with_the_first(backbone: TextBackbone):
    pairs = ["is it late"] * len(TEXTS)
    encoding = backbone.tokenize(TEXTS, pairs)
    expected = backbone.tokenizer(
        TEXTS,
        pairs,
        padding=True,
        truncation=True,
        max_length=32,
        return_token_type_ids=True,
        return_tensors="pt",
    )
    batch = backbone.collate(encoding, range(len(TEXTS)), torch.device("cpu"))
    assert torch.equal(batch.input_ids, expected["input_ids"])
    if batch.token_type_ids is not None:
        assert torch.equal(batch.token_type_ids, expected["token_type_ids"])
        assert batch.token_type_ids.max() == 1
    assert max(encoding.lengths) <= 32
    assert backbone(backbone.collate(encoding, [0])).last_hidden_state.isfinite().all()


def test_as_many_second_texts_as_texts_are_needed(bert: TextBackbone):
    with pytest.raises(UserError, match="2 texts but 1 second texts"):
        bert.tokenize(["a", "b"], ["c"])


def test_no_text_at_all_is_an_empty_encoding(bert: TextBackbone):
    encoding = bert.tokenize([])
    assert len(encoding) == 0
    assert encoding.input_ids == []
    with pytest.raises(ValueError, match="at least one row"):
        bert.collate(encoding, [])


def test_under_bf16_autocast_transforms_get_and_give_the_sites_own_type(backbone: TextBackbone):
    seen = []

    def note(h):
        seen.append(h.dtype)
        return h

    with torch.no_grad(), torch.autocast(backbone.device.type, dtype=torch.bfloat16):
        output = backbone(whole_batch(backbone), all_sites(backbone, note))
    assert set(seen) == {torch.bfloat16}
    assert output.last_hidden_state.isfinite().all()
