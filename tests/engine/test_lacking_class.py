"""A domain may lack a class: the label space is the union, what is lacking is said, every recipe runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cl_core.errors import Faults
from cl_core.reports.report import Report
from cl_core.tasks.stream_loader import load_stream
from tests.small_runs import Carry

CLASSES = {"books": ("bad", "fine", "good"), "films": ("bad", "good"), "songs": ("good", "fine")}


def write(folder: Path, classes: dict[str, tuple[str, ...]], test: tuple[str, ...] = ()) -> Path:
    for task, names in classes.items():
        (folder / task).mkdir(parents=True)
        for split, rows in (("train", 8), ("validation", 3), ("test", 4)):
            here = (*names, *(test if split == "test" else ()))
            lines = [
                f"a {name} {task} of {n} in {split},{name}" for n in range(rows) for name in here
            ]
            (folder / task / f"{split}.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    tasks = "".join(f"  - {{name: {task}, path: {task}}}\n" for task in classes)
    (folder / "stream.yaml").write_text(f"name: reviews\nprotocol: dil\ntasks:\n{tasks}")
    return folder / "stream.yaml"


def test_the_label_space_is_the_union_and_what_a_task_lacks_is_said(tmp_path: Path) -> None:
    stream = load_stream(write(tmp_path, CLASSES))
    assert stream.label_space.names == ("bad", "fine", "good")
    assert stream.label_space.global_index("songs") == (1, 2)
    lacking = [warning for warning in stream.warnings if "which other tasks have" in warning]
    assert ["films" in lacking[0], "'fine'" in lacking[0]] == [True, True]
    assert ["songs" in lacking[1], "'bad'" in lacking[1]] == [True, True]
    assert "macro F1 averages over" in lacking[0]


def test_a_class_that_only_test_rows_of_a_task_have_may_be_learnt_from_others(
    tmp_path: Path,
) -> None:
    only = {"books": ("bad", "fine", "good"), "films": ("bad", "good")}
    stream = load_stream(write(tmp_path, only, test=("fine",)))
    assert "task 'films': no training samples of class 'fine' (test has 4 of them)" in "".join(
        stream.warnings
    )


def test_a_domain_of_one_class_is_learnt_among_others_and_refused_alone(tmp_path: Path) -> None:
    stream = load_stream(write(tmp_path / "two", {"books": ("bad", "good"), "films": ("good",)}))
    assert stream.task("films").label_names == ("good",)
    with pytest.raises(Faults, match="all rows have one class, 'good'"):
        load_stream(write(tmp_path / "one", {"books": ("good",), "films": ("good",)}))


def test_a_class_that_nobody_can_learn_is_refused(tmp_path: Path) -> None:
    two = {"books": ("bad", "good"), "films": ("bad", "good")}
    with pytest.raises(Faults, match="no rows of class 'odd' here nor in another task"):
        load_stream(write(tmp_path, two, test=("odd",)))


def test_one_class_written_in_two_ways_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Faults, match=r"'good' and 'Good' \(capital and small letters\) name one class"
    ):
        load_stream(write(tmp_path, {"books": ("bad", "good"), "films": ("bad", "Good")}))


@pytest.mark.parametrize(
    "recipe", ["dam", "l2r-wavg", "epi", "sequential", "replay", "lwf", "joint", "i2i-ll"]
)
def test_every_kind_of_recipe_runs_where_domains_lack_classes(
    carry: Carry, tmp_path: Path, recipe: str
) -> None:
    stream = write(tmp_path / "data", CLASSES)
    selection = {"l2r-wavg": "herding", "replay": "balanced"}.get(recipe, "random")
    run = carry(
        str(stream),
        recipe,
        name="run",
        epochs=1,
        memory_selection=selection,
        class_weights="balanced",
    )
    assert run.folder.config.label_space == ("bad", "fine", "good")
    learnt = np.isfinite(run.matrix[2])
    assert learnt.all()
    for metric in ("macro_f1", "weighted_f1"):
        assert np.isfinite(Report(run.folder, metric).matrix[2]).all()
