"""Hub data sets: read from a local snapshot laid out like one, pinned, without remote code."""

from __future__ import annotations

import pyarrow
import pytest
from pyarrow import parquet

from cl_core.tasks.prepared_task import prepare
from cl_core.tasks.sources.hub import explain, read_hub
from cl_core.tasks.spec import TaskSpec

CARD = """---
configs:
- config_name: plain
  data_files:
  - {split: train, path: plain/train-*}
  - {split: dev, path: plain/dev.parquet}
  - {split: test, path: plain/test.parquet}
- config_name: other
  data_files: other.csv
dataset_info:
- config_name: plain
  features:
  - {name: sentence, dtype: string}
  - name: topic
    dtype:
      class_label:
        names: {'0': negative, '1': positive}
---
"""


@pytest.fixture
def snapshot(tmp_path):
    repository = tmp_path / "snapshot"
    (repository / "plain").mkdir(parents=True)
    (repository / "README.md").write_text(CARD)
    for name in ("train-00000-of-00002", "train-00001-of-00002", "dev", "test"):
        table = pyarrow.table(
            {"sentence": [f"{name} {i}" for i in range(10)], "topic": [i % 2 for i in range(10)]}
        )
        parquet.write_table(table, repository / "plain" / f"{name}.parquet")
    (repository / "other.csv").write_text("sentence,topic\nx,1\n")
    return repository


def spec(**fields):
    given = {"config": "plain", "revision": "0123abc", "text": "sentence", "label": "topic"}
    return TaskSpec(name="news", hub="hub:owner/news", **{**given, **fields})


def read(wanted, snapshot, tmp_path):
    return read_hub(wanted, snapshot=snapshot, cache=tmp_path / "cache")


def test_a_snapshot_is_read_with_its_configuration_splits_and_class_names(snapshot, tmp_path):
    wanted = spec()
    raw = read(wanted, snapshot, tmp_path)
    assert raw.faults == ()
    prepared = prepare(raw, wanted)
    assert (prepared.faults, prepared.label_names) == ((), ("negative", "positive"))
    task = prepared.task()
    assert {split: len(rows) for split, rows in task.splits.items()} == {
        "train": 20,
        "validation": 10,
        "test": 10,
    }
    assert task.source == "hub:owner/news@0123abc"


def test_splits_may_be_named(snapshot, tmp_path):
    raw = read(spec(split={"test": "dev", "validation": "test"}), snapshot, tmp_path)
    assert raw.splits["test"].columns["sentence"][0] == "dev 0"
    (fault,) = read(spec(split={"test": "tset"}), snapshot, tmp_path).faults
    assert "there is no split 'tset'; there are train, dev, test" in str(fault)


@pytest.mark.parametrize("revision", [None, "main"])
def test_a_revision_that_is_missing_or_moves_is_a_fault_that_says_how_to_pin(revision):
    (fault,) = read_hub(spec(revision=revision)).faults
    assert "pin it" in str(fault)
    assert "huggingface.co/datasets/owner/news/commits/main" in str(fault)


def test_an_unknown_configuration_names_those_there_are(snapshot, tmp_path):
    (fault,) = read(spec(config="plane"), snapshot, tmp_path).faults
    assert "config 'plane' does not fit" in str(fault)
    assert "plain" in fault.message


def test_a_script_is_refused(snapshot, tmp_path):
    script = tmp_path / "news"
    script.mkdir()
    (script / "news.py").write_text("raise SystemExit('this must not run')")
    (fault,) = read(spec(config=None), script, tmp_path).faults
    assert "remote code is never run" in str(fault)


def test_being_offline_is_explained():
    message = explain(ConnectionError("Couldn't reach 'owner/news' on the Hub"), spec())
    assert "cannot be reached" in message
    assert "give its folder as path" in message
