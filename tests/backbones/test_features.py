"""Features of the frozen backbone, and the batches that they are computed in."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cl_core.backbones.batching import length_batches
from cl_core.backbones.features import extract_features
from cl_core.backbones.pooling import pool
from cl_core.backbones.text import TextBackbone
from cl_core.errors import UserError
from tests.backbones.checkpoints import BLOCKS, TEXTS

HIDDEN = torch.tensor(
    [[[1.0, -2.0], [3.0, -4.0], [9.0, 9.0]], [[5.0, 6.0], [9.0, 9.0], [9.0, 9.0]]]
)
MASK = torch.tensor([[1, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mean", [[2.0, -3.0], [5.0, 6.0]]),
        ("cls", [[1.0, -2.0], [5.0, 6.0]]),
        ("max", [[3.0, -2.0], [5.0, 6.0]]),
    ],
)
def test_pooling_reads_tokens_and_no_padding(how: str, expected: list, device: torch.device):
    assert pool(HIDDEN.to(device), MASK.to(device), how).tolist() == expected


def test_pooling_under_autocast_keeps_float32(device: torch.device):
    hidden = torch.randn(3, 5, 4, device=device)
    mask = torch.ones(3, 5, dtype=torch.int64, device=device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        pooled = pool(hidden, mask, "mean")
    torch.testing.assert_close(pooled, hidden.mean(dim=1))


def test_an_unknown_pooling_is_refused_with_the_known_ones(bert: TextBackbone):
    with pytest.raises(UserError, match="'median'; choose one of mean, cls, max"):
        pool(HIDDEN, MASK, "median")
    with pytest.raises(UserError, match="'median'; choose one of mean, cls, max"):
        extract_features(bert, bert.tokenize(TEXTS), pooling="median")


@torch.no_grad()
@pytest.mark.parametrize("layer", [0, 1, BLOCKS, -1, -2, -4])
def test_features_are_the_pooled_hidden_states_of_each_text_alone_in_input_order(
    backbone: TextBackbone, layer: int
):
    encoding = backbone.tokenize(TEXTS)
    for pooling in ("mean", "cls"):
        features = extract_features(backbone, encoding, layer, pooling, batch_size=2)
        assert features.dtype == torch.float32
        assert features.device.type == "cpu"
        for row in range(len(TEXTS)):
            batch = backbone.collate(encoding, [row])
            state = backbone(batch, hidden_states=True).hidden_states[layer]
            alone = pool(state, batch.attention_mask, pooling)[0].cpu()
            torch.testing.assert_close(features[row], alone, rtol=0, atol=1e-5)


def test_the_default_features_are_the_router_embedding_of_dam(bert: TextBackbone):
    """The masked mean of the fourth entry from the end of the hidden states, not normalised."""
    encoding = bert.tokenize(TEXTS)
    expected = extract_features(bert, encoding, layer=BLOCKS + 1 - 4, pooling="mean")
    assert torch.equal(extract_features(bert, encoding), expected)


def test_no_text_has_no_features(bert: TextBackbone):
    assert extract_features(bert, bert.tokenize([])).shape == (0, bert.hidden_size)


@pytest.mark.parametrize("layer", [4, -5])
def test_a_layer_that_the_backbone_does_not_have_is_refused(bert: TextBackbone, layer: int):
    with pytest.raises(UserError, match=rf"layer {layer} does not exist.*0 .* to 3, or -4 to -1"):
        extract_features(bert, bert.tokenize(TEXTS), layer=layer)


def test_progress_counts_every_text(bert: TextBackbone):
    heard = []
    extract_features(
        bert,
        bert.tokenize(TEXTS),
        batch_size=2,
        progress=lambda done, total: heard.append((done, total)),
    )
    assert heard == [(2, 5), (4, 5), (5, 5)]


lengths_and_sizes = (
    st.lists(st.integers(1, 64), max_size=80),
    st.integers(1, 9),
    st.one_of(st.none(), st.integers(1, 4)),
    st.booleans(),
)


@given(*lengths_and_sizes)
def test_every_row_is_in_exactly_one_batch_and_only_one_batch_is_short(
    lengths, batch_size, window, shuffled
):
    generator = torch.Generator().manual_seed(3) if shuffled else None
    batches = length_batches(lengths, batch_size, window, generator)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // batch_size)
    assert sum(len(batch) < batch_size for batch in batches) <= 1


@given(*lengths_and_sizes)
def test_batches_are_a_function_of_the_lengths_and_the_generators_state(
    lengths, batch_size, window, shuffled
):
    def once():
        generator = torch.Generator().manual_seed(11) if shuffled else None
        return length_batches(lengths, batch_size, window, generator)

    assert once() == once()


def test_inference_batches_are_sorted_by_length():
    assert length_batches([3, 9, 1, 9], 2) == [[1, 3], [0, 2]]


def test_training_batches_hold_rows_of_similar_length_in_a_new_order_each_time():
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(5, 128, (640,), generator=generator).tolist()
    first = length_batches(lengths, 16, 10, generator)
    second = length_batches(lengths, 16, 10, generator)
    assert first != second
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in first)
    unsorted = sum(
        16 * max(lengths[row] for row in range(start, start + 16)) for start in range(0, 640, 16)
    )
    assert padded < 1.15 * sum(lengths)
    assert unsorted > 1.6 * sum(lengths)


@pytest.mark.parametrize(("size", "window"), [(0, None), (4, 0)])
def test_sizes_below_one_are_refused(size: int, window: int | None):
    with pytest.raises(ValueError, match="at least 1"):
        length_batches([1, 2], size, window, torch.Generator())
