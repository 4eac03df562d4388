"""Which numbers of a run are none, and that every way to read the run says why."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from cl_core.evaluate.matrix import SCORES_SCHEMA
from cl_core.reports.report import Report
from cl_core.reports.report_formats import FORMATS
from cl_core.runs.events import EvaluationEvent, WarningEvent
from cl_core.runs.progress import read_progress
from cl_core.runs.undefined_scores import (
    UNKNOWN_ANSWERS,
    UNKNOWN_LABELS,
    answerable,
    answerable_rows,
    no_score,
)
from cl_core.store.contents import table_bytes
from tests.remade_runs import bundled
from tests.small_runs import Carry

ABOVE = np.triu(np.ones((3, 3), dtype=bool), k=1)
ONE_EPOCH = {"epochs": 1}


def test_in_cil_forward_transfer_is_not_defined_with_the_reason_everywhere(carry: Carry) -> None:
    run = carry("domains-dil", "dam", protocol="cil", name="run", unseen=True, **ONE_EPOCH)
    report = Report(run.folder)
    assert np.isnan(report.transfer["forward_transfer"])
    assert report.undefined == {"forward_transfer": UNKNOWN_LABELS}
    exported = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert exported["forward_transfer"] is None
    assert exported["undefined"]["forward_transfer"] == UNKNOWN_LABELS
    assert UNKNOWN_LABELS in FORMATS["text"](report)
    assert "forward" not in FORMATS["latex"](report).lower()
    warned = [event.message for event in run.folder.events if isinstance(event, WarningEvent)]
    assert any(UNKNOWN_LABELS in message for message in warned)


def test_in_cil_a_task_not_learnt_yet_is_routed_and_not_scored(carry: Carry) -> None:
    run = carry("domains-dil", "dam", protocol="cil", name="run", unseen=True, **ONE_EPOCH)
    assert np.isnan(Report(run.folder).matrix[ABOVE]).all()
    shown = read_progress(run.folder.config, run.folder.events).matrix
    assert np.isnan(shown[ABOVE]).all()
    assert not np.isnan(shown[~ABOVE]).any()
    scores = run.folder.table("scores").to_pylist()
    names = [task.name for task in run.folder.config.tasks]
    assert all(row["stage"] == 0 or names.index(row["task"]) < row["stage"] for row in scores)
    routed = run.folder.table("routing").to_pylist()
    assert any(row["stage"] == 1 and row["true_task"] == 2 for row in routed)


def test_scores_that_an_older_run_wrote_above_the_diagonal_are_left_out(carry: Carry) -> None:
    run = carry("domains-dil", "dam", name="run", unseen=True, **ONE_EPOCH).folder
    assert not np.isnan(Report(run).matrix[ABOVE]).any()
    changed = run.config.model_copy(update={"protocol": "cil"})
    distinct = tuple(
        task.model_copy(update={"labels": (2 * index, 2 * index + 1)})
        for index, task in enumerate(changed.tasks)
    )
    written = run.table("scores").to_pylist()
    under = [{**row, "protocol": changed.protocol_with_rule} for row in written]
    older = pa.Table.from_pylist(under, SCORES_SCHEMA)
    run.write("scores.parquet", table_bytes(older))
    run.__dict__["config"] = changed.model_copy(update={"tasks": distinct})
    assert np.isnan(Report(run).matrix[ABOVE]).all()
    ahead = EvaluationEvent(stage=1, task=distinct[2].name, accuracy=0.0, rows=1, recomputed=1)
    assert np.isnan(read_progress(run.config, [*run.events, ahead]).matrix[0, 2])


def test_labels_that_an_earlier_task_has_too_can_be_answered_before(carry: Carry) -> None:
    config = carry("domains-dil", "dam", protocol="cil", name="run", **ONE_EPOCH).folder.config
    assert not answerable(config)[ABOVE].any()
    first = config.tasks[0].labels
    same = tuple(task.model_copy(update={"labels": first}) for task in config.tasks)
    assert answerable(config.model_copy(update={"tasks": same})).all()


@pytest.mark.parametrize(
    ("protocol", "vocabulary", "can"),
    [
        ("til", "known", [True, False, False, False, False]),
        ("cil", "known", [True, True, False, False, False]),
        ("dil", "known", [True, True, True, False, True]),
        ("dil", "seen", [True, True, False, False, False]),
    ],
)
def test_a_row_of_a_task_to_come_can_be_answered_where_its_own_label_can(
    protocol: str, vocabulary: str, can: list[bool]
) -> None:
    """After the first task, whose labels are 0 and 1: a row of it, three of the second task, one held out."""
    config = bundled("dam")
    answers = config.settings.answers.model_copy(update={"vocabulary": vocabulary})
    settings = config.settings.model_copy(update={"answers": answers})
    tasks = [
        task.model_copy(update={"labels": task_labels})
        for task, task_labels in zip(config.tasks, ((0, 1), (1, 2)), strict=False)
    ]
    config = config.model_copy(
        update={"protocol": protocol, "settings": settings, "tasks": tuple(tasks)}
    )
    true, labels = np.array([0, 1, 1, 1, 2]), np.array([0, 1, 2, -1, 2])
    assert answerable_rows(config, 1, true, labels).tolist() == can


@pytest.mark.parametrize(
    ("protocol", "recipe", "reason"),
    [
        ("dil", "dam", "--set unseen=true"),
        ("til", "dam", "has none before it is learnt"),
        ("dil", "adapters", "told the task"),
        ("dil", "joint", "all at once"),
    ],
)
def test_elsewhere_the_reason_is_what_the_run_lacks(
    carry: Carry, protocol: str, recipe: str, reason: str
) -> None:
    run = carry("domains-dil", recipe, protocol=protocol, name="run", **ONE_EPOCH)
    why = Report(run.folder).undefined
    assert reason in why["forward_transfer"]
    assert ("forgetting" in why) == (recipe == "joint")


def test_a_vocabulary_that_grows_leaves_out_what_none_of_it_can_answer(carry: Carry) -> None:
    run = carry("domains-dil", "dam", name="run", unseen=True, **ONE_EPOCH).folder
    grown = run.config.settings.answers.model_copy(update={"vocabulary": "seen"})
    distinct = tuple(
        task.model_copy(update={"labels": (2 * index, 2 * index + 1)})
        for index, task in enumerate(run.config.tasks)
    )
    settings = run.config.settings.model_copy(update={"answers": grown})
    run.__dict__["config"] = run.config.model_copy(update={"tasks": distinct, "settings": settings})
    report = Report(run)
    assert np.isnan(report.matrix[ABOVE]).all()
    assert report.undefined == {"forward_transfer": UNKNOWN_ANSWERS}
    assert no_score(run.config) == UNKNOWN_ANSWERS
