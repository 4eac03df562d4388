"""The published JSON schema of stream files, for editors that complete and check YAML.

python -m cl_core.tasks.schema
"""

from __future__ import annotations

import json
from pathlib import Path

from cl_core.tasks.spec import StreamSpec

SCHEMA_FILE = Path(__file__).with_name("stream.schema.json")


def schema_text() -> str:
    """The schema of `StreamSpec` as it is published."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Adapter Lab stream",
        **{key: value for key, value in StreamSpec.model_json_schema().items() if key != "title"},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
