"""Tasks that are never learnt: what they need, and where their labels are."""

from __future__ import annotations

from pathlib import Path

import pytest

from cl_core.errors import Faults, UserError
from cl_core.tasks.stream import label_space
from cl_core.tasks.stream_file import dump_stream, parse_stream
from cl_core.tasks.stream_loader import load_stream


def write(folder: Path, labels: tuple[str, ...], splits: tuple[str, ...]) -> None:
    folder.mkdir(parents=True)
    for split in splits:
        rows = [f"{label} thing {n} in {split},{label}" for n in range(9) for label in labels]
        (folder / f"{split}.csv").write_text("text,label\n" + "\n".join(rows) + "\n")


def stream_file(tmp_path: Path, held_out_labels: tuple[str, ...] = ("bad", "good")) -> Path:
    everything = ("train", "validation", "test")
    for name in ("books", "films"):
        write(tmp_path / name, ("bad", "good"), everything)
    write(tmp_path / "songs", held_out_labels, ("test",))
    file = tmp_path / "stream.yaml"
    file.write_text(
        "name: reviews\nprotocol: dil\n"
        "tasks:\n  - {name: books, path: books}\n  - {name: films, path: films}\n"
        "held_out:\n  - {name: songs, path: songs}\n"
    )
    return file


def test_a_held_out_task_needs_no_training_rows(tmp_path: Path) -> None:
    stream = load_stream(stream_file(tmp_path))
    assert [task.name for task in stream.tasks] == ["books", "films"]
    assert [task.name for task in stream.all_tasks] == ["books", "films", "songs"]
    assert list(stream.task("songs").splits) == ["test"]
    assert stream.label_space.names == ("bad", "good")
    assert stream.label_space.global_index("songs") == (0, 1)


def test_a_learnt_task_without_training_rows_is_told_of_held_out(tmp_path: Path) -> None:
    file = stream_file(tmp_path)
    text = file.read_text().replace("held_out:\n  - {name: songs", "  - {name: songs")
    file.write_text(text)
    with pytest.raises(Faults, match="unless they stand under held_out"):
        load_stream(file)


def test_any_task_can_be_held_out(tmp_path: Path) -> None:
    file = stream_file(tmp_path)
    stream = load_stream(file, hold_out=["books"])
    assert [task.name for task in stream.tasks] == ["films"]
    assert [task.name for task in stream.held_out] == ["songs", "books"]
    with pytest.raises(UserError, match=r"'book', which is no task of the stream.*books"):
        load_stream(file, hold_out=["book"])
    with pytest.raises(UserError, match="leave one to learn"):
        load_stream(file, hold_out=["books", "films"])


def test_a_held_out_task_of_a_dil_stream_brings_no_label(tmp_path: Path) -> None:
    with pytest.raises(Faults, match=r"adds 'odd'.*a held-out task of a dil stream"):
        load_stream(stream_file(tmp_path, ("bad", "odd")))


def test_labels_of_a_held_out_task_are_those_of_learnt_ones_where_that_is_certain() -> None:
    learnt = {"a": ("x", "y"), "b": ("y", "z")}
    held_out = {"c": ("x", "y", "w")}
    cil = label_space("cil", learnt, held_out=held_out)
    assert cil.names == ("x", "a: y", "b: y", "z")
    assert cil.global_index("c") == (0, -1, -1)  # two labels are called y, none w
    grouped = label_space("cil", learnt, shared=(("b", "c"),), held_out=held_out)
    assert grouped.global_index("c") == (0, 2, -1)
    assert label_space("til", learnt, held_out=held_out).global_index("c") == (-1, -1, -1)
    dil = {"a": ("x", "y"), "b": ("y", "x")}
    assert label_space("dil", dil, held_out={"c": ("y",)}).global_index("c") == (1,)


def test_held_out_tasks_survive_orders_and_being_written() -> None:
    text = (
        "name: s\nprotocol: cil\nshared_labels: [[a, c]]\n"
        "tasks:\n  - {name: a, path: a}\n  - {name: b, path: b}\n"
        "held_out:\n  - {name: c, path: c}\norders: {order2: [b, a]}\n"
    )
    spec = parse_stream(text, "s.yaml")
    assert parse_stream(dump_stream(spec), "s.yaml") == spec
    turned = spec.ordered("order2")
    assert [task.name for task in turned.tasks] == ["b", "a"]
    assert [task.name for task in turned.held_out] == ["c"]
    assert turned.shared == (("a", "c"),)
    with pytest.raises(Faults, match="names must be unique"):
        parse_stream(text.replace("name: c", "name: a").replace("[[a, c]]", "[[a, b]]"), "s.yaml")
    with pytest.raises(Faults, match="'c', which is no task"):
        parse_stream(text.replace("[b, a]", "[b, c]"), "s.yaml")


def test_afrisenti_holds_out_oromo_and_tigrinya(cl_data: Path) -> None:
    stream = load_stream("afrisenti", data=cl_data, limits=6)
    assert [task.name for task in stream.held_out] == ["orm", "tir"]
    for task in stream.held_out:
        assert "train" not in task.splits
        assert len(task.test) == 6
