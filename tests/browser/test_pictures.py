"""Every figure as PNG, SVG and PDF, from its menu, made in the browser without a network.

The fixture `arrive` holds that no request leaves the machine and that nothing is said in the console.
"""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.browser.conftest import Arrive
from tests.browser.visiting import Visitor

SVG = "{http://www.w3.org/2000/svg}"
SCALE = 3
"""Pixels of a PNG for each of the screen's."""
RENAME = """(words) => {
  const layout = document.querySelector('.st-key-figure-scores .js-plotly-plot').layout;
  layout.yaxis.title.text = words;
}"""


def taken(visitor: Visitor, figure: str, kind: str, folder: Path) -> bytes:
    """What a button of a figure's menu gives."""
    menu = visitor.page.get_by_test_id("stPopoverBody")
    with visitor.page.expect_download() as download:
        menu.get_by_role("button", name=kind, exact=True).click()
    assert download.value.suggested_filename == f"{figure}.{kind.lower()}"
    download.value.save_as(folder / "taken")
    return (folder / "taken").read_bytes()


def written(pdf: bytes) -> list[str]:
    """What its text operators write, by the tables of characters of its fonts; the streams of jsPDF are deflated."""
    assert pdf.startswith(b"%PDF-")
    parts = dict(re.findall(rb"\n(\d+) 0 obj(.*?)endobj", pdf, re.DOTALL))
    fonts: dict[bytes, dict[bytes, str]] = {}
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", pdf):
        table = re.search(rb"/ToUnicode (\d+) 0 R", parts[number])
        pairs = re.findall(rb"<(\w{4})><(\w{4})>", inflated(parts[table[1]])) if table else []
        fonts[name] = {glyph: chr(int(code, 16)) for glyph, code in pairs}
    texts = []
    for part in parts.values():
        if b"stream\n" not in part or b" Tj" not in inflated(part):
            continue
        for block in re.findall(rb"BT\n(.*?)\nET", inflated(part), re.DOTALL):
            font = re.search(rb"/(F\d+) ", block)
            glyphs = b"".join(re.findall(rb"<(\w+)> Tj", block))
            assert font is not None
            texts.append(
                "".join(fonts[font[1]][glyphs[at : at + 4]] for at in range(0, len(glyphs), 4))
            )
    return texts


def inflated(part: bytes) -> bytes:
    """The stream of an object."""
    content = part[part.index(b"stream\n") + 7 : part.rindex(b"endstream")]
    return zlib.decompressobj().decompress(content) if b"/FlateDecode" in part else content


@pytest.mark.parametrize(
    ("page", "address", "figure", "words"),
    [
        ("forgetting", {}, "scores", {"evaluated on", "accuracy (%)", "1 restaurants"}),
        ("map", {"projection": "PCA"}, "map", {"1 restaurants", "centroid", "1", "2", "3"}),
    ],
    ids=["scores", "map"],
)
def test_a_figure_is_taken_along_as_a_picture(
    arrive: Arrive, tmp_path: Path, page: str, address: dict[str, str], figure: str, words: set[str]
) -> None:
    visitor = arrive()
    visitor.go(page, ws="Mine", run="dam", **address)
    drawn = visitor.by(f"figure-{figure}").locator(".js-plotly-plot")
    if figure == "map":  # as one of more than MOST_SVG points is drawn
        drawn.evaluate("(drawn) => drawn.data.forEach((trace) => {trace.type = 'scattergl'})")
    size = drawn.evaluate("(drawn) => [drawn.clientWidth, drawn.clientHeight]")
    visitor.button(f"About, table, files: {figure}").click()

    picture = Image.open(io.BytesIO(taken(visitor, figure, "PNG", tmp_path)))
    assert picture.format == "PNG"
    assert all(abs(p - SCALE * s) <= SCALE for p, s in zip(picture.size, size, strict=True))
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 20
    assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)  # on its paper

    tree = ElementTree.fromstring(taken(visitor, figure, "SVG", tmp_path))  # noqa: S314 - our own
    assert tree.tag == f"{SVG}svg"
    assert words <= {"".join(text.itertext()) for text in tree.iter(f"{SVG}text")}
    assert tree.findtext(f"{SVG}title")
    if figure == "map":
        assert not list(tree.iter(f"{SVG}image"))  # no picture within it
        points = [
            path for path in tree.iter(f"{SVG}path") if "point" in path.get("class", "").split()
        ]
        assert len(points) == 36 + 3  # samples and centroids

    pdf = taken(visitor, figure, "PDF", tmp_path)
    assert words <= set(written(pdf))
    if figure == "scores":  # characters that the file's font lacks are shown by the browser's own
        visitor.page.evaluate(RENAME, "学习 stage")
        other = taken(visitor, figure, "PDF", tmp_path)
        assert "stage" in written(pdf)
        assert set(written(pdf)) - set(written(other)) == {"stage"}
        assert other.count(b"/Subtype /Image") > pdf.count(b"/Subtype /Image")
