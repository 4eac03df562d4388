"""The report of a run as one file: its numbers are the run's, its text is inert, it asks nothing of anybody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import cl_core as cl
from app.base.styles import LIT
from app.base.theme import DARK, numbered
from app.data.routing_records import last_routed, routed_at
from app.data.runs import DEMONSTRATION
from app.figures.standalone import alone
from app.report.report_samples import samples
from app.report.run_report import run_report
from cl_core.errors import UserError
from cl_core.evaluate.table import METRICS
from cl_core.evaluate.units import bare_title
from cl_core.reports.report import Report
from cl_core.reports.report_formats import number
from cl_core.runs.events import FailureEvent
from cl_core.runs.workspace import Workspace
from tests.patience import PATIENCE
from tests.small_runs import SMALL

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-angle=swiftshader --enable-unsafe-swiftshader"
)


class Read(HTMLParser):
    """What a browser would make of a page: tables by id, text, scripts, and every attribute that could load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.scripts: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.text = self.policy = ""
        self._table: list[list[str]] = []
        self._in: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.loads += [given[name] for name in ("src", "href", "data", "srcset") if name in given]
        self.handlers += [name for name in given if name.startswith("on")]
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        if tag == "table":
            self._table = self.tables.setdefault(given.get("id", ""), [])
        elif tag == "tr":
            self._table.append([])
        elif tag in ("td", "th"):
            self._table[-1].append("")
        elif tag == "script":
            self.scripts.append("")
        self._in.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self._in[-1:]:
            self.scripts[-1] += data
            return
        self.text += data
        if set(self._in) & {"td", "th"}:
            self._table[-1][-1] += data


def hostile(sample: str) -> Mapping[str, Any]:
    """What a sample might be."""
    return {"texts": {"text": f"{sample} {HOSTILE}"}, "pictures": [], "clip": False}


@pytest.fixture(scope="module")
def page(small_workspace: Path) -> Read:
    return Read(run_report(Workspace(small_workspace).find("dam"), hostile))


def test_its_scores_are_those_of_the_report(page: Read, small_workspace: Path) -> None:
    report = Report(Workspace(small_workspace).find("dam"))
    names = [numbered(index, name) for index, name in enumerate(report.tasks)]
    want = 100 * report.matrix
    for table, values in (
        ("table-scores", want),
        ("table-change", np.where(np.tri(3, dtype=bool), want - np.diagonal(want), np.nan)),
    ):
        scores = np.full((3, 3), np.nan)
        for row in page.tables[table][1:]:
            scores[names.index(row[0]), names.index(row[1])] = float(row[2])
        assert np.allclose(scores, values, atol=0.005, equal_nan=True)


def test_its_metrics_routing_and_cost_are_those_of_the_report(
    page: Read, small_workspace: Path
) -> None:
    run = Workspace(small_workspace).find("dam")
    report = Report(run)
    for table, values in (("table-transfer", report.transfer), ("table-router", report.router)):
        shown = {row[0]: (row[1], row[2]) for row in page.tables[table][1:]}
        assert shown == {
            bare_title(name): (number(name, value), METRICS[name].formula)
            for name, value in values.items()
        }
    counts = [[int(cell) for cell in row[1:]] for row in page.tables["table-routing"][1:]]
    assert np.array_equal(counts, report.confusion)
    routed = last_routed(run)
    assert routed is not None
    means = [float(row[1]) for row in page.tables["table-usage"][1:]]
    assert np.allclose(means, 100 * routed.weights.mean(axis=0), atol=0.005)
    costs = {row[0]: row[1] for row in page.tables["table-cost"][1:]}
    assert costs["Trainable parameters"] == f"{report.cost['trainable_parameters']:,.0f}"
    assert costs["Time: training"] == f"{report.cost['seconds_training']:.1f} s"


def test_it_says_what_was_run_and_shows_samples_of_each_kind(
    page: Read, small_workspace: Path
) -> None:
    config = Workspace(small_workspace).find("dam").config
    for said in ("dam (finished)", "domains-dil", "route centroid", f"Seed{config.seed}", "torch "):
        assert said in page.text
    settings = {name: value for name, value in page.tables[""] if name.startswith("train.")}
    assert settings["train.learning_rate"] == str(config.settings.train.learning_rate)
    routed = last_routed(Workspace(small_workspace).find("dam"))
    assert routed is not None
    both = int((~routed.right_route & routed.right_prediction).sum())
    assert f"wrong route, right prediction: {both:,} samples" in page.text


def test_it_tells_nothing_of_this_machine_s_folders(
    small_workspace: Path, tiny: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_workspace / "runs" / "dam", tmp_path / "runs" / "dam")
    run = Workspace(tmp_path).find("dam")
    run.warn(f"task 't': 1 of 9 images cannot be read; the first: {tmp_path}/x.png: damaged")
    run.record(FailureEvent(message=f"UserError: there is nothing at '{tmp_path}/my data'"))
    text = run_report(run, hostile)
    assert str(tmp_path) not in text
    assert str(tiny) not in text
    page = Read(text)
    assert "the first: x.png: damaged" in page.text
    assert ["backbone.name", tiny.name] in page.tables[""]


def test_text_from_data_is_inert(small_workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(small_workspace / "runs" / "dam", tmp_path / "runs" / "dam")
    run = Workspace(tmp_path).find("dam")
    labels = (HOSTILE, *run.config.label_space[1:])
    run.create(run.config.model_copy(update={"label_space": labels, "stream_name": HOSTILE}))
    text = run_report(Workspace(tmp_path).find("dam"), hostile)
    page = Read(text)
    assert HOSTILE in page.text
    assert not page.handlers
    assert not page.loads
    assert len(page.scripts) == 3  # the figures' numbers, plotly.js, and what draws
    assert not any("alert(1)" in script for script in page.scripts[1:])
    assert "<script>alert" not in text


def test_nothing_is_loaded_and_no_script_but_its_own_may_run(page: Read) -> None:
    assert page.loads == []
    numbers, *scripts = page.scripts
    assert set(json.loads(numbers)) == {"scores", "change", "routing", "usage"}
    digests = {b64encode(sha256(script.encode()).digest()).decode() for script in scripts}
    assert set(re.findall(r"'sha256-([^']+)'", page.policy)) == digests
    assert "default-src 'none'" in page.policy
    assert "http" not in page.policy
    assert "unsafe-eval" not in page.policy


def test_pictures_of_samples_are_in_the_file(small_workspace: Path) -> None:
    def show(sample: str) -> Mapping[str, Any]:
        return {"texts": {"question": "what?"}, "pictures": ["iVBORw0KGgo="], "clip": False}

    page = Read(run_report(Workspace(small_workspace).find("dam"), show))
    assert set(page.loads) == {"data:image/png;base64,iVBORw0KGgo="}


@pytest.mark.parametrize("run", ["dam", "l2r"])
def test_without_its_data_samples_are_named_by_their_ids(small_workspace: Path, run: str) -> None:
    folder = Workspace(small_workspace).find(run)
    routed = last_routed(folder)
    assert routed is not None
    page = Read(run_report(folder))
    assert any(sample_id in page.text for sample_id in routed.ids)
    assert "alert" not in page.text


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("stage", [2, 1])
def test_a_run_that_was_stopped_has_one_too(
    small_workspace: Path, tmp_path: Path, stage: int
) -> None:
    shutil.copytree(small_workspace / "runs" / "dam", tmp_path / "runs" / "dam")
    run = Workspace(tmp_path).find("dam")
    for name in ("scores", "routing"):
        kept = run.table(name).filter(pc.less_equal(pc.field("stage"), stage))
        pq.write_table(kept, run.path / f"{name}.parquet")
    (run.path / "environment.json").unlink()
    (run.path / "hashes.json").unlink()  # a run that was stopped has not written its end
    page = Read(run_report(Workspace(tmp_path).find("dam")))
    assert len(page.tables["table-scores"]) - 1 == stage * (stage + 1) // 2
    assert len(page.tables["table-routing"]) == 1 + stage
    assert {row[1] for row in page.tables["table-transfer"][1:]} == {"-"}


def test_one_adapter_for_all_tasks_has_no_route(tiny: Path, tmp_path: Path) -> None:
    options = {**SMALL, "backbone": str(tiny), "epochs": 1, "device": "cpu", "workspace": tmp_path}
    cl.run("domains-dil", "sequential", name="one", **options)
    page = Read(run_report(Workspace(tmp_path).find("one")))
    assert "there is no route" in page.text
    assert "table-routing" not in page.tables
    assert "one for all tasks" in page.text


def test_without_scores_there_is_none(small_workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(small_workspace / "runs" / "dam", tmp_path / "runs" / "dam")
    (tmp_path / "runs" / "dam" / "scores.parquet").unlink()
    with pytest.raises(UserError, match="has no scores yet"):
        run_report(Workspace(tmp_path).find("dam"))


def test_the_terminal_writes_it_with_the_samples_texts(
    small_workspace: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "cl_core.cli",
        "report",
        "dam",
        "--html",
        str(tmp_path / "r.html"),
    ]
    done = subprocess.run(
        [*command, "--workspace", str(small_workspace)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    page = Read((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "cannot be shown" not in page.text
    assert len(page.tables["table-scores"]) == 7
    missing = [*command[:4], "damm", *command[5:], "--workspace", str(small_workspace)]
    done = subprocess.run(missing, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean 'dam'" in done.stderr


def test_a_single_figure_has_the_paper_of_its_theme() -> None:
    figure = go.Figure(go.Scattergl(x=[1, 2], y=[3, 4])).update_layout(height=300)
    page = alone("map", figure, DARK, "two <points>", f"run {HOSTILE}").decode()
    assert f":root {{--paper:{DARK.paper};--lit:{LIT[DARK.name]}}}" in page
    assert "background:var(--paper)" in page
    assert "two &lt;points&gt;" in page
    assert HOSTILE not in page
    assert "'unsafe-eval'" in page  # WebGL figures alone need it
    assert Read(page).loads == []


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_it_opens_from_a_file_in_either_theme_and_draws_its_figures(
    small_workspace: Path, tmp_path: Path
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "report.html"
    file.write_text(run_report(Workspace(small_workspace).find("dam"), hostile), encoding="utf-8")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS.split(), timeout=1000 * PATIENCE
        )
        try:
            for scheme in ("light", "dark"):
                tab = browser.new_context(color_scheme=scheme).new_page()
                tab.set_default_timeout(300_000)
                said: list[str] = []
                asked: list[str] = []
                tab.on("console", lambda message, said=said: said.append(message.text))
                tab.on("pageerror", lambda error, said=said: said.append(str(error)))
                tab.on(
                    "dialog", lambda dialog, said=said: (said.append("dialog"), dialog.dismiss())
                )
                tab.on("request", lambda request, asked=asked: asked.append(request.url))
                tab.goto(file.as_uri())
                tab.wait_for_function(
                    "document.querySelectorAll('.figure .plot-container').length == 4"
                )
                drawn = tab.evaluate(
                    "[...document.querySelectorAll('#scores .textpoint text, #scores text')].map(t => t.textContent)"
                )
                report = Report(Workspace(small_workspace).find("dam"))
                for value in report.matrix[np.tril_indices(3)]:
                    assert f"{100 * value:.0f}" in drawn
                ink = tab.evaluate(
                    "getComputedStyle(document.querySelector('#scores .xtick text')).fill"
                )
                dark_ink = "rgb(232, 237, 244)"
                assert (ink == dark_ink) == (scheme == "dark")
                assert said == []
                assert asked == [file.as_uri()]
        finally:
            browser.close()


def test_what_could_not_be_answered_yet_is_not_among_wrong_answers() -> None:
    run = Workspace(DEMONSTRATION).find("dam")
    routed = routed_at(run, 2)
    assert routed is not None
    page = "".join(samples(run, routed, ["1 restaurants", "2 films"], None))
    kinds = re.findall(r"<h3>([^<:]*): (\d+) samples?,", page)
    wrong = sum(int(count) for kind, count in kinds if kind.endswith("wrong prediction"))
    assert len(kinds) == 4
    assert (
        wrong
        == (~routed.right_prediction & (routed.true < 2)).sum()
        < (~routed.right_prediction).sum()
    )
