"""Lessons: every step leads to a page that there is, and shows its answer when asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import pyarrow.compute as pc
import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from app.base.theme import numbered
from app.data.routing_records import ONLY
from app.data.runs import DEMONSTRATION
from app.learn.lessons import LESSONS, Step
from app.sample.what_ifs import ALIKE, ORACLE, ROUTER
from app.workers.map_key import METHODS
from cl_core.analysis.embeddings import find_embeddings
from cl_core.recipes.named import RECIPES
from cl_core.runs.workspace import Workspace
from tests.app.conftest import ROOT, Open
from tests.patience import PATIENCE


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.title for lesson in LESSONS])
def test_a_lesson_has_four_to_six_steps_that_lead_somewhere(lesson) -> None:
    assert 4 <= len(lesson.steps) <= 6
    for step in lesson.steps:
        assert (ROOT / "pages" / f"{step.page}.py").is_file()
        assert step.asks.endswith("?")


def test_next_goes_through_the_steps_and_stops_at_the_last(open_page: Open) -> None:
    page = open_page("learn")
    for step in LESSONS[0].steps:
        assert step.says in [element.value for element in page.markdown]
        ways = {
            element.label: element for element in page.button if element.label in ("Back", "Next")
        }
        assert ways["Back"].disabled == (step is LESSONS[0].steps[0])
        assert ways["Next"].disabled == (step is LESSONS[0].steps[-1])
        if not ways["Next"].disabled:
            ways["Next"].click()
            page.run()
    assert page.session_state["step"] == str(len(LESSONS[0].steps))


STEPS = [
    pytest.param(step, id=f"{number}.{index}")
    for number, lesson in enumerate(LESSONS, 1)
    for index, step in enumerate(lesson.steps, 1)
]
WORDS = {
    "lesson": ("true", "false"),
    "show": ("New run", "Jobs"),
    "only": ONLY,
    "recipe": tuple(RECIPES),
    "by": (ROUTER, ALIKE, ORACLE),
    "projection": METHODS,
}
"""Parameters of links that take one of a few words."""


@pytest.mark.parametrize("step", STEPS)
def test_every_link_leads_to_something_that_is_bundled(step: Step) -> None:
    bundle = Workspace(DEMONSTRATION)
    state = dict(step.state)
    run = bundle.find(state.pop("run"))
    tasks = [numbered(index, task.name) for index, task in enumerate(run.config.tasks)]
    routing = run.table("routing")
    for name in ("after", "task", "of", "true", "got", "drop"):
        assert state.pop(name, tasks[0]) in tasks
    if "sample" in state:
        assert state.pop("sample") in routing["sample_id"].to_pylist()
    if "k" in state:
        assert 1 <= int(state.pop("k")) <= len(tasks)
        assert run.config.recipe.ranks
    for name, value in state.items():
        assert value in WORDS[name], f"{name}={value}"
    if step.state.get("k") == "1" and "sample" in step.state:
        # The lesson says so: the wrong adapter alone would answer wrongly, the merge does not.
        records = routing.filter(pc.equal(routing["sample_id"], step.state["sample"])).to_pylist()
        last = next(record for record in records if record["stage"] == len(tasks))
        assert last["weights"].index(max(last["weights"])) != last["true_task"]
        assert last["correct"]
    if step.page == "routing":
        assert run.config.recipe.train == "isolated"
    if step.page == "map":
        assert find_embeddings(bundle, run) is not None


NAMED = {
    (step.page, step.state["run"]): [
        name
        for lesson in LESSONS
        for other_step in lesson.steps
        if (other_step.page, other_step.state["run"]) == (step.page, step.state["run"])
        for name in re.findall(
            r"(?<!\*)\*([^*]+)\*(?!\*)", f"{other_step.says} {other_step.asks} {other_step.answer}"
        )
    ]
    for lesson in LESSONS
    for step in lesson.steps
}
"""What lessons say in italics, by the page and the run that they lead to."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], str]]:
    """opened("forgetting", "dam") -> all that the page shows of the bundled run, in lower case; opened once."""

    @cache
    def one(page: str, run: str) -> str:
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=PATIENCE)
        # PCA is there at once: a map by UMAP says the same.
        test.query_params.update({"ws": "Demonstration", "run": run, "projection": "PCA"})
        test.run()
        test.switch_page(f"../pages/{page}.py").run()
        assert not test.exception, test.exception
        return "\n".join(texts(test.main)).lower()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADAPTER_LAB_WORKSPACE", str(tmp_path_factory.mktemp("lessons")))
        yield one


def texts(part: Block | Element) -> Iterator[str]:
    """Words, labels, explanations and figures of a part of a page and of what is in it."""
    if part.proto is not None:
        yield from strings(MessageToDict(part.proto))
    for inner in getattr(part, "children", {}).values():
        yield from texts(inner)


def strings(sent: object) -> Iterator[str]:
    """All of what is sent to the browser, without the keys and addresses by which it is found."""
    if isinstance(sent, str):
        yield sent
    elif isinstance(sent, dict):
        for name, value in sent.items():
            if name not in ("id", "key", "formId", "url", "queryParamKey"):
                yield from strings(value)
    elif isinstance(sent, list):
        for part in sent:
            yield from strings(part)


@pytest.mark.parametrize("where", [where for where, names in NAMED.items() if names])
def test_a_page_calls_things_as_the_lessons_do(
    where: tuple[str, str], opened: Callable[[str, str], str]
) -> None:
    said = opened(*where)
    assert [name for name in NAMED[where] if name.lower() not in said] == []


def test_what_no_page_says_is_not_found(opened: Callable[[str, str], str]) -> None:
    said = opened("forgetting", "dam")
    assert "average accuracy" in said
    assert "the right road" not in said
    assert "recall" not in said, "that is said on Routing"
