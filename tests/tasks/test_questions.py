"""Tasks of questions about pictures and videos: vocabularies, votes, and rows that cannot be answered or seen."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cl_core.errors import Faults
from cl_core.synthetic.png import animation
from cl_core.tasks.answers import clean, find_vocabulary, read_votes
from cl_core.tasks.stream import Stream
from cl_core.tasks.stream_loader import load_stream
from cl_core.tasks.task import make_rows
from cl_core.video import read_clip

COLOURS = {"red": (200, 0, 0), "blue": (0, 0, 200)}
SIZES = {"train": 8, "validation": 4, "test": 4}


def picture(colour: str, shade: int) -> bytes:
    file = io.BytesIO()
    pixels = np.zeros((8, 8, 3), np.uint8) + np.array(COLOURS[colour], np.uint8) + np.uint8(shade)
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def write(folder: Path, **changed: list[dict[str, Any]]) -> None:
    """A folder as the readme of the real data describes it: json lines beside `images/`."""
    (folder / "images").mkdir(parents=True)
    for split, size in SIZES.items():
        rows = []
        for number in range(size):
            colour = list(COLOURS)[number % 2]
            name = f"images/{split}-{number}.png"
            (folder / name).write_bytes(picture(colour, 3 * number + len(split)))
            rows.append({"image": name, "question": "What colour is it?", "answer": colour})
        for row, change in zip(rows, changed.get(split, []), strict=False):
            row |= change
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines)


def load(tmp_path: Path, settings: str = "", protocol: str = "til") -> Stream:
    file = tmp_path / "stream.yaml"
    kind = "" if "kind" in settings else "kind: image-qa, "
    file.write_text(
        f"name: s\nprotocol: {protocol}\ntasks:\n  - {{name: t, {kind}path: t{settings}}}\n"
    )
    return load_stream(file)


def test_json_lines_with_paths_and_parquet_with_bytes_give_the_same_task(tmp_path: Path) -> None:
    write(tmp_path / "t")
    by_path = load(tmp_path).task("t")
    assert by_path.kind == "image-qa"
    assert by_path.label_names == ("blue", "red")  # equally frequent: alphabetical
    assert by_path.train.column_names == ["id", "image", "question", "label"]
    other = tmp_path / "other" / "t"
    other.mkdir(parents=True)
    for split in SIZES:
        rows = [json.loads(line) for line in (tmp_path / "t" / f"{split}.jsonl").open()]
        images = [(tmp_path / "t" / row["image"]).read_bytes() for row in rows]
        columns = {name: [row[name] for row in rows] for name in ("question", "answer")}
        pq.write_table(pa.table({"image": images, **columns}), other / f"{split}.parquet")
    assert load(tmp_path / "other").task("t").fingerprint == by_path.fingerprint


def test_numbers_are_answers_and_not_places_in_the_vocabulary(tmp_path: Path) -> None:
    numbers = [{"answer": str(2 + number % 2)} for number in range(8)]
    write(tmp_path / "t", train=numbers, validation=numbers, test=numbers)
    task = load(tmp_path, ", label_names: ['3', '2']").task("t")
    assert [task.label_names[label] for label in task.train["label"]] == ["2", "3"] * 4


def test_unknown_answers_are_left_out_of_training_and_kept_as_wrong_in_tests(
    tmp_path: Path,
) -> None:
    rare = [{"answer": "green"}, {}, {"answer": "mauve"}]
    write(tmp_path / "t", train=rare[:2], validation=rare, test=rare)
    stream = load(tmp_path, ", most_answers: 2")
    task = stream.task("t")
    assert task.label_names == ("blue", "red")
    assert len(task.train) == 7
    assert len(task.validation) == 2
    assert list(task.test["label"]) == [-1, 0, -1, 0]
    assert "1 of 8 train rows have no answer in the vocabulary; they are left out" in str(
        stream.warnings
    )
    assert (
        "2 of 4 test rows have no answer in the vocabulary; they are kept, and count as wrong"
        in str(stream.warnings)
    )


def test_votes_become_weights_and_the_most_voted_answer_the_label(tmp_path: Path) -> None:
    votes = [
        {"answers": ["red", "Red", "blue", "red "]},
        {"answers": [{"answer": "blue", "answer_id": 1}, {"answer": "green", "answer_id": 2}]},
        {"answers": {"blue": 2, "red": 1}},
    ]
    every = votes + [{"answers": ["red", "blue", "blue"]}] * 5
    write(tmp_path / "t", train=every, validation=every, test=every)
    task = load(tmp_path, ", answers: answers, agreement: 2, label_names: [red, blue]").task("t")
    assert task.train[:3]["answers"] == [[0, 1], [1], [0, 1]]
    assert task.train[:3]["answer_weights"] == [[1.0, 0.5], [0.5], [0.5, 1.0]]
    assert task.train[:3]["label"] == [0, 1, 1]
    vqa = load(tmp_path, ", answers: answers, label_names: [red, blue]").task("t")
    np.testing.assert_allclose(vqa.train[2]["answer_weights"], [1 / 3, 2 / 3], rtol=1e-6)
    assert vqa.fingerprint != task.fingerprint


@pytest.mark.parametrize(
    ("value", "votes"),
    [
        ("  Two  Chairs ", {"two chairs": 1}),
        (True, {"yes": 1}),
        (3.0, {"3": 1}),
        (["a", "b", "a", None, ""], {"a": 2, "b": 1}),
        ({"a": 2, "b": 0}, {"a": 2}),
        (None, None),
        (float("nan"), None),
        ("", None),
        ([], None),
        (b"x", None),
        ({"a": "many"}, None),
        ([["a"]], None),
    ],
)
def test_votes_are_read_from_every_layout(value: object, votes: dict[str, int] | None) -> None:
    assert (read_votes(value) or None) == votes


def test_the_vocabulary_is_what_most_rows_answer() -> None:
    rows = [{"b": 1}, {"a": 9}, {"c": 1, "b": 1}, None]
    assert find_vocabulary(rows, None, None) == ("b", "a", "c")
    assert find_vocabulary(rows, None, 1) == ("b",)
    assert find_vocabulary(rows, ["Z", "z ", "y"], None) == (clean("Z"), "y")


def test_tasks_with_other_vocabularies_share_their_union(tmp_path: Path) -> None:
    write(tmp_path / "t")
    write(tmp_path / "u", **{s: [{"answer": "yes"}, {"answer": "red"}] * 4 for s in SIZES})
    file = tmp_path / "two.yaml"
    file.write_text(
        "name: two\nprotocol: dil\ntasks:\n"
        "  - {name: t, kind: image-qa, path: t}\n  - {name: u, kind: image-qa, path: u}\n"
    )
    space = load_stream(file).label_space
    assert space.names == ("blue", "red", "yes")
    assert space.indices == {"t": (0, 1), "u": (1, 2)}


def test_what_cannot_be_seen_or_answered_is_reported_by_row(tmp_path: Path) -> None:
    wrong = [
        {"image": "images/none.png"},
        {"image": "../t.png"},
        {"answer": None},
        {"question": " "},
    ]
    write(tmp_path / "t", train=wrong)
    with pytest.raises(Faults) as raised:
        load(tmp_path)
    message = str(raised.value)
    assert "'image' is a path where there is no file in row 1" in message
    assert "'image' is a path that leaves the folder of its file (t) in row 2" in message
    assert "'answer' holds no answer in row 3" in message
    assert "'question' is empty in row 4" in message


def test_one_answer_for_all_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "t", **{split: [{"answer": "red"}] * 8 for split in SIZES})
    with pytest.raises(Faults, match="all questions have one answer, 'red'"):
        load(tmp_path)


def test_a_damaged_video_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path / "t")
    for split, size in SIZES.items():
        rows = []
        for number in range(size):
            frames = [np.full((8, 8, 3), 20 * shade + number, np.uint8) for shade in range(4)]
            name = f"images/{split}-{number}.apng"
            (tmp_path / "t" / name).write_bytes(animation(frames, 0.5))
            rows.append({"video": name, "question": "Brighter?", "answer": "yn"[number % 2]})
        (tmp_path / "t" / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    damaged = tmp_path / "t" / "images" / "train-2.apng"
    damaged.write_bytes(damaged.read_bytes()[:60])
    stream = load(tmp_path, ", kind: video-qa")
    assert len(stream.task("t").train) == 7
    [warning] = [text for text in stream.warnings if "videos" in text]
    assert "1 of 8 train videos cannot be read and are left out, in row 3" in warning
    assert read_clip(stream.task("t").train[0]["video"], 4).seconds == (0.0, 0.5, 1.0, 1.5)


def test_rows_with_the_same_picture_and_another_question_are_not_the_same_row(
    tmp_path: Path,
) -> None:
    write(tmp_path / "t")
    first = (tmp_path / "t" / "train.jsonl").read_text().splitlines()[0]
    test = tmp_path / "t" / "test.jsonl"
    asked_again = json.loads(first) | {"question": "And what colour is this?"}
    test.write_text(test.read_text() + json.dumps(asked_again) + "\n")
    assert "also in train" not in str(load(tmp_path).warnings)
    test.write_text(test.read_text() + first + "\n")
    assert "1 of 6 test rows is also in train" in str(load(tmp_path).warnings)


def test_votes_are_columns_of_their_own() -> None:
    rows = make_rows("t", "train", {"question": ["q"], "image": [b"x"]}, [1], None, [{1: 0.5}])
    assert rows[0]["answers"] == [1]
    assert rows[0]["answer_weights"] == [0.5]


def test_the_real_questions_load_as_they_stand(cl_data: Path) -> None:
    stream = load_stream("daquar-easy-vqa", data=cl_data)
    assert [len(task.train) for task in stream.tasks] == [4000, 2990]
    assert [len(task.label_names) for task in stream.tasks] == [100, 13]
    assert not set(stream.tasks[0].train["label"]) - set(range(100))
    assert len(stream.label_space.names) == len(
        {*stream.tasks[0].label_names, *stream.tasks[1].label_names}
    )
