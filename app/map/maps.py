"""The feature map of a run: the projection that is there, its samples after a stage, its figure; all cached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.base.theme import Look, numbered
from app.data import answer_client, projections
from app.data.projections import Projection, State
from app.data.runs import stamp, workspace
from app.data.view import View
from app.figures.scatter import MapView, feature_map
from app.map import points
from app.shell.sharing import is_guest
from app.workers.map_key import KIND, Method, inputs_of
from cl_core.analysis.embeddings import Embeddings, find_embeddings
from cl_core.evaluate.neighbours import cosines, placed, unit
from cl_core.runs.reading.run_reader import Stamp
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from cl_core.store import key

if TYPE_CHECKING:
    import plotly.graph_objects as go

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Map:
    """What there is to be shown.

    Attributes:
        embeddings: of the run.
        projection: the one that was asked for, or the one that is there meanwhile; None before there is any.
        state: of the work on the one that was asked for; None when it is there.
    """

    embeddings: Embeddings
    projection: Projection | None
    state: State | None


@st.cache_resource
def worker() -> projections.Worker:
    """One for the whole server."""
    return projections.Worker()


def look_up(view: View, method: Method) -> Map | None:
    """The run's map, which the host has computed where it is not there; None where the run has no embeddings."""
    run = _run(view)
    source = workspace(view.workspace)
    # Another run may have made or replaced what this one's map is of: its own files do not say so.
    stored = tuple(name for kind in ("states", "features") for name in source.store.keys(kind))
    asked = str(source.root), str(run.path), stamp(run), stored
    embeddings = _embeddings(*asked)
    if embeddings is None:
        _embeddings.clear(*asked)  # absent: not kept
        return None
    wanted = _read(view, embeddings, method)
    if wanted is not None:
        worker().served(run)
        return Map(embeddings, wanted, None)
    state = _state(view)
    return Map(embeddings, _read(view, embeddings, "PCA"), state)


def _state(view: View) -> State:
    """How the work on the run's maps stands; the host's visit begins it."""
    if is_guest():
        return worker().state(_run(view))
    return worker().ensure(workspace(view.workspace), workspace("Mine"), _run(view))


def wait(view: View, embeddings: Embeddings, method: Method, have: Method | None) -> None:
    """Shows the page anew as soon as there is more to see; a fragment, so that nothing else is drawn meanwhile."""

    @st.fragment(run_every=POLL_SECONDS)
    def poll() -> None:
        ready: Method | None = None
        if _read(view, embeddings, method) is not None:
            ready = method
        elif _read(view, embeddings, "PCA") is not None:
            ready = "PCA"
        state = _state(view)
        if ready != have or state in ("failed", "nothing"):
            st.rerun()

    poll()


def table(view: View, projection: Projection) -> pd.DataFrame:
    """One row for each sample on the map, as it was after the stage shown; see `app.map.points.table`."""
    run = _run(view)
    return _table(str(run.path), stamp(run), view.stage, projection.method, projection)


@dataclass(frozen=True)
class OwnPosition:
    """Where a sample of the visitor's own belongs.

    Attributes:
        position: among its nearest samples on the map.
        cosines: (k,) exact, with the centroids of the tasks learnt by the stage.
    """

    position: tuple[float, float]
    cosines: tuple[float, ...]


def own_position(view: View, shown: Map, sample: answer_client.Sample) -> OwnPosition:
    """Where a sample belongs, as the frozen backbone reads it; the worker computes its features.

    Raises:
        UserError: the backbone does not read such samples, or not this one.
        WorkerFailed: the worker did not answer.
    """
    if shown.projection is None:
        raise ValueError("there is no map to place it on")
    run = _run(view)
    root = str(workspace(view.workspace).root)
    read = _embedded(str(run.path), stamp(run), view, sample)
    query = np.asarray([read], dtype=np.float32)
    points = _points(root, shown.projection.method, shown.embeddings, shown.projection)
    (x, y) = placed(query, points, shown.projection.positions.astype(np.float32))[0]
    centroids = unit(_centroids(root, shown.embeddings)[: view.stage])
    return OwnPosition(
        (float(x), float(y)), tuple((unit(query) @ centroids.T)[0].astype(float).tolist())
    )


def figure(
    view: View,
    shown: Map,
    colour: str,
    ringed: str | None,
    samples: pd.DataFrame,
    position: tuple[float, float] | None = None,
) -> go.Figure:
    """The same object for the same view: a figure made anew would lose zoom and selection."""
    if shown.projection is None:
        raise ValueError("there is no map to draw")
    run = _run(view)
    return _figure(
        str(run.path),
        stamp(run),
        shown.projection.method,
        view.look,
        MapView(colour, view.stage, view.task, ringed, position),
        samples,
        shown.projection.centroids,
    )


def centroid_cosines(view: View, embeddings: Embeddings) -> NDArray[np.float64]:
    """(k, k) exact cosines of the centroids of the tasks learnt by the stage."""
    return cosines(_centroids(str(workspace(view.workspace).root), embeddings)[: view.stage])


def task_names(view: View) -> list[str]:
    """Numbered, of all tasks that may be on the map, held-out ones too."""
    tasks = _run(view).config.all_tasks
    return [numbered(index, task.name) for index, task in enumerate(tasks)]


def _run(view: View) -> RunFolder:
    if view.run is None:
        raise ValueError("there is no run to map")
    return view.run


def _read(view: View, embeddings: Embeddings, method: Method) -> Projection | None:
    """From the run's own workspace, where the demonstration's are bundled, or from the visitor's.

    None where it is absent or damaged; a damaged one has then been set aside, where it may be.
    """
    projection_key = key(KIND, inputs_of(embeddings, method))
    for workspace_name in dict.fromkeys((view.workspace, "Mine")):
        root = workspace(workspace_name).root
        if workspace(workspace_name).store.has(KIND, projection_key):
            projection = _stored(str(root), projection_key, embeddings, method)
            if projection is not None:
                return projection
            _stored.clear(str(root), projection_key, embeddings, method)  # damaged: not kept
    return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _stored(
    root: str, projection_key: str, _embeddings: Embeddings, method: Method
) -> Projection | None:
    return projections.read((Workspace(root),), _embeddings, method)


@st.cache_resource(max_entries=32, show_spinner=False)
def _embeddings(root: str, run: str, stamp: Stamp, stored: tuple[str, ...]) -> Embeddings | None:
    """`stored` are keys of what the run's files do not name."""
    return find_embeddings(Workspace(root), RunFolder(Path(run)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _table(
    run: str, stamp: Stamp, after: int, method: Method, _projection: Projection
) -> pd.DataFrame:
    folder = RunFolder(Path(run))
    return points.table(_projection, folder.config, folder.table("routing"), after)


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(
    run: str,
    stamp: Stamp,
    method: Method,
    look: Look,
    shown: MapView,
    _samples: pd.DataFrame,
    _centroids: NDArray[np.float64],
) -> go.Figure:
    tasks = RunFolder(Path(run)).config.tasks
    names = [numbered(index, task.name) for index, task in enumerate(tasks)]
    return feature_map(
        _samples,
        _centroids,
        names,
        look,
        shown,
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _centroids(root: str, embeddings: Embeddings) -> NDArray[np.float32]:
    source = Workspace(root)
    features = embeddings.features(source) if embeddings.router is None else []
    return embeddings.centroids(source, features)


@st.cache_resource(max_entries=4, show_spinner=False)
def _points(
    root: str, method: Method, embeddings: Embeddings, _projection: Projection
) -> NDArray[np.float32]:
    """(N, d) features of the samples on the map, in its order."""
    every = dict(zip(embeddings.tasks, embeddings.features(Workspace(root)), strict=True))
    return np.concatenate(
        [every[task][_projection.row[_projection.task == task]] for task in embeddings.tasks]
    )


@st.cache_data(max_entries=64, show_spinner="The backbone reads your sample.")
def _embedded(run: str, stamp: Stamp, _view: View, sample: answer_client.Sample) -> list[float]:
    return answer_client.embedded(_view, sample)
