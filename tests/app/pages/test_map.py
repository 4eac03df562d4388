"""The feature map: its worker, its table, and the page as a visitor meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

import cl_core as cl
from app.base.outcomes import NOT_LEARNT, RIGHT, WRONG
from app.base.theme import LIGHT
from app.data import projections, runs
from app.data.projections import Projection
from app.data.runs import DEMONSTRATION
from app.data.view import View
from app.figures.colour_modes import COLOURS
from app.figures.overlap import moved_apart
from app.figures.scatter import MapView, feature_map
from app.figures.similarity import similarity
from app.map import maps, points
from app.workers import map_key, projection_worker, tether
from app.workers.background import MOST_IN_VAIN
from cl_core.analysis.embeddings import find_embeddings
from cl_core.evaluate.neighbours import cosines
from cl_core.runs.slices import Slice, save_slice
from cl_core.runs.workspace import Workspace
from tests.app.conftest import Open
from tests.app.scattered import scattered
from tests.patience import PATIENCE
from tests.small_runs import SMALL

"""Seconds: what is waited for is the worker's end, however busy the machine is."""


@pytest.fixture(scope="session")
def mapped(small_workspace: Path) -> Path:
    """The workspace with the maps of its DAM run, computed in this process."""
    workspace = Workspace(small_workspace)
    embeddings = find_embeddings(workspace, workspace.find("dam"))
    assert embeddings is not None
    projection_worker.project(workspace, workspace, embeddings)
    return small_workspace


def stored(workspace: Path, method: map_key.Method = "UMAP") -> Projection:
    opened = Workspace(workspace)
    embeddings = find_embeddings(opened, opened.find("dam"))
    assert embeddings is not None
    projection = projections.read((opened,), embeddings, method)
    assert projection is not None
    return projection


def test_the_same_seed_gives_the_same_map(mapped: Path, tmp_path: Path) -> None:
    workspace = Workspace(mapped)
    embeddings = find_embeddings(workspace, workspace.find("dam"))
    assert embeddings is not None
    projection_worker.project(workspace, Workspace(tmp_path), embeddings)
    for method in map_key.METHODS:
        assert np.array_equal(stored(mapped, method).positions, stored_in(tmp_path, mapped, method))


def test_a_map_leaves_the_threads_of_its_process_as_they_were(mapped: Path) -> None:
    """Training after it, in the same process, took up to fifty times as long beside others."""
    assert mapped.is_dir()
    assert torch.get_num_threads() == 1


def stored_in(target: Path, source: Path, method: map_key.Method) -> np.ndarray:
    workspace = Workspace(source)
    embeddings = find_embeddings(workspace, workspace.find("dam"))
    assert embeddings is not None
    projection = projections.read((Workspace(target),), embeddings, method)
    assert projection is not None
    return projection.positions


def test_every_task_is_sampled_in_proportion() -> None:
    drawn = projection_worker.sampled([9_000, 3_000, 3], 1_000, 0)
    assert [len(rows) for rows in drawn] == [749, 249, 1]
    assert all((np.diff(rows) > 0).all() for rows in drawn)
    assert [len(rows) for rows in projection_worker.sampled([5, 7], 12, 0)] == [5, 7]


def test_pca_finds_the_plane_that_the_points_lie_in() -> None:
    flat = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32) * [3, 1]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0][:2]
    positions, share = projection_worker.pca((flat @ turn).astype(np.float32))
    assert share == pytest.approx(1)
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    assert np.allclose(distances, np.linalg.norm(flat[:, None] - flat, axis=2), atol=1e-3)


def test_the_stage_greys_later_tasks_and_moves_nothing(mapped: Path) -> None:
    run = Workspace(mapped).find("dam")
    routing, projection = run.table("routing"), stored(mapped)
    first = points.table(projection, run.config, routing, 1)
    last = points.table(projection, run.config, routing, 3)
    assert (first[["x", "y", "sample", "class"]] == last[["x", "y", "sample", "class"]]).all().all()
    assert set(first.loc[~first["learnt"], "task_index"]) == {1, 2}
    assert last["learnt"].all()
    records = {(row["sample_id"], row["stage"]): row for row in routing.to_pylist()}
    for row in last.itertuples():
        record = records[row.sample, 3]
        assert row.adapter_index == int(np.argmax(record["weights"]))
        assert (row.answer == RIGHT) == record["correct"]


def test_a_held_out_row_is_wrong_only_where_its_label_is_known() -> None:
    """The demonstration with its third task held out: after the first two, no row of it could be answered."""
    run = Workspace(DEMONSTRATION).find("dam")
    tasks = run.config.tasks
    config = run.config.model_copy(update={"tasks": tasks[:2], "held_out": tasks[2:]})
    task, row = np.repeat([0, 1, 2], 60), np.tile(np.arange(60), 3)
    positions = np.zeros((180, 2))
    here = Projection("PCA", task, row, positions, positions[:2], 1.0, 180, 1.0)
    shown = points.table(here, config, run.table("routing"), 2)
    assert shown["learnt"].all(), "it was routed"
    assert set(shown.loc[shown["task_index"] < 2, "answer"]) == {RIGHT, WRONG}
    assert set(shown.loc[shown["task_index"] == 2, "answer"]) == {NOT_LEARNT}


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colouring_shows_every_sample_once(mapped: Path, colour: str) -> None:
    run = Workspace(mapped).find("dam")
    projection = stored(mapped)
    table = points.table(projection, run.config, run.table("routing"), 2)
    names = [task.name for task in run.config.tasks]
    figure = feature_map(table, projection.centroids, names, LIGHT, MapView(colour, stage=2))
    button = figure.layout.updatemenus[0].buttons[COLOURS.index(colour)]
    seen = [
        row
        for trace, visible in zip(figure.data, button.args[0]["visible"], strict=True)
        if visible and trace.customdata is not None
        for row, *_ in trace.customdata
    ]
    assert sorted(seen) == list(range(len(table)))
    assert [trace.visible for trace in figure.data] == list(button.args[0]["visible"])


def test_what_samples_are_called_is_no_markup(mapped: Path) -> None:
    run = Workspace(mapped).find("dam")
    projection = stored(mapped)
    table = points.table(projection, run.config, run.table("routing"), 3)
    table.loc[0, "sample"] = "<a href='x'>"
    figure = feature_map(
        table, projection.centroids, ["a", "b", "c"], LIGHT, MapView("Task", stage=3)
    )
    assert "<a " not in figure.to_json().replace("\\u003c", "<")


def test_the_page_shows_the_stored_map_and_selects_by_rule(mapped: Path, open_page: Open) -> None:
    page = open_page("map", run="dam")
    home = str(Path(Workspace(mapped).find("dam").config.settings.backbone.name).parent)
    assert not any(
        home in element.value for element in page.caption
    )  # it goes into the figure's files
    assert not page.info
    assert any(
        "test split, 36 samples, UMAP, trustworthiness" in element.value for element in page.caption
    )
    page.selectbox(key="from_task").set_value("1 restaurants").run()
    assert page.metric[0].value == "12"
    assert not page.exception


def test_the_stage_moves_everything_under_it(mapped: Path, open_page: Open) -> None:
    page = open_page("map", run="dam")
    page.select_slider(key="after").set_value("1 restaurants").run()
    assert not page.exception
    samples, cosines = (element.value for element in page.dataframe)
    later = samples["task"] != "1 restaurants"
    assert set(samples.loc[later, "answer"]) == {NOT_LEARNT}
    assert set(samples.loc[~later, "adapter"]) == {"1 restaurants"}
    assert cosines.shape == (1, 1)
    sources = [element.value for element in page.caption if "run dam" in element.value]
    assert len(sources) == 2
    assert all("stage 1" in source for source in sources)
    assert rings(page) == ["1"]
    page.selectbox(key="from_task").set_value("2 films").run()
    assert [metric.value for metric in page.metric[:2]] == ["12", "-"]


def rings(page: AppTest) -> list[str]:
    """What the centroids on the map are called."""
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    (marks,) = [trace["text"] for trace in figure["data"] if trace.get("name") == "centroid"]
    return list(marks)


def test_a_selection_becomes_a_slice(mapped: Path, open_page: Open) -> None:
    page = open_page("map", run="dam")
    page.select_slider(key="after").set_value("2 films").run()
    page.selectbox(key="from_task").set_value("2 films").run()
    page.text_input(key="slice-name").set_value("all films")
    press(page, "Save")
    saved = json.loads((mapped / "slices" / "all films.json").read_text())
    assert len(saved["samples"]) == 12
    assert (saved["run"], saved["after"]) == ("dam", 2)
    page.selectbox(key="from_task").set_value("any").run()
    page.selectbox(key="slice").set_value("all films").run()
    assert page.metric[0].value == "12"


def test_a_slice_of_another_run_is_not_replaced(mapped: Path, open_page: Open) -> None:
    theirs = Slice(name="shared name", run="l2r", split="test", after=1, samples=("a",))
    file = save_slice(Workspace(mapped), theirs)
    left = file.read_bytes()
    page = open_page("map", run="dam")
    page.selectbox(key="from_task").set_value("2 films").run()
    page.text_input(key="slice-name").set_value("shared name")
    press(page, "Save")
    assert page.error[0].value.startswith("run 'l2r' has a slice called 'shared name' already")
    assert file.read_bytes() == left
    file.unlink()


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


def test_a_map_that_is_not_there_is_computed_by_a_worker(
    small_workspace: Path, tmp_path: Path
) -> None:
    source, target = Workspace(small_workspace), Workspace(tmp_path / "mine")
    run = source.find("dam")
    worker = projections.Worker()
    assert worker.ensure(source, target, run) == "computing"
    assert worker.ensure(source, target, source.find("l2r")) == "waiting"
    worker.settle(PATIENCE)
    embeddings = find_embeddings(source, run)
    assert embeddings is not None
    for method in map_key.METHODS:
        assert projections.read((target,), embeddings, method) is not None


def test_a_worker_that_fails_says_why_and_is_not_started_over_and_over(tmp_path: Path) -> None:
    worker, workspace = projections.Worker(), Workspace(tmp_path)
    run = workspace.run("none")
    assert worker.ensure(workspace, workspace, run) == "computing"
    worker.settle(PATIENCE)
    assert worker.ensure(workspace, workspace, run) == "failed"
    assert "there is no run 'none'" in worker.why(run)
    worker.forgive(run)
    assert worker.ensure(workspace, workspace, run) == "computing"


def damage(workspace: Path) -> None:
    """Halves the tables of all maps."""
    files = list((workspace / "store" / map_key.KIND).glob("*/*.parquet"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.filterwarnings("ignore:artifact projection:UserWarning")
def test_a_damaged_map_is_computed_again_and_shown(
    mapped: Path, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_copy = shutil.copytree(mapped, tmp_path / "workspace")
    damage(workspace_copy)
    started = starts(monkeypatch)
    page = open_page("map", run="dam", workspace=workspace_copy)
    assert "being computed" in page.info[0].value
    for _ in range(3):
        maps.worker().settle(PATIENCE)
        page.run()
    assert not page.info
    assert any("UMAP, trustworthiness" in element.value for element in page.caption)
    assert len(started) == 1


def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Modules of the workers that are begun from now on."""
    modules: list[str] = []
    start = tether.start

    def watched(module: str, *words: str, **options: Any) -> Any:
        modules.append(module)
        return start(module, *words, **options)

    monkeypatch.setattr(tether, "start", watched)
    return modules


@pytest.mark.filterwarnings("ignore:artifact projection:UserWarning")
def test_a_damaged_map_of_a_workspace_that_is_read_only_is_computed_into_the_other(
    mapped: Path, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    demonstration = shutil.copytree(mapped, tmp_path / "demonstration")
    damage(demonstration)
    (demonstration / "READ_ONLY").touch()
    monkeypatch.setattr(runs, "DEMONSTRATION", demonstration)
    started = starts(monkeypatch)
    page = open_page("map", ws="Demonstration", run="dam", workspace=tmp_path / "mine")
    for _ in range(3):
        maps.worker().settle(PATIENCE)
        page.run()
    assert not page.info
    assert any("UMAP, trustworthiness" in element.value for element in page.caption)
    assert len(started) == 1


def test_a_worker_that_leaves_no_map_is_not_begun_without_end(
    small_workspace: Path, tmp_path: Path
) -> None:
    """As where the disk damages what it wrote."""
    source, target = Workspace(small_workspace), Workspace(tmp_path / "mine")
    worker, run = projections.Worker(), source.find("dam")
    states = []
    for _ in range(MOST_IN_VAIN + 1):
        states.append(worker.ensure(source, target, run))
        worker.settle(PATIENCE)
    assert states == ["computing"] * MOST_IN_VAIN + ["failed"]
    assert "not there" in worker.why(run)
    worker.forgive(run)
    assert worker.ensure(source, target, run) == "computing"
    worker.settle(PATIENCE)
    worker.served(run)
    assert worker.ensure(source, target, run) == "computing", "it was seen, and is gone"


def test_a_run_has_a_map_as_soon_as_another_run_has_made_its_features(
    mapped: Path, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its first tasks are there first, as while that run is trained; the run's own files stay as they are."""
    workspace_copy = shutil.copytree(mapped, tmp_path / "workspace")
    features, aside = workspace_copy / "store" / "features", tmp_path / "features"
    features.rename(aside)
    page = open_page("map", run="dam", workspace=workspace_copy)
    assert any("no other run here has made them" in element.value for element in page.markdown)
    monkeypatch.setattr(maps, "_state", lambda view: "computing")
    run = Workspace(workspace_copy).find("dam")
    view = View("Mine", run, 3, None, LIGHT, False)
    features.mkdir()
    counts = []
    for folder in sorted(aside.iterdir()):
        folder.rename(features / folder.name)
        shown = maps.look_up(view, "PCA")
        counts.append(0 if shown is None else len(shown.embeddings.tasks))
    assert sorted(counts) == counts
    assert set(counts) >= {1, 2, 3}
    page.run()
    assert not page.exception
    assert not page.info
    assert any("test split, 36 samples, UMAP" in element.value for element in page.caption)


def test_a_run_whose_features_are_all_alike_is_told_that_there_is_nothing_to_map(
    tmp_path: Path, tiny: Path, open_page: Open
) -> None:
    """A backbone that gives every text the same features: its last normalisation has no weight, only a bias."""
    flat = tmp_path / "flat"
    shutil.copytree(tiny, flat)
    weights = load_file(flat / "model.safetensors")
    for name in weights:
        if "LayerNorm.weight" in name:
            weights[name] = torch.zeros_like(weights[name])
    save_file(weights, flat / "model.safetensors", {"format": "pt"})
    root = tmp_path / "workspace"
    options = {**SMALL, "backbone": str(flat), "epochs": 1, "device": "cpu", "workspace": root}
    cl.run("domains-dil", "dam", name="flat", **options)
    worker, run = projections.Worker(), Workspace(root).run("flat")
    assert worker.ensure(Workspace(root), Workspace(root), run) == "computing"
    worker.settle(PATIENCE)
    assert worker.ensure(Workspace(root), Workspace(root), run) == "nothing"
    assert "the same for every sample" in worker.why(run)
    page = open_page("map", run="flat", workspace=root)
    maps.worker().settle(PATIENCE)
    page.run()
    (message,) = [element.value for element in page.info if "nothing to map" in element.value]
    assert "another layer" in message


def test_a_zero_vector_has_no_cosine() -> None:
    table = cosines(np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], dtype=np.float32))
    assert np.isnan(table[1]).all()
    assert np.isnan(table[:, 1]).all()
    assert table[0, 2] == pytest.approx(0.5**0.5)
    similarity(np.full((2, 2), np.nan), ["1 a", "2 b"], LIGHT)  # drawn all the same
    similarity(np.ones((2, 2)), ["1 a", "2 b"], LIGHT)


@pytest.mark.parametrize("least", [0.9951, 0.2])
def test_cosines_that_are_written_alike_look_alike(least: float) -> None:
    near = np.array([[1.0, 0.9951, least], [0.9951, 1.0, 1.0], [least, 1.0, 1.0]])
    (cells,) = similarity(near, ["1 a", "2 b", "3 c"], LIGHT).data
    assert cells.zmin <= least, "none is below the scale"
    apart = (near[1, 2] - near[0, 1]) / (cells.zmax - cells.zmin)
    assert apart < 0.05, "of the scale, which 1.00 and 1.00 are apart"


def test_rings_that_would_cover_each_other_stand_side_by_side() -> None:
    places = np.array([[0.0, 0.0], [0.0, 0.0], [0.1, 0.0], [5.0, 5.0]])
    moved = moved_apart(places, 0.5)
    far = np.linalg.norm(moved[:, None] - moved, axis=-1)[np.triu_indices(4, 1)]
    assert far.min() > 0.49
    assert np.array_equal(moved[3], places[3])
    assert np.linalg.norm(moved - places, axis=-1).max() <= 0.5 + 1e-9
    assert np.array_equal(moved_apart(moved, 0.4), moved)


def test_a_text_of_ones_own_is_placed_among_its_neighbours(mapped: Path, open_page: Open) -> None:
    page = open_page("map", run="dam")
    assert not page.text_area  # until it is asked for, no worker is
    page.query_params["mine"] = "The soup was cold."
    page.run(timeout=PATIENCE)
    assert page.text_area(key="mine").value == "The soup was cold."
    assert not page.exception
    assert not page.warning
    near = next(frame.value for frame in page.dataframe if "cosine" in frame.value)
    assert len(near) == 3
    assert near["cosine"].between(-1, 1).all()
    page.select_slider(key="after").set_value("1 restaurants").run()
    assert not page.exception
    (near,) = (frame.value for frame in page.dataframe if "cosine" in frame.value)
    assert near["task"].tolist() == ["1 restaurants"]


def test_without_a_run_it_says_what_to_do(open_page: Open, tmp_path: Path) -> None:
    page = open_page("map", workspace=tmp_path)
    assert "No run has been scored here yet" in page.markdown[-1].value


@pytest.mark.parametrize("count", [300, 10_000])
def test_rings_and_stars_are_drawn_as_the_points_are_and_after_them(count: int) -> None:
    """What WebGL draws covers what SVG draws, however late that comes."""
    places = np.random.default_rng(0).normal(size=(count, 2))
    figure = feature_map(
        scattered(places),
        np.zeros((1, 2)),
        ["1 a"],
        LIGHT,
        MapView("Task", stage=1, ringed="s1", own_position=(0.0, 0.0)),
    )
    assert len({trace.type for trace in figure.data}) == 1
    assert [trace.mode for trace in figure.data][-3:] == ["markers+text", "markers", "markers+text"]


@pytest.mark.parametrize(
    ("value", "why"), [(0.0, "are zero"), (0.5, "the same"), (np.nan, "not numbers")]
)
def test_features_without_any_difference_are_nothing_to_map(value: float, why: str) -> None:
    with pytest.raises(projection_worker.NothingToMap, match=f"nothing to map: .*{why}"):
        projection_worker.check_spread(np.full((9, 4), value, dtype=np.float32))
