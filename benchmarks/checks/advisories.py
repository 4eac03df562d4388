"""Whether a pinned package is known to have a hole: from a kept snapshot of advisories, without a network.

    python benchmarks/checks/advisories.py              the audit: what the snapshot says of requirements.txt
    python benchmarks/checks/advisories.py --refresh    asks for the advisories of the pins, and keeps them

The snapshot, `advisories.json` beside this file, holds records in the OSV format (https://ossf.github.io/osv-schema/)
of the pinned packages alone, and which pin was asked about when. `--refresh` asks osv.dev for all pins; what that does
not answer, the package index, whose `vulnerabilities` come from the same database. A pin that nobody could be asked
about stays unasked, and the audit says so: no advisory is not the same as no question. The audit fails where an
advisory fits a pin and is not among the `accepted` of the snapshot, which have their reasons.
"""

from __future__ import annotations

import argparse
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_suffix(".json")
OSV, INDEX = "https://api.osv.dev", "https://pypi.org"
OLD = timedelta(days=30)
"""After this a pin's answer is called old."""
WITH_HOLES = "pycrypto"
"""A package that was given up with holes in its last version."""
SECONDS = 20
_PIN = re.compile(r"^([\w.-]+)==([\w.+-]+)", re.MULTILINE)
Snapshot = dict[str, Any]


def pins(requirements: str) -> dict[str, str]:
    """Name to version of what a requirements file pins.

    >>> pins("# tools\\nJinja2==3.1.6\\ntriton==3.7.1 ; sys_platform == 'linux'")
    {'jinja2': '3.1.6', 'triton': '3.7.1'}
    """
    return {canonicalize_name(name): version for name, version in _PIN.findall(requirements)}


def affects(advisory: Mapping[str, Any], name: str, version: str) -> bool:
    """Whether an OSV record is of a package at a version; what it says in a way that cannot be read counts as yes."""
    if advisory.get("withdrawn"):
        return False
    for affected in advisory.get("affected", []):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI" or canonicalize_name(package.get("name", "")) != name:
            continue
        if version in affected.get("versions", []):
            return True
        ranges = [r for r in affected.get("ranges", []) if r.get("type") == "ECOSYSTEM"]
        if any(_within(r.get("events", []), version) for r in ranges):
            return True
    return False


def _within(events: Iterable[Mapping[str, str]], version: str) -> bool:
    """Whether a version lies in a range of OSV's events, which come in order."""
    inside = False
    try:
        here = Version(version)
        for event in events:
            if "introduced" in event:
                first = event["introduced"]
                inside = inside or first == "0" or here >= Version(first)
            elif "fixed" in event:
                inside = inside and here < Version(event["fixed"])
            elif "last_affected" in event:
                inside = inside and here <= Version(event["last_affected"])
    except InvalidVersion:
        return True
    return inside


def audit(
    snapshot: Snapshot, pinned: Mapping[str, str], now: datetime
) -> tuple[list[str], list[str]]:
    """What is known against the pins, and what is not known well enough.

    Returns:
        Faults, which end the audit, and warnings: pins that nobody was asked about, and old answers.
    """
    faults = [
        f"{name}=={version}: {advisory['id']} {advisory.get('summary', '')}".rstrip()
        for name, version in pinned.items()
        for advisory in snapshot["advisories"]
        if affects(advisory, name, version) and advisory["id"] not in snapshot["accepted"]
    ]
    asked = snapshot["asked"]
    unasked = [
        f"{name}=={version}"
        for name, version in pinned.items()
        if asked.get(name, {}).get("version") != version
    ]
    old = [
        name
        for name in pinned.keys() & asked.keys()
        if now - datetime.fromisoformat(asked[name]["date"]) > OLD
    ]
    warnings = []
    if unasked:
        warnings.append(
            f"nobody was asked about {len(unasked)} of {len(pinned)} pins: {', '.join(unasked)}"
        )
    if old:
        warnings.append(f"answers are older than {OLD.days} days: {', '.join(sorted(old))}")
    if warnings:
        warnings.append("where a network reaches osv.dev, run: make advisories")
    return faults, warnings


def refreshed(
    snapshot: Snapshot, pinned: Mapping[str, str], now: datetime, osv: str = OSV, index: str = INDEX
) -> Snapshot:
    """The snapshot with what can be asked now; of pins about which nobody answers, what it said of them before.

    Raises:
        OSError: nobody answers about any pin.
    """
    records = {advisory["id"]: advisory for advisory in snapshot["advisories"]}
    date = now.isoformat(timespec="seconds")
    try:
        answers = _ask_osv(osv, pinned, records)
    except OSError as error:
        print(f"{osv} does not answer ({error}); asking {index} for each package")
        answers = dict.fromkeys(_ask_index(index, pinned, records), "the package index")
    if not answers:
        raise OSError(f"neither {osv} nor {index} answers about any of {len(pinned)} pins")
    asked = {name: facts for name, facts in snapshot["asked"].items() if name in pinned}
    for name, source in answers.items():
        asked[name] = {"version": pinned[name], "date": date, "source": source}
    kept = [
        record
        for record in records.values()
        if any(affects(record, name, version) for name, version in pinned.items())
    ]
    return {
        "asked": dict(sorted(asked.items())),
        "advisories": sorted(kept, key=lambda record: str(record["id"])),
        "accepted": snapshot["accepted"],
    }


def _ask_osv(osv: str, pinned: Mapping[str, str], records: dict[str, Any]) -> dict[str, str]:
    """Adds the records of all pins; returns the names that were answered about, with who answered."""
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in pinned.items()
    ]
    answer = _json(f"{osv}/v1/querybatch", {"queries": queries})
    for result in answer["results"]:
        for vulnerability in (result or {}).get("vulns", []):
            records[vulnerability["id"]] = _json(f"{osv}/v1/vulns/{vulnerability['id']}")
    return dict.fromkeys(pinned, "OSV")


def _ask_index(index: str, pinned: Mapping[str, str], records: dict[str, Any]) -> list[str]:
    """Adds what the index says of each pin; returns the names that it answered about.

    Where it has no page of the version, the project's page speaks of the newest one, which may be the pin.
    """
    answered: list[str] = []
    if not _knows_advisories(index):
        return answered
    for name, version in pinned.items():
        for page in (f"{index}/pypi/{name}/{version}/json", f"{index}/pypi/{name}/json"):
            try:
                answer = _json(page)
            except (OSError, ValueError):
                continue
            if answer["info"]["version"] != version or "vulnerabilities" not in answer:
                continue
            answered.append(name)
            for said in answer["vulnerabilities"]:
                package = {"name": name, "ecosystem": "PyPI"}
                records[said["id"]] = {
                    "id": said["id"],
                    "summary": said.get("summary") or said.get("details", "")[:200],
                    "withdrawn": said.get("withdrawn"),
                    "affected": [{"package": package, "versions": [version]}],
                }
            break
    return answered


def _knows_advisories(index: str) -> bool:
    """Whether it names the holes of a package that is known to have some: a copy of an index may leave them out."""
    try:
        return bool(_json(f"{index}/pypi/{WITH_HOLES}/json")["vulnerabilities"])
    except (OSError, ValueError, LookupError):
        return False


def _json(address: str, question: object = None) -> Any:
    """What is at an address.

    Raises:
        OSError: nothing answers.
    """
    data = None if question is None else json.dumps(question).encode()
    # S310: the addresses are https ones of this script or of whoever calls it, never of a file that is read.
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read())


def load(file: Path = SNAPSHOT) -> Snapshot:
    """The kept snapshot."""
    snapshot: Snapshot = json.loads(file.read_text(encoding="utf-8"))
    return snapshot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--refresh", action="store_true", help="ask for advisories, and keep them")
    parser.add_argument("--osv", default=OSV, help="who is asked first")
    parser.add_argument("--index", default=INDEX, help="who is asked where that does not answer")
    parser.add_argument("--snapshot", type=Path, default=SNAPSHOT)
    asked = parser.parse_args()
    pinned = pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    snapshot, now = load(asked.snapshot), datetime.now(UTC)
    if asked.refresh:
        try:
            snapshot = refreshed(snapshot, pinned, now, asked.osv, asked.index)
        except OSError as error:
            raise SystemExit(f"{error}; the snapshot stays as it is") from None
        text = json.dumps(snapshot, indent=1, ensure_ascii=False)
        asked.snapshot.write_text(f"{text}\n", encoding="utf-8")
    faults, warnings = audit(snapshot, pinned, now)
    for said in (*faults, *(f"warning: {warning}" for warning in warnings)):
        print(said)
    print(f"{len(pinned)} pins, {len(faults)} with a known hole")
    if faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
