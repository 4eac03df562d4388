"""The audit of the pinned packages: what a kept advisory says of them, and how the snapshot is made anew."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks" / "checks"))

import advisories  # noqa: E402 - it lies beside the scripts
import bill_of_materials  # noqa: E402

NOW = datetime(2026, 11, 30, tzinfo=UTC)
EMPTY: dict[str, Any] = {"asked": {}, "advisories": [], "accepted": {}}


def record(name: str, **affected: Any) -> dict[str, Any]:
    package = {"name": name, "ecosystem": "PyPI"}
    return {"id": "PYSEC-1", "summary": "a hole", "affected": [{"package": package, **affected}]}


def events(*events: dict[str, str]) -> list[dict[str, Any]]:
    return [{"type": "ECOSYSTEM", "events": list(events)}]


def test_no_pin_has_a_hole_that_the_snapshot_knows_of() -> None:
    pinned = advisories.pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert len(pinned) > 100
    faults, _ = advisories.audit(advisories.load(), pinned, datetime.now(UTC))
    assert faults == []


@pytest.mark.parametrize(
    ("affected", "version", "fits"),
    [
        ({"versions": ["1.0", "1.1"]}, "1.1", True),
        ({"versions": ["1.0", "1.1"]}, "1.2", False),
        ({"ranges": events({"introduced": "0"}, {"fixed": "2.0"})}, "1.9.9", True),
        ({"ranges": events({"introduced": "0"}, {"fixed": "2.0"})}, "2.0", False),
        ({"ranges": events({"introduced": "1.5"}, {"fixed": "2.0"})}, "1.4", False),
        ({"ranges": events({"introduced": "1.5"}, {"last_affected": "2.0"})}, "2.0", True),
        ({"ranges": events({"introduced": "1.5"}, {"last_affected": "2.0"})}, "2.1", False),
        ({"ranges": events({"introduced": "0"})}, "10.0", True),
        ({"ranges": events({"introduced": "0"}, {"fixed": "1"}, {"introduced": "3"})}, "3.1", True),
    ],
)
def test_an_advisory_fits_the_versions_that_it_names(
    affected: dict[str, Any], version: str, fits: bool
) -> None:
    assert advisories.affects(record("Some_Package", **affected), "some-package", version) is fits
    assert not advisories.affects(record("another", **affected), "some-package", version)


def test_a_hole_ends_the_audit_unless_it_is_accepted_with_a_reason() -> None:
    snapshot = {**EMPTY, "advisories": [record("jinja2", versions=["3.1.6"])]}
    faults, warnings = advisories.audit(snapshot, {"jinja2": "3.1.6"}, NOW)
    assert faults == ["jinja2==3.1.6: PYSEC-1 a hole"]
    assert warnings[0] == "nobody was asked about 1 of 1 pins: jinja2==3.1.6"
    accepted = {**snapshot, "accepted": {"PYSEC-1": "templates are ours"}}
    assert advisories.audit(accepted, {"jinja2": "3.1.6"}, NOW)[0] == []


def test_a_raised_pin_is_unasked_and_an_old_answer_is_called_old() -> None:
    facts = {"version": "3.1.6", "date": NOW.isoformat(), "source": "osv"}
    snapshot = {**EMPTY, "asked": {"jinja2": facts}}
    assert advisories.audit(snapshot, {"jinja2": "3.1.6"}, NOW) == ([], [])
    assert "jinja2==3.1.7" in advisories.audit(snapshot, {"jinja2": "3.1.7"}, NOW)[1][0]
    later = NOW + timedelta(days=31)
    assert "older than 30 days" in advisories.audit(snapshot, {"jinja2": "3.1.6"}, later)[1][0]


@pytest.fixture
def pages() -> Iterator[dict[str, Any]]:
    """What a server of this machine answers by path; its address is at ""."""
    answers: dict[str, Any] = {}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers.get(self.path)).encode()
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answers[""] = f"http://127.0.0.1:{server.server_port}"
        yield answers
        server.shutdown()


PINNED = {"jinja2": "3.1.6", "pillow": "13.0.0"}


def test_osv_is_asked_about_all_pins(pages: dict[str, Any]) -> None:
    hole = record("pillow", versions=["13.0.0"])
    pages["/v1/querybatch"] = {"results": [{}, {"vulns": [{"id": "PYSEC-1"}]}]}
    pages["/v1/vulns/PYSEC-1"] = hole
    snapshot = advisories.refreshed(EMPTY, PINNED, NOW, pages[""], pages[""])
    assert snapshot["advisories"] == [hole]
    assert snapshot["asked"].keys() == PINNED.keys()
    faults, warnings = advisories.audit(snapshot, PINNED, NOW)
    assert (faults, warnings) == (["pillow==13.0.0: PYSEC-1 a hole"], [])


def index_page(version: str, *ids: str) -> dict[str, Any]:
    said = [{"id": name, "summary": "a hole", "withdrawn": None} for name in ids]
    return {"info": {"version": version}, "vulnerabilities": said}


def test_where_osv_does_not_answer_the_index_is_asked(pages: dict[str, Any]) -> None:
    pages["/pypi/pycrypto/json"] = index_page("2.6.1", "PYSEC-2018-97")
    pages["/pypi/pillow/13.0.0/json"] = index_page("13.0.0", "PYSEC-1")
    pages["/pypi/jinja2/json"] = index_page("3.2.0")  # the newest, which is not the pin
    snapshot = advisories.refreshed(EMPTY, PINNED, NOW, pages[""], pages[""])
    faults, warnings = advisories.audit(snapshot, PINNED, NOW)
    assert faults == ["pillow==13.0.0: PYSEC-1 a hole"]
    assert warnings[0] == "nobody was asked about 1 of 2 pins: jinja2==3.1.6"


def test_an_index_that_knows_of_no_hole_at_all_is_not_believed(pages: dict[str, Any]) -> None:
    pages["/pypi/pycrypto/json"] = index_page("2.6.1")
    pages["/pypi/pillow/json"] = index_page("13.0.0")
    with pytest.raises(OSError, match="neither"):
        advisories.refreshed(EMPTY, PINNED, NOW, pages[""], pages[""])


def test_where_nobody_answers_the_snapshot_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "advisories.json"
    file.write_text(json.dumps(EMPTY))
    nobody = "http://127.0.0.1:1"
    words = ["advisories", "--refresh", "--osv", nobody, "--index", nobody]
    monkeypatch.setattr(sys, "argv", [*words, "--snapshot", str(file)])
    with pytest.raises(SystemExit, match="stays as it is"):
        advisories.main()
    assert json.loads(file.read_text()) == EMPTY


def test_the_bill_of_materials_names_every_distribution_with_what_it_needs() -> None:
    bill = bill_of_materials.bill(NOW)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "adapter-lab"
    components = {component["name"]: component for component in bill["components"]}
    assert components["torch"]["purl"].startswith("pkg:pypi/torch@")
    references = {component["bom-ref"] for component in bill["components"]}
    assert len(references) == len(bill["components"])  # each once
    references.add(bill["metadata"]["component"]["bom-ref"])
    needs = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
    assert set(needs) <= references
    assert all(set(needed) <= references for needed in needs.values())
    (streamlit,) = (needed for name, needed in needs.items() if "/streamlit@" in name)
    assert any("/pandas@" in name for name in streamlit)
