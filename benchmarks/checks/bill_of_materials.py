"""The software bill of materials of the installed environment, as CycloneDX 1.6 in JSON.

    python benchmarks/checks/bill_of_materials.py --output sbom.json

Every installed distribution with its version, package URL, licence and what it needs, from the metadata that pip keeps;
nothing is asked of a network.
"""

from __future__ import annotations

import argparse
import json
import uuid
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

OURS = "adapter-lab"


def bill(now: datetime) -> dict[str, Any]:
    """The document; the same environment gives the same, but for its time and number."""
    here: dict[str, Distribution] = {
        canonicalize_name(its.metadata["Name"]): its for its in distributions()
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": now.isoformat(timespec="seconds"),
            "component": _component(OURS, here.get(OURS), "application"),
        },
        "components": [
            _component(name, its, "library") for name, its in sorted(here.items()) if name != OURS
        ],
        "dependencies": [
            {"ref": _url(name, its), "dependsOn": _needed(its, here)}
            for name, its in sorted(here.items())
        ],
    }


def _url(name: str, its: Distribution | None) -> str:
    return f"pkg:pypi/{name}" if its is None else f"pkg:pypi/{name}@{its.version}"


def _component(name: str, its: Distribution | None, kind: str) -> dict[str, Any]:
    url = _url(name, its)
    component: dict[str, Any] = {"type": kind, "bom-ref": url, "name": name, "purl": url}
    if its is not None:
        component["version"] = its.version
        facts = its.metadata.json
        expression, text = facts.get("license_expression"), facts.get("license")
        if expression:
            component["licenses"] = [{"expression": expression}]
        elif isinstance(text, str) and "\n" not in text:
            component["licenses"] = [{"license": {"name": text}}]
    return component


def _needed(its: Distribution, here: dict[str, Distribution]) -> list[str]:
    """What a distribution needs and is installed; what it needs for an extra alone is left out."""
    urls = set()
    for line in its.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        name = canonicalize_name(requirement.name)
        if name in here and (
            requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ):
            urls.add(_url(name, here[name]))
    return sorted(urls)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("sbom.json"))
    asked = parser.parse_args()
    document = bill(datetime.now(UTC))
    asked.output.write_text(
        f"{json.dumps(document, indent=1, ensure_ascii=False)}\n", encoding="utf-8"
    )
    print(f"{len(document['components'])} distributions in {asked.output}")


if __name__ == "__main__":
    main()
