"""Stream files: what they may say, and that the published schema says the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cl_core.errors import Faults, UserError
from cl_core.tasks.presets import presets
from cl_core.tasks.schema import SCHEMA_FILE, schema_text
from cl_core.tasks.stream_file import dump_stream, parse_stream, read_stream_file

SMALLEST = """
name: reviews
protocol: dil
tasks:
  - {name: books, path: data/blitzer/books}
  - {name: kitchen, path: data/blitzer/kitchen, text: text, label: label}
  - {name: news, hub: owner/name, config: default, revision: 0123abc, label: topic}
"""


def faults(text):
    with pytest.raises(Faults) as caught:
        parse_stream(text, "s.yaml")
    return list(caught.value.faults)


def one(fields, rest=""):
    return faults(f"name: s\nprotocol: cil\ntasks:\n  - {{name: a, {fields}}}\n{rest}")


def test_the_smallest_stream_file_is_read():
    spec = parse_stream(SMALLEST, "s.yaml")
    assert [task.name for task in spec.tasks] == ["books", "kitchen", "news"]
    assert (spec.protocol, spec.tasks[2].revision, spec.tasks[2].label) == (
        "dil",
        "0123abc",
        "topic",
    )


def test_a_stream_survives_being_written_and_read():
    for spec in [parse_stream(SMALLEST, "s.yaml"), *presets().values()]:
        assert parse_stream(dump_stream(spec), "s.yaml") == spec


def test_the_published_schema_is_the_model_s():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m cl_core.tasks.schema"
    )
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name", "protocol", "tasks"]
    assert schema["properties"]["protocol"]["description"].startswith("til: task id known")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("path: x, hub: o/n", "tasks[1] gives path and hub; a task has one source"),
        ("text: t", "tasks[1] has no source; give one of path, hub or builtin"),
        ("path: x, revision: abc", "gives revision, which has a meaning for hub alone"),
        ("path: x, data: y", "gives data beside path"),
        ("hub: a/b/c", "a hub data set is 'owner/name'"),
        ("path: x, label_names: [a, a]", "label_names lists a name twice"),
        ("path: x, test_fraction: 0.9, validation_fraction: 0.2", "leave no training samples"),
        ("path: x, limit: 0", "must be a number of rows, 1 to 1,000,000,000"),
        ("path: x, label_names: [yes, 3]", "label_names[1]: yes was read as true or false"),
        ("path: x, path: y", "line 4: tasks[1].path is given twice"),
        ("path: 3", "3 was read as a number; write it in quotes"),
        ("path: x, split: {dev: y}", "Allowed: train, validation, test"),
    ],
)
def test_a_field_that_does_not_fit_is_explained_with_its_line(fields, message):
    (fault,) = [fault for fault in one(fields) if message in fault]
    assert fault.startswith("line 4: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it must be a mapping"),
        ("- a", "it must be a mapping"),
        ("name: [", "not valid YAML"),
        ("protocol: til\ntasks: []", "the file lacks 'name'"),
        ("name: s\nprotocol: til\ntasks: []", "line 3: tasks is empty"),
        ("name: s\nprotocol: til\ntasks: books", "line 3: tasks must be a list"),
        ("name: s\nprotocol: til\ntasks: [books]", "must have fields of its own"),
        ("name: a/b\nprotocol: til\ntasks: []", "a name begins with a letter"),
    ],
)
def test_a_file_that_is_no_stream_is_explained(text, message):
    assert any(message in fault for fault in faults(text))


def test_sharing_and_orders_must_name_tasks_of_the_stream():
    assert one("path: x", "orders: {two: [b]}") == [
        "orders.two lists 'b', which is no task of the stream."
    ]
    assert "must be true or a list" in one("path: x", "shared_labels: false")[0]
    text = "name: s\nprotocol: dil\nshared_labels: true\ntasks: [{name: a, path: b}]"
    assert faults(text) == ["shared_labels has a meaning in protocol cil, and this is dil"]


def test_a_missing_file_and_a_broken_encoding_are_user_errors(tmp_path):
    with pytest.raises(UserError, match="there is no stream file"):
        read_stream_file(tmp_path / "none.yaml")
    (tmp_path / "s.yaml").write_bytes(b"name: x\ntitle: caf\xe9\n")
    with pytest.raises(UserError, match=r"line 2: not UTF-8 \(byte 18\)"):
        read_stream_file(tmp_path / "s.yaml")


def test_listing_streams_imports_neither_torch_nor_datasets():
    code = (
        "import sys; from cl_core.tasks.stream_loader import list_streams; list_streams();"
        "print([m for m in ('torch', 'datasets', 'transformers', 'pyarrow') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
