"""Every command, as a user types it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cl_core.runs.workspace import Workspace
from cl_core.store import RunLock
from tests.cli.conftest import Command

COMMANDS = (
    "check",
    "streams",
    "recipes",
    "backbones",
    "settings",
    "run",
    "resume",
    "stop",
    "runs",
    "jobs",
    "report",
    "route",
    "vary",
    "demo",
)


@pytest.fixture
def first(lab: Command, small: list[str]) -> str:
    """A finished run called first."""
    answer = lab("run", "--stream", "domains-dil", "--recipe", "dam", "--name", "first", *small)
    assert answer.status == 0, answer.err
    return "first"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(lab: Command, command: str) -> None:
    answer = lab(command, "--help")
    assert answer.status == 0
    assert "Usage" in answer.out
    assert len(answer.out) > 200


def test_the_lists_are_json_for_machines(lab: Command) -> None:
    assert {stream["name"] for stream in json.loads(lab("streams", "--json").out)} >= {
        "domains",
        "mtl5",
    }
    recipes = json.loads(lab("recipes", "--json").out)
    assert next(recipe["name"] for recipe in recipes["recipes"]) == "dam"
    assert set(recipes["slots"]) == {"initialise", "train", "route", "compose"}
    assert json.loads(lab("backbones", "--json").out)[0]["name"] == "minilm"
    assert "epochs" in json.loads(lab("settings", "--json").out)["train"]["properties"]
    assert json.loads(lab("runs", "--json").out) == []
    assert json.loads(lab("jobs", "--json").out) == []


def test_a_run_ends_with_its_report(lab: Command, small: list[str]) -> None:
    answer = lab("run", "--stream", "domains-dil", "--name", "first", *small)
    assert answer.status == 0
    assert "R[i, j]: accuracy (%)" in answer.out
    assert "mean_j R[T, j], higher is better" in answer.out
    assert "Routing accuracy" in answer.out
    assert "trained per task" in answer.out
    assert "epoch 1/1" in answer.err, "progress goes to the error stream, as plain lines"


def test_report_writes_every_form(lab: Command, first: str, tmp_path: Path) -> None:
    data = json.loads(lab("report", first, "--json").out)
    assert data["tasks"] == ["restaurants", "films", "products"]
    rows = list(csv.DictReader(io.StringIO(lab("report", first, "--format", "csv").out)))
    assert len(rows) == 6
    last = [float(row["value"]) for row in rows if row["stage"] == "3"]
    assert last == data["matrix"][2]
    latex = lab("report", first, "--format", "latex", "--output", str(tmp_path / "t.tex"))
    assert "written to" in latex.out
    text = (tmp_path / "t.tex").read_text()
    assert text.count("\\\\") == 4
    assert text.count("S[table-format=") == 3
    f1 = json.loads(lab("report", first, "--json", "--metric", "weighted_f1").out)
    assert f1["metric"] == "weighted_f1"


def test_explain_prints_its_table(lab: Command, first: str) -> None:
    answer = lab("explain", first, "--device", "cpu")
    assert answer.status == 0, answer.err
    sentence, head, *rows = answer.out.splitlines()
    assert "(3 of 3 tasks)" in sentence
    columns = ["task", "oracle (%)", "lost by routing (points)", "lost by merging (points)"]
    assert re.split(r"  +", head) == columns
    assert [row.split()[0] for row in rows] == ["restaurants", "films", "products", "mean"]
    data = json.loads(lab("explain", first, "--device", "cpu", "--json").out)
    shown = [float(cell.replace("\N{MINUS SIGN}", "-")) for cell in rows[0].split()[1:]]
    exact = [100 * data[0][name] for name in ("oracle", "routing", "merging")]
    assert shown == pytest.approx(exact, abs=0.051)


def test_vary_prints_accuracy_by_k_and_temperature(lab: Command, first: str) -> None:
    answer = lab("vary", first, "-k", "1", "-k", "3", "--device", "cpu")
    assert answer.status == 0, answer.err
    sentence, head, *rows = answer.out.splitlines()
    assert "(3 of 3 tasks)" in sentence
    assert "36 of 36 test samples" in sentence
    columns = ["k", "temperature", "accuracy (%)", "95 % interval (%)"]
    assert re.split(r"  +", head) == columns
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert [row.endswith("this run") for row in rows] == [False, True, False]
    for row in rows:
        *_, accuracy, interval = re.split(r"  +", row.removesuffix("this run").strip())
        low, high = (float(end) for end in interval.split(" to "))
        assert 0 <= low < float(accuracy) < high <= 100
    data = json.loads(lab("vary", first, "--temperature", "0.1", "--device", "cpu", "--json").out)
    (of_run,) = (accuracy for accuracy in data if accuracy["own"])
    matrix = json.loads(lab("report", first, "--json").out)["matrix"]
    assert list(of_run["tasks"].values()) == pytest.approx(matrix[2])
    assert [(trace["k"], trace["temperature"]) for trace in data] == [(2, 0.01), (2, 0.1)]
    assert of_run["interval"][0] < of_run["accuracy"] < of_run["interval"][1]
    refused = lab("vary", first, "--temperature", "0")
    assert (refused.status, "must be a number above 0" in refused.err) == (2, True)
    refused = lab("vary", first, "--stage", "7")
    assert (refused.status, "no router of stage 7" in refused.err) == (2, True)


def test_route_shows_weights_merge_and_each_adapter_alone(lab: Command, first: str) -> None:
    answer = lab("route", first, "--text", "the soup was cold", "-k", "2")
    assert answer.status == 0
    assert answer.out.count("alone:") == 3
    (sample,) = json.loads(
        lab("route", first, "--text", "the soup was cold", "-k", "2", "--json").out
    )
    weights = [share["weight"] for share in sample["shares"]]
    assert sum(weights) == pytest.approx(1)
    assert sum(weight > 0 for weight in weights) == 2
    (one,) = json.loads(lab("route", first, "--text", "the soup was cold", "-k", "1", "--json").out)
    assert [share["weight"] for share in one["shares"]] == [1, 0, 0]
    assert one["prediction"] == one["shares"][0]["alone"], "one adapter: the merge is that adapter"


def test_runs_lists_what_is_there_and_the_same_command_again_is_instant(
    lab: Command, first: str, small: list[str]
) -> None:
    (row,) = json.loads(lab("runs", "--json").out)
    assert (row["run"], row["status"]) == (first, "finished")
    words = ("run", "--stream", "domains-dil", "--recipe", "dam", "--name", first, *small)
    again = lab(*words)
    assert again.status == 0
    assert "epoch" not in again.err
    assert lab(*words, "--json").out == lab("report", first, "--json").out


def test_resume_evaluates_a_finished_run_again_from_its_artifacts(lab: Command, first: str) -> None:
    answer = lab("resume", first)
    assert answer.status == 0
    assert "found in the store" in answer.err
    assert json.loads(lab("resume", first, "--json").out)["status"] == "finished"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--stream", "domain"], "Did you mean 'domains'"),
        (["run", "--stream", "domains", "--recipe", "damm"], "Did you mean 'dam'"),
        (["run", "--stream", "domains", "--set", "epoch=1"], "Did you mean 'epochs'"),
        (["run", "--stream", "domains", "--set", "epochs"], "name=value"),
        (["run", "--stream", "domains", "--route", "centroids"], "Did you mean 'centroid'"),
        (["run", "--stream", "domains", "--device", "tpu"], "choose auto, cpu, cuda"),
        (["run", "--stream", "domains", "--protocol", "ftl"], "choose one of til, cil, dil"),
        (["run", "--stream", "domains", "--preset", "dam"], "choose one of default, dam-published"),
        (["runs", "--workspace", ""], "--workspace is empty"),
        (["run", "--stream", "domains", "--workspace", "a\udcff"], "is not UTF-8; name another"),
        (["report", "first"], "there are no runs here yet"),
        (["route", "first", "--text", "x"], "there are no runs here yet"),
        (["stop", "first"], "there are no runs here yet"),
    ],
)
def test_a_mistake_gets_a_sentence_and_status_2_not_a_traceback(
    lab: Command, words: list[str], message: str
) -> None:
    answer = lab(*words)
    assert answer.status == 2
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_stopping_a_run_that_does_not_run_says_what_it_is(lab: Command, first: str) -> None:
    answer = lab("stop", first)
    assert answer.status == 2
    assert "is not running: it is finished" in answer.err
    run = Workspace().find(first)
    with RunLock(run.lock_path):
        assert json.loads(lab("stop", first, "--json").out) == {"run": first, "stop": "requested"}
    assert run.stop_requested()


def test_help_and_lists_import_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from cl_core.cli.commands import app\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['runs']).exit_code == 0\n"
        "assert 'numpy' not in sys.modules\n"
        "for words in (['--help'], ['recipes'], ['streams'], ['backbones'], ['settings']):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0, words\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
