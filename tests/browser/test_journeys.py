"""What visitors do with finished runs, in a real browser: look, ask what if, select, share, take along.

Every journey also holds that no request leaves the machine, and that neither the console nor a page shows an error:
the fixture `arrive` sees to that.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from app.data.runs import DEMONSTRATION
from app.workers.answer_worker import AnswerWorker
from cl_core.runs.slices import slices
from cl_core.runs.workspace import Workspace
from cl_core.synthetic.draw import Draw
from cl_core.synthetic.png import animation
from cl_core.synthetic.scenes.clips import ask_clip
from cl_core.synthetic.scenes.painter import paint
from tests.browser.conftest import Arrive
from tests.browser.visiting import Visitor

ROW_PIXELS = 35
"""Height of a row of a table, and of its head."""
MERGE = re.compile(r"^As in the run: 0\.\d\d T\d")
"""What the page says of a sample's routing."""


def test_one_samples_routing_is_three_clicks_from_the_first_visit(arrive: Arrive) -> None:
    visitor = arrive()
    if DEMONSTRATION.is_dir():
        visitor.go()
    else:  # not made yet: a run of one's own is as near
        visitor.go(ws="Mine", run="dam")
        visitor.link("Open")
        expect(visitor.page.get_by_test_id("stPlotlyChart").first).to_be_visible()
        visitor.turn_to("Sample")
        visitor.see(MERGE)
        return
    visitor.link("See what was forgotten")
    expect(visitor.page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    visitor.go()
    visitor.link("See how one sample was routed")
    visitor.see(MERGE)


@pytest.fixture(scope="module")
def flip(lab: Path) -> tuple[str, int, str, str]:
    """A test sample, the place of an adapter that alone answers it otherwise, what the run answers, what it does."""
    config = Workspace(lab).find("dam").config
    names = [task.name for task in config.tasks]
    model = AnswerWorker()
    for row in model.samples(str(lab), "dam"):
        forced = [{}, *({"force": name} for name in names)]
        of_run, *others = model.route(str(lab), "dam", len(names), {"id": row["id"]}, forced)
        for index, other in enumerate(others):
            if other["prediction"] != of_run["prediction"]:
                return row["id"], index, of_run["prediction"], other["prediction"]
    pytest.fail("no adapter flips any prediction: the workspace's run has learnt nothing")


def test_another_adapter_flips_a_prediction(
    arrive: Arrive, lab: Path, flip: tuple[str, int, str, str]
) -> None:
    sample, index, was, becomes = flip
    visitor = arrive()
    visitor.go("sample", ws="Mine", run="dam", sample=sample)
    visitor.see(MERGE)
    name = Workspace(lab).find("dam").config.tasks[index].name
    visitor.choose("by", f"only {index + 1} {name}")
    visitor.see(re.compile(r"The prediction changes\.$"))
    main = visitor.page.get_by_test_id("stMain")
    expect(main.get_by_text(re.compile(f"^{was} [✓✗]")).first).to_be_visible()
    expect(main.get_by_text(re.compile(f"^{becomes} [✓✗]")).first).to_be_visible()
    visitor.press("As in the run")
    visitor.see(MERGE)


def test_a_clip_of_ones_own_is_asked_about_and_placed_on_the_map(
    arrive: Arrive, tmp_path: Path
) -> None:
    clip = tmp_path / "ball.png"
    frames = [paint(scene) for scene in ask_clip("which-way", Draw("own clip"), "left").frames]
    clip.write_bytes(animation(frames, 0.2))
    visitor = arrive()
    visitor.go("sample", ws="Demonstration", run="clips-dam", **{"from": "my own"})
    visitor.see("Give a question about a clip")
    visitor.give("upload", clip)
    visitor.fill("question", "Which way does it slide?")
    visitor.see(MERGE)
    visitor.see("frame 8")
    visitor.choose("by", "uniform")
    visitor.see(re.compile("^What if: uniform"))
    visitor.go("map", ws="Demonstration", run="clips-dam")
    visitor.press("Add my own sample")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    visitor.give("mine_file", broken)
    visitor.fill("mine_question", "Which way does it slide?")
    alert = visitor.page.get_by_test_id("stMain").get_by_test_id("stAlert")
    expect(alert).to_be_visible()
    visitor.give("mine_file", clip)
    visitor.see("Cosine similarity of your sample")
    expect(alert).to_have_count(0)


def test_a_link_restores_the_view_in_another_browser(arrive: Arrive) -> None:
    first = arrive()
    first.go("sample", ws="Mine", run="dam")
    first.option("2 films").click()
    first.settle()
    box = first.by("sample").get_by_role("combobox")
    before = box.input_value()
    first.press_key("step1")
    expect(box).not_to_have_value(before)
    first.settle()
    sample = box.input_value()
    first.choose("by", "uniform")  # draws its own part of the page alone
    said = first.page.get_by_text(re.compile("^What if: ")).first.inner_text()
    first.button("Link").click()
    link = first.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").inner_text()
    address = parse_qs(urlsplit(link).query)
    assert (address["sample"], address["by"]) == ([sample], ["uniform"])
    assert link.startswith(f"{first.url}/sample?")

    second = arrive()
    second.follow(link.strip())
    second.see(said)
    expect(second.option("2 films")).to_be_checked()
    expect(second.by("sample").get_by_role("combobox")).to_have_value(sample)


FILES = {file.stem for file in (DEMONSTRATION.parents[1] / "pages").glob("*.py")}
PAGES = ("", *sorted(FILES - {"__init__", "start"}))
"""As in addresses; the first page has none."""


def test_what_is_looked_at_goes_along_from_page_to_page(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.go("forgetting", ws="Mine", run="dam", after="2 films")
    visitor.turn_to("Routing")
    expect(visitor.option("Mine")).to_be_checked()
    expect(visitor.by("run").get_by_role("combobox")).to_have_value("dam")
    visitor.turn_to("Start")
    visitor.link("Open")
    visitor.see("Change since each task was learnt")
    expect(visitor.option("Mine")).to_be_checked()
    expect(visitor.by("run").get_by_role("combobox")).to_have_value("dam")
    visitor.turn_to("Start")
    visitor.link("See what was forgotten")  # leads to the other workspace
    expect(visitor.option("Demonstration")).to_be_checked()


def test_the_back_button_leads_to_what_was_shown_page_by_page(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.go("compare", ws="Mine", run="dam", metric="Forgetting (points)")
    before = visitor.page.evaluate("history.length")
    visitor.turn_to("Routing")
    visitor.turn_to("Start")
    visitor.link("See what was forgotten")  # leads to a run of the other workspace
    places = [("Mine", "dam")] * 3 + [("Demonstration", "sequential")]
    assert visitor.page.evaluate("history.length") == before + len(places) - 1
    for page, (workspace_name, run) in zip(
        ("forgetting", "", "routing", "compare"), reversed(places), strict=True
    ):
        address = urlsplit(visitor.page.url)
        assert address.path == f"/{page}"
        assert parse_qs(address.query)["run"] == [run]
        expect(visitor.option(workspace_name)).to_be_checked()
        expect(visitor.by("run").get_by_role("combobox")).to_have_value(run)
        if page != "compare":
            visitor.go_back()
    expect(visitor.by("metric").get_by_role("combobox")).to_have_value("Forgetting (points)")


def test_points_that_are_lassoed_become_a_slice(arrive: Arrive, lab: Path) -> None:
    visitor = arrive()
    visitor.go("map", ws="Mine", run="dam", projection="PCA")
    lasso_everything(visitor)
    visitor.see("Routing accuracy")
    visitor.by("slice-name").locator("input").fill("all of it")
    visitor.press("Save")
    visitor.see("36 samples saved as")
    (workspace,) = slices(Workspace(lab), "dam")
    assert (workspace.name, len(workspace.samples)) == ("all of it", 36)
    visitor.choose("slice", "all of it")
    visitor.see("Routing accuracy")
    tick_row(visitor, "selected-samples", 1)
    ask = visitor.by("ask-selected").get_by_role("button")
    ticked = re.fullmatch(r".*How was (\S+) answered\?", ask.inner_text(), re.DOTALL)
    assert ticked is not None
    assert ticked[1] in workspace.samples
    visitor.click_at_once("ask-selected")
    visitor.see("How was this sample answered?")
    expect(visitor.by("sample").get_by_role("combobox")).to_have_value(ticked[1])
    address = parse_qs(urlsplit(visitor.page.url).query)
    assert address["sample"] == [ticked[1]]


def tick_row(visitor: Visitor, key: str, row: int) -> None:
    """Ticks a row of a table, counted from 0: the boxes are drawn, so only the mouse finds them."""
    grid = visitor.by(key).get_by_test_id("stDataFrame")
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box is not None
    visitor.click_at(box["x"] + 18, box["y"] + ROW_PIXELS * (row + 1.5))


def lasso_everything(visitor: Visitor) -> None:
    """Draws around the whole map with the mouse."""
    area = visitor.page.locator('[data-testid="stPlotlyChart"] .nsewdrag').first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    mouse = visitor.page.mouse
    mouse.move(left, top)
    mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        mouse.move(x, y, steps=8)
    mouse.up()


def test_what_is_taken_along_opens(arrive: Arrive, tmp_path: Path) -> None:
    visitor = arrive()
    visitor.go("forgetting", ws="Mine", run="dam")
    visitor.button("About, table, files: scores").click()
    menu = visitor.page.get_by_test_id("stPopoverBody")
    with visitor.page.expect_download() as table:
        menu.get_by_role("button", name="CSV", exact=True).click()
    table.value.save_as(tmp_path / "scores.csv")
    rows = list(csv.reader((tmp_path / "scores.csv").read_text().splitlines()))
    names = ["1 restaurants", "2 films", "3 products"]
    assert [tuple(row[:2]) for row in rows[1:]] == [
        (names[i], names[j]) for i in range(3) for j in range(i + 1)
    ]
    assert all(
        0 <= float(low) <= float(value) <= float(high) <= 100
        for _, _, value, low, high, _ in rows[1:]
    )

    with visitor.page.expect_download() as figure:
        menu.get_by_role("button", name="HTML", exact=True).click()
    visitor.page.keyboard.press("Escape")
    figure.value.save_as(tmp_path / "scores.html")
    with visitor.page.expect_download() as picture:
        visitor.page.get_by_test_id("stPlotlyChart").first.hover()
        visitor.page.locator('[data-title^="Download plot"]').first.click()
    assert picture.value.suggested_filename == "scores.svg"
    picture.value.save_as(tmp_path / "scores.svg")
    for name in ("scores.html", "scores.svg"):
        reader = arrive()  # its own faults say if a file wants anything from a network
        reader.page.goto((tmp_path / name).as_uri())
        expect(reader.page.get_by_text("1 restaurants").first).to_be_visible()


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_figures_and_pages_follow_the_systems_theme(arrive: Arrive, dark: bool) -> None:
    visitor = arrive(dark=dark)
    visitor.go("forgetting", ws="Mine", run="dam")
    paper, ink = visitor.page.evaluate(
        """() => [getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor,
                  getComputedStyle(document.querySelector('.js-plotly-plot .xtick text')).fill]"""
    )
    expected = ("rgb(17, 22, 29)", "rgb(232, 237, 244)")  # app/base/theme.py: DARK's paper and text
    if not dark:
        expected = ("rgb(255, 255, 255)", "rgb(27, 36, 48)")
    assert (paper, ink) == expected
