"""What a page says of a stream's data is what they hold now, whatever the way in which they were changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.data.stream_checks import check_named, check_spec
from cl_core.tasks.spec import StreamSpec
from cl_core.tasks.stream_loader import find_stream
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
ROWS = [f"row {number},{'good' if number % 2 else 'bad'}" for number in range(60)]


def write(file: Path, rows: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["text,label", *rows, ""]))


def spec(path: str) -> StreamSpec:
    return StreamSpec.model_validate(
        {"name": "s", "protocol": "dil", "tasks": [{"name": "t", "path": path}]}
    )


def rows(answer: dict[str, Any]) -> dict[str, int]:
    (task,) = answer["tasks"]
    counts: dict[str, int] = task["rows"]
    return counts


def test_files_that_change_places_are_read_again(tmp_path: Path) -> None:
    write(tmp_path / "t" / "train.csv", ROWS[:40])
    write(tmp_path / "t" / "test.csv", ROWS[40:])
    before = rows(check_spec(spec("t"), tmp_path))
    (tmp_path / "t" / "test.csv").rename(tmp_path / "t" / "other.csv")
    (tmp_path / "t" / "train.csv").rename(tmp_path / "t" / "test.csv")
    (tmp_path / "t" / "other.csv").rename(tmp_path / "t" / "train.csv")
    after = rows(check_spec(spec("t"), tmp_path))
    assert (before["test"], after["test"]) == (20, 40)


@pytest.mark.parametrize("path", ["t", "t/train.csv"])
def test_an_edit_of_the_same_size_and_time_is_read(tmp_path: Path, path: str) -> None:
    file = tmp_path / "t" / "train.csv"
    write(file, ROWS)
    newest = tmp_path / "t" / "notes.txt"
    newest.write_text("of the year 2096")
    os.utime(newest, (4_000_000_000, 4_000_000_000))
    assert not check_spec(spec(path), tmp_path)["faults"]
    its = file.stat()
    file.write_text(file.read_text().replace("label", "lable"))
    os.utime(file, ns=(its.st_atime_ns, its.st_mtime_ns))
    assert check_spec(spec(path), tmp_path)["faults"]


def test_what_a_meta_json_says_is_read_again(tmp_path: Path) -> None:
    write(
        tmp_path / "t" / "train.csv", [row.replace("good", "1").replace("bad", "0") for row in ROWS]
    )
    file = tmp_path / "t" / "meta.json"
    for names in ('["no", "ye"]', '["on", "ey"]'):
        file.write_text(f'{{"label_names": {names}}}')
        (task,) = check_spec(spec("t"), tmp_path)["tasks"]
        assert all(name in str(task) for name in names.strip("[]").replace('"', "").split(", "))


def test_data_of_a_named_stream_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CL_DATA", str(tmp_path))
    named, _ = find_stream("blitzer")
    first = check_named("blitzer")
    assert first["faults"], "there are no data yet"
    for task in named.tasks:
        assert task.data is not None
        write(tmp_path / task.data / "train.csv", ROWS)
    assert check_named("blitzer")["faults"] != first["faults"]


def test_where_no_request_can_be_written_the_sentence_says_what_to_do() -> None:
    script = (
        "import resource, signal\n"
        "from app.data.stream_checks import run_worker\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "print(run_worker('{\"source\": \"domains\"}')['error'])\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout.startswith("The data could not be read: ")
    assert "[Errno" not in done.stdout
    assert "Nothing is half-written" in done.stdout
