"""What is lost by routing and by merging: each answer is that of a model which was told so."""

from __future__ import annotations

import numpy as np
import pytest

import cl_core as cl
from cl_core.analysis.oracle_answers import explain_losses
from cl_core.errors import UserError
from cl_core.evaluate.oracle_gap import summarise_losses
from cl_core.model.predict import Predictor
from cl_core.model.what_if import WhatIf
from cl_core.recipes.named import load_recipe
from cl_core.reports.report import Report
from cl_core.tasks.stream_loader import load_stream
from tests.small_runs import SMALL, Carry

STREAMS = ("domains-dil", "domains")


def explained(run: cl.Run) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = explain_losses(run.workspace, run.folder, "cpu").to_pylist()
    return rows


@pytest.mark.parametrize("stream", STREAMS)
def test_each_sample_is_answered_as_by_a_model_that_is_told_which_adapter(
    carry: Carry, stream: str
) -> None:
    run = carry(stream, "dam", name="dam", temperature=0.5, batch_size=4)
    rows = {(row["stage"], row["sample_id"]): row for row in explained(run)}
    config = run.folder.config
    limits = {"train": SMALL["limit_train"], "validation": 8, "test": SMALL["limit_test"]}
    data = load_stream(stream, limits=limits)
    recorded = run.folder.table("routing").to_pylist()
    names = [task.name for task in config.tasks]
    for stage in (1, len(names)):
        now = [record for record in recorded if record["stage"] == stage]
        later = {record["sample_id"] for record in now if record["true_task"] >= stage}
        assert not any((stage, sample) in rows for sample in later)
        answered = [record for record in now if record["true_task"] < stage]
        texts = []
        for record in answered:
            split = data.tasks[record["true_task"]].splits["test"]
            texts.append(split["text"][list(split["id"]).index(record["sample_id"])])
        model = Predictor(run.workspace, run.folder, stage, "cpu")
        samples = model.encode(texts)
        forced = {
            name: model.route(samples, what_if=WhatIf(force=name, compose="select"))
            for name in names[:stage]
        }
        for index, record in enumerate(answered):
            row = rows[stage, record["sample_id"]]
            assert row["run"] == record["correct"]
            chosen = {
                "own": names[record["true_task"]],
                "first": names[int(np.argmax(record["weights"]))],
            }
            for column, task in chosen.items():
                right = forced[task][index].prediction == config.label_space[record["label"]]
                assert row[column] == right, (stage, record["sample_id"], column)


def test_the_parts_add_up_to_what_the_oracle_is_ahead(carry: Carry) -> None:
    recipe = load_recipe("dam", initialise="random")
    dam = carry("domains-dil", recipe, name="dam", temperature=0.5)
    oracle = carry("domains-dil", "adapters", name="told")
    tasks = len(dam.folder.config.tasks)
    table = explain_losses(dam.workspace, dam.folder, "cpu")
    lost = summarise_losses(table, tasks)
    seen = np.tril_indices(tasks)
    np.testing.assert_allclose(lost.oracle[seen], Report(oracle.folder).matrix[seen], atol=1e-6)
    total = lost.oracle - Report(dam.folder).matrix
    np.testing.assert_allclose((lost.routing + lost.merging)[seen], total[seen], atol=1e-6)
    assert dam.folder.table("lost").equals(table)


def test_who_is_told_the_task_and_takes_one_adapter_loses_nothing(carry: Carry) -> None:
    rows = explained(carry("domains-dil", "adapters", name="told"))
    assert rows
    assert all(row["own"] == row["first"] == row["run"] for row in rows)


def test_learned_routers_are_explained_with_the_heads_that_were_tuned_with_them(
    carry: Carry,
) -> None:
    run = carry("domains-dil", "l2r-wavg", name="l2r", memory=0.5)
    rows = explained(run)
    matrix = Report(run.folder).matrix
    lost = summarise_losses(run.folder.table("lost"), len(matrix))
    seen = ~np.isnan(lost.oracle)
    assert seen.any()
    answered = lost.oracle - lost.routing - lost.merging
    np.testing.assert_allclose(answered[seen], matrix[seen], atol=1e-6)
    assert {row["stage"] for row in rows} == {1, 2, 3}


def test_one_adapter_for_all_tasks_has_no_route_to_lose_by(carry: Carry) -> None:
    run = carry("domains-dil", "sequential", name="one")
    with pytest.raises(UserError, match="nothing is routed or merged"):
        explain_losses(run.workspace, run.folder, "cpu")
