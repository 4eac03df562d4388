"""The command that tries every fault finds every fault, wherever it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_of_the_harness_is_found_by_its_command(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "checks" / "faults.py"), "--list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    files = {file.name for file in Path(__file__).parent.glob("test_*.py")}
    assert {name for name in files if f"tests/faults/{name}::" in said.stdout} == files
