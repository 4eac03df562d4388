"""A checkpoint from the hub as a folder: pinned to a revision, safetensors only, no code."""

from __future__ import annotations

import re
from pathlib import Path

from cl_core.bounded_files import read_json
from cl_core.errors import UserError
from cl_core.limits import TooLarge

HUB = "hub:"

ALLOWED = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is fetched: configuration, tokenizer and weights. Python files and pickles stay where they are."""

IGNORED = ["*/*"]
"""Sub-folders hold the same weights in other formats."""

_MOVING = frozenset({"main", "master", "head"})
_COMMIT = re.compile(r"[0-9a-f]{40}")


def hub_snapshot(
    repository: str, revision: str | None, cache: Path | None = None
) -> tuple[Path, str]:
    """Fetches a checkpoint, or finds it in the hub's cache; a commit that is there whole needs no network.

    Args:
        repository: "owner/name".
        revision: the full commit hash, or a tag.
        cache: the hub's cache folder; its own default when None.

    Returns:
        The folder and the full commit hash.

    Raises:
        UserError: a malformed id, a revision that is missing or moves, or a hub that cannot be reached or refuses.
    """
    _check(repository, revision)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def fetch(local_files_only: bool) -> Path:
        folder = snapshot_download(
            repository,
            revision=revision,
            cache_dir=cache,
            allow_patterns=ALLOWED,
            ignore_patterns=IGNORED,
            local_files_only=local_files_only,
        )
        return Path(folder)

    if revision is not None and _COMMIT.fullmatch(revision):
        # A commit never changes: what is in the cache is right, if it is all there.
        try:
            folder = fetch(local_files_only=True)
        except LocalEntryNotFoundError:
            pass
        else:
            if _is_whole(folder):
                return folder, folder.name
    try:
        folder = fetch(local_files_only=False)
    except HFValidationError as error:
        raise UserError(
            f"'{HUB}{repository}' is not a hub id: {error}; write {HUB}owner/name"
        ) from error
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"backbone '{HUB}{repository}' at {revision} is not in the cache and the hub cannot be reached. Go "
            "online once, copy the checkpoint's folder here and give its path, or use the embedded backbone 'minilm'"
        ) from error
    except HfHubHTTPError as error:
        raise UserError(
            f"the hub refuses '{HUB}{repository}' at revision {revision}: {str(error).strip().splitlines()[-1]} "
            "Check the spelling and the revision; a private or gated checkpoint needs `hf auth login` first"
        ) from error
    return folder, folder.name


def _check(repository: str, revision: str | None) -> None:
    parts = repository.split("/")
    if len(parts) != 2 or not all(parts):
        raise UserError(f"'{HUB}{repository}' is not a hub id; write {HUB}owner/name")
    where = f"https://huggingface.co/{repository}/commits/main lists the commits"
    if revision is None:
        raise UserError(
            f"backbone '{HUB}{repository}' needs a revision, so that a run means the same weights tomorrow: "
            f"--set revision=COMMIT; {where}"
        )
    if revision.lower() in _MOVING:
        raise UserError(
            f"revision '{revision}' of '{HUB}{repository}' is a branch and moves; pin a commit: "
            f"--set revision=COMMIT; {where}"
        )


def _is_whole(folder: Path) -> bool:
    """Whether configuration, a tokenizer or image processor, and every file of weights are there."""
    if (folder / "open_clip_config.json").is_file():
        return (folder / "open_clip_model.safetensors").is_file()
    if not (folder / "config.json").is_file():
        return False
    beside = ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json")
    if not any((folder / name).is_file() for name in beside):
        return False
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return (folder / "model.safetensors").is_file()
    try:
        parts = set(read_json(index)["weight_map"].values())
        return all((folder / part).is_file() for part in parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TooLarge):
        return False  # a fetch that was cut off, or a file that is damaged: the hub has it whole
