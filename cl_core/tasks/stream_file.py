"""Reads a stream file: YAML to `StreamSpec`, every fault with its line."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cl_core.bounded_files import compose_yaml, load_yaml, read_bytes
from cl_core.errors import Faults, UserError, did_you_mean, short
from cl_core.limits import COUNT, YAML_BYTES, TooLarge
from cl_core.settings import allowed
from cl_core.tasks.spec import SplitLimits, SplitNames, StreamSpec, TaskSpec

Location = tuple[str | int, ...]
_NOT_TEXT = {int: "a number", float: "a number", bool: "true or false", type(None): "nothing"}


def read_stream_file(path: Path) -> StreamSpec:
    """Reads and validates a stream file.

    Raises:
        UserError: there is no such file.
        Faults: it is no YAML, or its fields do not fit; all of them, each with its line.
    """
    if not path.is_file():
        raise UserError(
            f"there is no stream file '{path}'; give the path of a .yaml file, or a name that "
            "`adapter-lab streams` lists"
        )
    try:
        text = read_bytes(path, YAML_BYTES).decode("utf-8-sig")
    except (OSError, TooLarge) as error:
        raise Faults(f"stream file {path.name}", [f"it cannot be read: {error}"]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Faults(
            f"stream file {path.name}",
            [f"line {line}: not UTF-8 (byte {error.start}); save the file as UTF-8"],
        ) from None
    return parse_stream(text, path.name)


@lru_cache(maxsize=64)
def parse_stream(text: str, file: str) -> StreamSpec:
    """Validates the text of a stream file; once, as pages ask for the same at each drawing.

    Args:
        text: YAML.
        file: its name, for messages.

    Raises:
        Faults: it is no YAML, or its fields do not fit; all of them, each with its line.
    """
    subject = f"stream file {file}"
    try:
        root, raw = compose_yaml(text, "it"), load_yaml(text, "it")
    except TooLarge as error:
        raise Faults(subject, [str(error)]) from None
    except yaml.YAMLError as error:
        raise Faults(subject, [_syntax(error)]) from None
    if root is None or not isinstance(raw, dict):
        raise Faults(
            subject, ["it must be a mapping with the fields name, protocol and tasks, and is not"]
        )
    nodes: dict[Location, yaml.Node] = {}
    faults = _walk(root, (), nodes)
    spec = None
    try:
        spec = StreamSpec.model_validate(raw)
    except ValidationError as error:
        for detail in _most_specific(error.errors(), nodes):
            faults += [fault for fault in _explain(detail, nodes) if fault not in faults]
    if spec is None or faults:
        raise Faults(subject, faults)
    return spec


def _syntax(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{where}not valid YAML: {problem}"


def _walk(node: yaml.Node, location: Location, nodes: dict[Location, yaml.Node]) -> list[str]:
    """Collects each field's node, for its line and its raw text; returns fields given twice."""
    faults = []
    nodes[location] = node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, str(key.value))
            if inner in nodes:
                faults.append(f"{_line(key)}: {_dotted(inner)} is given twice")
            faults += _walk(value, inner, nodes)
            # A key's line serves better than its value's, which may begin further down.
            nodes[(*inner, "<key>")] = key
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            faults += _walk(value, (*location, index), nodes)
    return faults


def _locate(detail: ErrorDetails, nodes: dict[Location, yaml.Node]) -> Location:
    # pydantic adds the names of a union's members to the location; only what is in the file counts.
    location: Location = ()
    for part in detail["loc"]:
        if (*location, part) in nodes:
            location = (*location, part)
    return location


def _most_specific(
    details: list[ErrorDetails], nodes: dict[Location, yaml.Node]
) -> list[ErrorDetails]:
    """Drops what only repeats, further up or for another member of a union, a fault that is listed."""
    locations = [_locate(detail, nodes) for detail in details]
    kept: list[ErrorDetails] = []
    for detail, location in zip(details, locations, strict=True):
        repeats = detail["type"] not in ("missing", "extra_forbidden", "value_error") and any(
            len(other) > len(location) and other[: len(location)] == location for other in locations
        )
        if not repeats and not (detail["type"] == "model_type" and locations.count(location) > 1):
            kept.append(detail)
    return kept


def _explain(detail: ErrorDetails, nodes: dict[Location, yaml.Node]) -> list[str]:
    location = _locate(detail, nodes)
    last = detail["loc"][-1] if detail["loc"] else None
    kind = detail["type"]
    node = nodes.get((*location, "<key>"), nodes[location])
    where = f"{_line(node)}: {_dotted(location)}".rstrip(": ")
    if kind == "missing":
        return [f"{where} lacks '{last}'" if location else f"the file lacks '{last}'"]
    if kind == "extra_forbidden":
        fields = list(_model_at(location[:-1]).model_fields)
        return [
            f"{where} is no field that is known here.{did_you_mean(str(last), fields)} "
            f"Allowed: {', '.join(fields)}"
        ]
    if kind == "value_error":
        lines = str(detail["ctx"]["error"]).splitlines()
        return [f"{where} {line}" if location else line for line in lines]
    if kind == "literal_error" and last == "protocol":
        protocol = str(detail["input"])
        return [
            f"{where} is '{protocol}'; allowed are til, cil and dil.{did_you_mean(protocol, ['til', 'cil', 'dil'])}"
        ]
    if location[-1:] == ("limit",):
        return [
            f"{where} is {short(detail['input'])}; it must be a number of rows, 1 to {COUNT.shown}"
        ]
    if kind == "too_short":
        return [f"{where} is empty; list at least one"]
    if kind == "literal_error":
        return [f"{where} must be true or a list of lists of task names"]
    scalar = nodes[location]
    if kind == "string_type" and isinstance(scalar, yaml.ScalarNode):
        read_as = _NOT_TEXT.get(type(detail["input"]), "something else")
        return [f"{where}: {scalar.value} was read as {read_as}; write it in quotes"]
    if kind == "string_pattern_mismatch":
        return [
            f"{where} is '{detail['input']}'; a name begins with a letter or digit and has letters, digits, "
            "spaces and . + - _"
        ]
    if kind in ("tuple_type", "list_type"):
        return [f"{where} must be a list"]
    if kind in ("model_type", "dict_type"):
        return [f"{where} must have fields of its own, and is {short(detail['input'])}"]
    message = allowed(detail)
    message = message[:1].lower() + message[1:]
    return [f"{where} is {short(detail['input'])}: {message}"]


def _model_at(location: Location) -> type[BaseModel]:
    if not location:
        return StreamSpec
    return {"split": SplitNames, "limit": SplitLimits}.get(str(location[-1]), TaskSpec)


def _line(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _dotted(location: Location) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def dump_stream(spec: StreamSpec) -> str:
    """A stream as the YAML that `parse_stream` reads, without fields that have their defaults."""
    fields: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
