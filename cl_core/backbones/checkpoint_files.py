"""The files of a checkpoint, looked at before and after a library makes a model of them.

Before: configurations say how large a model is, and a library would make it, or a name for each of its labels, before
it looks at the weights. After: weights that the model lacks, and blocks that it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from cl_core.bounded_files import NoRegularFile, check_regular, read_json
from cl_core.errors import UserError, counted
from cl_core.limits import (
    BLOCKS,
    CONFIG_LABELS,
    CONFIG_TOKENS,
    CONFIG_WIDTH,
    JSON_BYTES,
    Limit,
    TooLarge,
)

READ = (
    "config.json",
    "open_clip_config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "model.safetensors.index.json",
)
"""Files of JSON that transformers and open_clip read."""
WEIGHTS_AND_WORDS = (".safetensors", ".txt", ".model")
MOST_QUOTED = 300
"""Characters of what a library said."""

_BLOCKS = [
    "num_hidden_layers",
    "n_layers",
    "num_layers",
    "n_layer",
    "encoder_layers",
    "decoder_layers",
    "layers",
]
_WIDTHS = [
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "dim",
    "hidden_dim",
    "n_heads",
    "d_model",
    "encoder_ffn_dim",
    "decoder_ffn_dim",
    "encoder_attention_heads",
    "decoder_attention_heads",
    "embedding_size",
    "width",
    "heads",
    "head_width",
    "embed_dim",
    "patch_size",
    "image_size",
    "mlp_ratio",
]
_ZERO_WIDTHS = ["type_vocab_size", "pooler_hidden_size", "projection_dim", "num_register_tokens"]
_TOKENS = ["vocab_size", "max_position_embeddings", "context_length"]
SIZES: dict[str, tuple[Limit, int]] = {
    **dict.fromkeys(_BLOCKS, (BLOCKS, 1)),
    **dict.fromkeys(_WIDTHS, (CONFIG_WIDTH, 1)),
    **dict.fromkeys(_TOKENS, (CONFIG_TOKENS, 1)),
    **dict.fromkeys(_ZERO_WIDTHS, (CONFIG_WIDTH, 0)),
    "num_labels": (CONFIG_LABELS, 0),
}
"""By field of a configuration: the most and the least that it may be."""


def read_config(file: Path, name: str) -> dict[str, Any]:
    """A checkpoint's configuration, with sizes that a model can have.

    Args:
        file: config.json, or open_clip's own.
        name: of the backbone, as the user wrote it.

    Raises:
        UserError: it is no JSON object, or says a size that no model has.
        TooLarge: it is too long, or says that the model is too large.
    """
    check_files(file.parent, name)
    try:
        config = read_json(file)
    except (OSError, ValueError) as error:
        raise UserError(f"backbone '{name}': {file} is not JSON ({error})") from error
    if not isinstance(config, dict):
        raise UserError(f"backbone '{name}': {file} holds no JSON object")
    for part in _mappings(config):
        for field, size in part.items():
            if field in SIZES:
                _check_size(f"backbone '{name}': {field} of {file.name}", size, *SIZES[field])
    return config


def _mappings(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A configuration and those within it, as CLIP has one for each tower."""
    yield config
    for field, value in config.items():
        if isinstance(value, dict) and field.endswith(("_config", "_cfg")):
            yield from _mappings(value)


def _check_size(what: str, size: object, limit: Limit, least: int) -> None:
    """Refuses a number that no model has; lists and nothing are left to the library, which may take them."""
    if isinstance(size, int) and not isinstance(size, bool):
        if size < least:
            raise UserError(
                f"{what} is {size}, and must be at least {least}; put the checkpoint's own file back"
            )
        limit.check(what, size)


def check_files(folder: Path, name: str) -> None:
    """Refuses pipes and devices, which would be waited for, and files of JSON without end.

    Raises:
        UserError: one of the files that are read is such a one.
    """
    files = [file for file in folder.iterdir() if file.suffix in WEIGHTS_AND_WORDS]
    files += [file for field in READ if (file := folder / field).exists()]
    for file in files:
        try:
            size = check_regular(file)
            if file.suffix == ".json":
                JSON_BYTES.check("it", size)
        except (NoRegularFile, TooLarge) as error:
            raise UserError(f"backbone '{name}': {file} cannot be read: {error}") from error
        except OSError as error:
            raise UserError(
                f"backbone '{name}': {file} cannot be read ({error.strerror}); save the checkpoint again"
            ) from error


@contextmanager
def checkpoint_faults(what: str, folder: Path, todo: str = "") -> Iterator[None]:
    """Turns whatever a library raises over a stranger's checkpoint into one sentence.

    Args:
        what: begins it: "backbone 'mine' in /folder".
        folder: of the checkpoint; a file of JSON in it that cannot be read at all is named.
        todo: ends it, for what the library says.

    Raises:
        UserError: the library raised something.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        # Every kind there is: a configuration can name a function that is none, divide by its zero or nest without
        # end, and a library checks little of that. A bug of ours cannot hide here, for only its calls stand within.
        if type(error).__name__ == "OutOfMemoryError":  # torch's: no fault of the checkpoint
            raise
        raise UserError(
            f"{what} cannot be loaded: {_unreadable(folder) or f'{quoted(error)}{todo}'}"
        ) from error


def _unreadable(folder: Path) -> str:
    """The first file that is no JSON, and why; "" where all are."""
    for file in READ:
        try:
            if (folder / file).is_file():
                read_json(folder / file)
        except (OSError, ValueError, TooLarge) as error:
            return f"{file} is not JSON that can be read ({error}); save the checkpoint again"
    return ""


def quoted(error: Exception) -> str:
    """What a library said, in one line."""
    said = " ".join(str(error).split())
    if not isinstance(error, OSError | ValueError | RuntimeError | ImportError):
        said = f"{type(error).__name__}: {said}"
    return said if len(said) <= MOST_QUOTED else f"{said[:MOST_QUOTED]}..."


def check_weights(model: nn.Module, report: Mapping[str, Any], what: str) -> None:
    """Refuses a checkpoint of which the model lacks weights, or blocks.

    Args:
        model: as transformers made it.
        report: what `output_loading_info` gave with it.
        what: begins the sentence: "backbone 'mine' in /folder".

    Raises:
        UserError: it does.
    """
    absent = sorted(report["missing_keys"])
    if absent:
        # transformers fills them at random, and a frozen backbone would never recover from that.
        raise UserError(
            f"{what} lacks {len(absent)} of its weights, such as {absent[0]}; download or save the checkpoint again"
        )
    for path, blocks in model.named_modules():
        if isinstance(blocks, nn.ModuleList):
            total = _blocks_in(report["unexpected_keys"], path, str(model.base_model_prefix))
            if total > len(blocks):
                # Half a model answers, and nobody sees that it is half.
                raise UserError(
                    f"{what} has {counted(total, 'block')} ({path}), but its configuration says {len(blocks)}; put the "
                    "checkpoint's own config.json back"
                )


def _blocks_in(names: Iterable[str], path: str, prefix: str) -> int:
    """How many blocks weights of these names belong to, counted from 0; heads and other parts belong to none."""
    inner = path.removeprefix(f"{prefix}.")
    block = re.compile(rf"(?:{re.escape(prefix)}\.)?{re.escape(inner)}\.(\d{{1,9}})\.")
    return max((int(match[1]) + 1 for name in names if (match := block.match(name))), default=0)
