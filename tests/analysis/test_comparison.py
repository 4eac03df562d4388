"""Several runs side by side: their spread, what is left out, and how every format says it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import cl_core as cl
from cl_core.analysis.comparison import compare
from cl_core.analysis.comparison_formats import FORMATS, as_dict
from cl_core.analysis.sweep import parse_seeds, sweep
from cl_core.cli.output import json_text
from cl_core.errors import UserError
from cl_core.evaluate.statistics import MINUS
from cl_core.recipes.named import RECIPES
from cl_core.reports.report import Report
from cl_core.reports.report_formats import as_text as report_as_text
from cl_core.runs.cautions import named
from cl_core.runs.events import FailureEvent
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.remade_runs import bundled, remade
from tests.small_runs import SMALL

QUICK = {**SMALL, "epochs": 1}


@pytest.fixture(scope="module")
def swept(
    tiny: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, list[RunFolder]]:
    workspace = Workspace(tmp_path_factory.mktemp("sweep"))
    result = sweep(
        workspace,
        ["domains-dil"],
        ["dam", "sequential"],
        [0, 1, 2],
        settings={**QUICK, "backbone": str(tiny)},
        device="cpu",
    )
    assert not result.failures
    return workspace, list(result.runs)


def test_a_sweep_is_every_recipe_with_every_seed_and_is_not_done_twice(
    swept: tuple[Workspace, list[RunFolder]], tiny: Path
) -> None:
    workspace, runs = swept
    assert [run.name for run in runs] == [
        f"domains-dil-{recipe}-{seed}" for seed in range(3) for recipe in ("dam", "sequential")
    ]
    before = {run.name: (run.path / "events.jsonl").read_bytes() for run in runs}
    settings = {**QUICK, "backbone": str(tiny)}
    again = sweep(
        workspace,
        ["domains-dil"],
        ["dam", "sequential"],
        [0, 1, 2],
        settings=settings,
        device="cpu",
    )
    assert {run.name: (run.path / "events.jsonl").read_bytes() for run in again.runs} == before


def test_one_failing_run_does_not_keep_the_others_from_being_carried_out(
    tiny: Path, tmp_path: Path
) -> None:
    result = sweep(
        Workspace(tmp_path),
        ["domains-dil", "no-such-stream"],
        ["adapters"],
        [0],
        settings={**QUICK, "backbone": str(tiny)},
        device="cpu",
    )
    assert [run.name for run in result.runs] == ["domains-dil-adapters-0"]
    assert result.failures[0][0] == "adapters on no-such-stream, seed 0"
    assert "no stream 'no-such-stream'" in result.failures[0][1]


def test_runs_that_differ_in_seed_alone_are_one_line_with_their_spread(
    swept: tuple[Workspace, list[RunFolder]],
) -> None:
    workspace, runs = swept
    comparison = compare(runs, ["average_accuracy", "forgetting"], against="sequential")
    assert [line.label for line in comparison.lines] == ["dam", "sequential"]
    numbers = [
        100 * cl.Run(workspace, run).metrics["average_accuracy"]
        for run in runs
        if "dam" in run.name
    ]
    summary = comparison.lines[0].summary("average_accuracy")
    assert summary is not None
    assert summary.n == 3
    assert summary.mean == pytest.approx(np.mean(numbers))
    assert summary.std == pytest.approx(np.std(numbers, ddof=1))
    gap = next(
        difference
        for difference in comparison.differences
        if difference.metric == "average_accuracy"
    )
    others = [
        100 * cl.Run(workspace, run).metrics["average_accuracy"]
        for run in runs
        if "seq" in run.name
    ]
    assert gap.label == "dam"
    assert gap.difference.mean == pytest.approx(np.mean(np.subtract(numbers, others)))


def test_every_format_shows_every_line_and_the_spread(
    swept: tuple[Workspace, list[RunFolder]],
) -> None:
    comparison = compare(swept[1], against="dam")
    for form, write in FORMATS.items():
        text = write(comparison)
        assert "dam" in text
        assert "sequential" in text
        assert ("n=3" in text or "all 3 runs" in text) == (form != "csv")
    assert len(FORMATS["csv"](comparison).splitlines()) == 1 + sum(
        len(values) for line in comparison.lines for values in line.values.values()
    )
    assert as_dict(comparison)["lines"][0]["metrics"]["average_accuracy"]["n"] == 3


def test_unfinished_runs_are_left_out_and_named(
    swept: tuple[Workspace, list[RunFolder]], tmp_path: Path
) -> None:
    runs = swept[1]
    unfinished = RunFolder(tmp_path / "begun")
    unfinished.create(runs[0].config)
    (why,) = compare([*runs, unfinished]).left_out.items()
    assert why == ("begun", f"interrupted: {unfinished.failure}")
    assert "its process ended without a word" in why[1]
    assert "resume it with: adapter-lab resume begun" in why[1]
    with pytest.raises(UserError, match="none of 1 run is finished"):
        compare([unfinished])


def test_seeds_are_numbers_and_ranges() -> None:
    assert parse_seeds("0-2,7,1") == [0, 1, 2, 7]
    for wrong in ("", "a", "1-", "-1", "²", "9" * 5000):
        with pytest.raises(UserError, match="give numbers and ranges"):
            parse_seeds(wrong)
    with pytest.raises(UserError, match="at most 10,000"):
        parse_seeds("0-5,0-99999999999")


def test_who_is_told_the_task_is_marked_and_stands_apart_in_every_form(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    runs = [
        remade(workspace, recipe, recipe) for recipe in ("adapters", "i2i-ff", "dam", "l2r-wavg")
    ]
    comparison = compare(runs, against="dam")
    assert [line.told_the_task for line in comparison.lines] == [False, False, True, True]
    for form in ("text", "markdown"):
        text = FORMATS[form](comparison)
        assert text.count("adapters †") >= 2, "beside its numbers, and beside its differences"
        assert "dam †" not in text
        assert "told the true task of every sample" in text
    blocks = FORMATS["text"](comparison).split("\n\n")
    assert any("dam" in block and "†" not in block for block in blocks), "they stand apart"
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](comparison))))
    assert {row["recipe"]: row["told_the_task"] for row in rows} == {
        "dam": "no",
        "l2r-wavg": "no",
        "adapters": "yes",
        "i2i-ff": "yes",
    }
    assert {row["metric"]: row["unit"] for row in rows}["forgetting"] == "points"
    data = as_dict(comparison)
    assert [line["told_the_task"] for line in data["lines"]] == [False, False, True, True]
    report = Report(runs[0])
    assert "told the true task" in report_as_text(report)
    assert report.as_dict()["told_the_task"]


def test_tables_for_people_have_real_minus_signs_and_those_for_programs_hyphens(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    runs = [remade(workspace, recipe, recipe) for recipe in ("sequential", "adapters")]
    comparison = compare(runs, ("average_accuracy", "backward_transfer"), against="adapters")
    hyphen = re.compile(r"(?<![\w.-])-\d")
    for text in (
        FORMATS["text"](comparison),
        FORMATS["markdown"](comparison),
        report_as_text(Report(runs[0])),
    ):
        assert re.search(f"{MINUS}[0-9]", text)
        assert not hyphen.search(text)
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](comparison))))
    assert min(float(row["value"]) for row in rows) < 0
    assert MINUS not in FORMATS["csv"](comparison) + json_text(as_dict(comparison))
    assert MINUS not in FORMATS["latex"](comparison)


def test_who_learns_all_tasks_at_once_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    runs = [
        remade(workspace, "sequential", "sequential"),
        remade(workspace, "sequential", "joint", recipe=RECIPES["joint"]),
    ]
    comparison = compare(runs)
    for form in ("text", "markdown"):
        assert "jointly trained, on all tasks at once" in FORMATS[form](comparison).lower()
    assert "jointly trained" not in FORMATS["text"](compare(runs[:1]))


def test_cil_says_under_which_head_rule_its_numbers_stand(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    runs = [remade(workspace, recipe, recipe) for recipe in ("dam", "sequential", "clips-dam")]
    one, several, none = (compare(chosen) for chosen in (runs[:1], runs[:2], runs[2:]))
    assert "CIL under the head rule 'compose'" in FORMATS["text"](one)
    assert "CIL under several head rules (compose, direct" in FORMATS["text"](several)
    assert "may be the rule's and not the recipe's" in FORMATS["latex"](several)
    assert "head rule" not in FORMATS["text"](none), "under DIL there is none"
    assert "head rule 'direct'" in report_as_text(Report(runs[1]))
    assert as_dict(one)["lines"][0]["head_rule"] == "compose"


def test_a_runs_figures_say_wherever_they_are_what_its_numbers_depend_on() -> None:
    oracle, rule = "† told the true task", "head rule: compose"
    assert named(bundled("adapters")) == f"run adapters ({oracle}; {rule})"
    assert named(bundled("dam")) == f"run dam ({rule})"
    assert named(bundled("clips-dam")) == "run clips-dam"


def test_json_has_no_nan(tmp_path: Path) -> None:
    run = remade(Workspace(tmp_path), "dam", "dam")  # whose forward transfer is not defined
    text = json_text({"compared": as_dict(compare([run])), "report": Report(run).as_dict()})
    assert "null" in text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert json_text({"a": [math.nan, -math.inf, 1.5]}) == json.dumps(
        {"a": [None, None, 1.5]}, indent=2
    )


def test_no_folder_of_this_machine_is_in_a_table(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    homes = ("/home/ann/models/base", "/home/bob/models/base", "minilm")
    runs = []
    for number, home in enumerate(homes):
        settings = bundled("dam").settings
        backbone = settings.backbone.model_copy(update={"name": home})
        runs.append(
            remade(
                workspace,
                "dam",
                f"dam-{number}",
                settings=settings.model_copy(update={"backbone": backbone}),
            )
        )
    failed = remade(workspace, "dam", "failed")
    failed.record(FailureEvent(message="UserError: no file '/home/ann/my data/x.csv'"))
    comparison = compare([*runs, failed])
    assert [line.label for line in comparison.lines] == [
        "dam (backbone=base)",
        "dam (backbone=base (2))",
        "dam (backbone=minilm)",
    ]
    for form in FORMATS.values():
        assert "home" not in form(comparison)
    assert "no file 'x.csv'" in FORMATS["markdown"](comparison)
