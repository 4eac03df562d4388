"""YAML, JSON and the directories of zips, read within `cl_core.limits`.

Only regular files are read: a pipe would wait for ever, a device may have no end.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import yaml

from cl_core.limits import (
    FOLDER_DEPTH,
    JSON_BYTES,
    VALUE_LENGTH,
    YAML_BYTES,
    YAML_DEPTH,
    YAML_VALUES,
    ZIP_DIRECTORY,
    Limit,
    TooLarge,
)

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML was built with it, as its wheels are: ten times as fast."""
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_END_BYTES, _END_64_BYTES, _COMMENT_BYTES = 22, 56 + 20, 2**16


class NoRegularFile(OSError):
    """A folder, a pipe or a device stands where a file should be."""


def read_bytes(file: Path, limit: Limit) -> bytes:
    """A file's content.

    Raises:
        OSError: it cannot be read, or is no regular file.
        TooLarge: it has more than the limit.
    """
    limit.check(f"'{file.name}'", check_regular(file))
    return file.read_bytes()


def check_regular(file: Path) -> int:
    """The size of a file, which is looked at and not opened: a pipe would wait for whoever writes to it.

    Raises:
        OSError: it is not there.
        NoRegularFile: it is a folder, a pipe or a device.
    """
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NoRegularFile("it is no regular file")
    return status.st_size


def files_within(folder: Path) -> Iterator[Path]:
    """Regular files in a folder and in those within it, links to folders aside, in no order.

    `Path.rglob` takes the stack a level each, and more memory the deeper it gets.

    Raises:
        TooLarge: folders lie in folders deeper than the limit.
    """
    for path, folders, files in os.walk(folder):
        depth = len(Path(path).relative_to(folder).parts) + bool(folders)
        FOLDER_DEPTH.check(f"'{folder.name}'", depth)
        yield from (file for name in files if (file := Path(path, name)).is_file())


def read_json(file: Path, limit: Limit = JSON_BYTES) -> Any:
    """What a file of JSON holds.

    Raises:
        OSError, ValueError: it cannot be read, is no JSON, or is nested too deeply.
        TooLarge: it has more than the limit.
    """
    try:
        return json.loads(read_bytes(file, limit))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_yaml(file: Path) -> Any:
    """What a file of YAML holds, as `load_yaml` reads it.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read, or is not UTF-8.
        yaml.YAMLError, TooLarge: as `load_yaml`.
    """
    return load_yaml(read_bytes(file, YAML_BYTES).decode("utf-8"), f"'{file.name}'")


def load_yaml(text: str, what: str = "the text") -> Any:
    """Plain values of YAML. Its aliases are counted before anything is made of them.

    Args:
        text: the YAML.
        what: begins the sentence of a refusal.

    Raises:
        yaml.YAMLError: it is none, or has a value that is none ("2001-99-99").
        TooLarge: it is too long, nested too deeply, or expands to too much.
    """
    node = compose_yaml(text, what)
    if node is None:
        return None
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    except (ValueError, OverflowError, TypeError, RecursionError) as error:
        raise yaml.YAMLError(f"a value cannot be read ({error})") from error
    finally:
        loader.dispose()


def yaml_value(text: str, what: str = "the value") -> Any:
    """The value of a setting or a knob, as `load_yaml` reads it; None where there is nothing.

    Raises:
        yaml.YAMLError, TooLarge: as `load_yaml`.
    """
    VALUE_LENGTH.check(what, len(text))
    return load_yaml(text, what)


def compose_yaml(text: str, what: str = "the text") -> yaml.Node | None:
    """The nodes of YAML, shared where its aliases share them; None where there is nothing.

    Raises:
        yaml.YAMLError: it is none.
        TooLarge: as `load_yaml`.
    """
    YAML_BYTES.check(what, len(text))
    try:
        _check_levels(text, what)
        node = yaml.compose(text, Loader=LOADER)
    except (yaml.YAMLError, UnicodeEncodeError):
        node = _compose_slowly(text, what)
    values, depth = (0, 0) if node is None else _extent(node, {}, 0)
    YAML_DEPTH.check(what, depth)
    YAML_VALUES.check(what, values)
    return node


def _compose_slowly(text: str, what: str) -> yaml.Node | None:
    """The nodes of what libyaml refuses: this reader shows the line in its refusal."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise TooLarge(YAML_DEPTH.refusal(what, YAML_DEPTH.most + 1)) from None


def _check_levels(text: str, what: str) -> None:
    """Refuses what is nested too deeply before its nodes are composed, which takes the stack a level each."""
    level = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            YAML_DEPTH.check(what, level)
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1


def _extent(node: yaml.Node, seen: dict[int, tuple[int, int]], above: int) -> tuple[int, int]:
    """Values and levels of a node with its aliases expanded; one that holds itself has levels without end."""
    if id(node) in seen:
        return seen[id(node)]
    if above > YAML_DEPTH.most:
        return 1, YAML_DEPTH.most + 1
    seen[id(node)] = 1, YAML_DEPTH.most + 1  # until it is known: whoever meets it within itself
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    extents = [_extent(part, seen, above + 1) for part in inner]
    values = 1 + sum(count for count, _ in extents)
    seen[id(node)] = values, 1 + max((depth for _, depth in extents), default=0)
    return seen[id(node)]


def check_zip_directory(archive: Path | IO[bytes], what: str = "the zip archive") -> None:
    """Refuses a zip whose list of files is too long to be read; what is no zip is left to whoever reads it.

    Raises:
        OSError: it cannot be read.
        TooLarge: the list is too long.
    """
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            check_zip_directory(file, what)
        return
    size = archive.seek(0, 2)
    archive.seek(max(0, size - _END_BYTES - _COMMENT_BYTES - _END_64_BYTES))
    tail = archive.read()
    archive.seek(0)
    end = tail.rfind(_END)
    if end < 0:
        return
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    wide = tail.rfind(_END_64, 0, end)
    if wide >= 0:
        length = max(length % (2**32 - 1), int.from_bytes(tail[wide + 40 : wide + 48], "little"))
    # A list cannot be longer than its file, whatever the file says.
    ZIP_DIRECTORY.check(what, min(length, size))
