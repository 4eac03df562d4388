"""What a backbone is, as one hash: the artifacts that depend on it carry this in their keys."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

CONTENT_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spm.model",
    "sentencepiece.bpe.model",
)
"""The files beside the weights that change what a backbone computes; READMEs and the like do not."""


def hash_weights(model: nn.Module) -> str:
    """SHA-256 hex of every weight's name, type, shape and bytes, in the order of the names.

    The same on every device. Weights that share memory under two names are hashed under both.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        whole = tensor.detach().cpu().contiguous()
        # numpy has no bfloat16: the bytes are what counts.
        digest.update(whole.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def fingerprint(model: nn.Module, folder: Path) -> str:
    """SHA-256 hex over the weights as loaded and the checkpoint's configuration and tokenizer files.

    Where the folder lies, and what else lies in it, does not matter.
    """
    digest = hashlib.sha256(hash_weights(model).encode())
    for name in CONTENT_FILES:
        path = folder / name
        if path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256")
            digest.update(f"\n{name} {content.hexdigest()}".encode())
    return digest.hexdigest()
