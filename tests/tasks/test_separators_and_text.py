"""What separates the cells of a table, what its quotes are, and text that is none: read as meant, or said."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from cl_core.errors import Faults
from cl_core.tasks.spec import StreamSpec, TaskSpec
from cl_core.tasks.stream import Stream
from cl_core.tasks.stream_loader import load_stream

ROWS = [
    (f"{word} number {i}", label)
    for i in range(20)
    for word, label in (("fine", "pos"), ("poor", "neg"))
]


def load(path: Path, **fields: object) -> Stream:
    spec = TaskSpec.model_validate({"name": "t", "path": str(path), **fields})
    return load_stream(StreamSpec(name="s", protocol="til", tasks=(spec,)))


def texts(path: Path, **fields: object) -> set[str]:
    """All texts of the task, whatever split they are in; and the rows can be fingerprinted."""
    task = load(path, **fields).tasks[0]
    assert task.fingerprint
    return {text for rows in task.splits.values() for text in rows["text"]}


def faults(path: Path, **fields: object) -> str:
    with pytest.raises(Faults) as caught:
        load(path, **fields)
    return "\n".join(caught.value.faults)


def table(rows: list[tuple[str, str]], separator: str = ",", header: str = "text,label") -> str:
    return (
        "\n".join([header.replace(",", separator), *(separator.join(row) for row in rows)]) + "\n"
    )


def with_stray_quotes(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One text begins with a quote, one far below ends with one: with quoting all between are one cell."""
    quoted = list(rows)
    quoted[4] = (f'"{quoted[4][0]}', quoted[4][1])
    quoted[30] = (f'{quoted[30][0]}"', quoted[30][1])
    return quoted


def test_stray_quotes_lose_no_row_of_a_tab_separated_file(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    rows = with_stray_quotes(ROWS)
    file.write_text(table(rows, "\t"))
    assert texts(file) == {text for text, _ in rows}
    # Neither does a bad line among the swallowed ones make quoting right: it is the fault, and the only one.
    file.write_text(
        table([*rows[:10], ("lonely", ""), *rows[10:]], "\t").replace("lonely\t", "lonely")
    )
    assert "not 2 fields, as in the header, in row 11" in faults(file)


def test_stray_quotes_lose_no_row_of_a_comma_separated_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    rows = with_stray_quotes(ROWS)
    file.write_text(table(rows))
    assert texts(file) == {text for text, _ in rows}
    assert "quotes are read as text: every line has 2 cells" in "\n".join(load(file).warnings)


def test_the_row_whose_cell_spans_rows_is_named_where_other_rows_need_quotes(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.csv"
    rows = [*with_stray_quotes(ROWS), ('"fine, with a comma"', "pos")]
    file.write_text(table(rows))
    assert "a cell that runs over 26 more lines" in faults(file)
    assert "in row 5" in faults(file)


def test_texts_of_several_lines_with_separators_of_their_own_are_one_cell(tmp_path: Path) -> None:
    poem = '"roses are red, they say\nviolets blue, they say\nsugar sweet, they say\nand so on"'
    for name, separator in (("a.csv", ","), ("a.tsv", "\t")):
        rows = [*ROWS, (poem.replace(", ", separator), "pos")]
        (tmp_path / name).write_text(table(rows, separator))
        assert poem.replace(", ", separator).strip('"') in texts(tmp_path / name)


def test_a_tab_separated_file_with_some_loose_quotes_keeps_all_of_them(tmp_path: Path) -> None:
    rows = [*ROWS, ('"Heroes"', "pos"), ('the "best" of them', "pos")]
    (tmp_path / "a.tsv").write_text(table(rows, "\t"))
    assert '"Heroes"' in texts(tmp_path / "a.tsv")
    (tmp_path / "a.tsv").write_text(table(rows[:-1], "\t"))
    assert "Heroes" in texts(tmp_path / "a.tsv")


@pytest.mark.parametrize(
    ("separator", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")]
)
def test_another_separator_is_seen_in_the_header_and_said(
    tmp_path: Path, separator: str, word: str
) -> None:
    file = tmp_path / "a.csv"
    rows = [(f"{text}, and more", label) for text, label in ROWS]
    file.write_text(table(rows, separator))
    assert texts(file) == {text for text, _ in rows}
    assert f"is separated by {word}, not by commas" in "\n".join(load(file).warnings)


def test_a_separator_is_said_in_the_stream_file_where_the_header_does_not_show_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(table(ROWS, ";", "text|original,label"))
    assert 'say which separates its cells in the stream file: separator: ";"' in faults(file)
    assert texts(file, separator=";", text="text|original") == {text for text, _ in ROWS}


def test_a_spreadsheet_s_own_line_on_its_separator_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sep=;\n" + table(ROWS, ";"))
    assert texts(tmp_path / "a.csv") == {text for text, _ in ROWS}


HALF = "\\ud83d"


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_half_a_character_is_replaced_and_its_rows_are_named(tmp_path: Path, suffix: str) -> None:
    objects = [
        json.dumps(
            {
                "text": f"{text} HALF" if i in (2, 5) else text,
                "label": f"{label} HALF",
                "col HALF": i,
            }
        )
        for i, (text, label) in enumerate(ROWS)
    ]
    joined = "\n".join(objects) if suffix == ".jsonl" else f"[{','.join(objects)}]"
    file = tmp_path / f"a{suffix}"
    file.write_text(joined.replace("HALF", HALF))
    stream = load(file)
    assert "fine number 1 \ufffd" in texts(file)
    assert stream.tasks[0].label_names == ("neg \ufffd", "pos \ufffd")
    assert (
        "'text' holds half a character, as a cut emoji leaves it, read as '\ufffd', in rows 3, 6"
        in "\n".join(stream.warnings)
    )
    "\n".join(stream.warnings).encode()
    assert "col \ufffd" in faults(file, text="none")


def test_a_whole_emoji_in_two_escapes_stays_what_it_is(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"{text} \U0001f600", "label": label}) for text, label in ROWS]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert texts(tmp_path / "a.jsonl") == {f"{text} \U0001f600" for text, _ in ROWS}
    assert not any("half" in warning for warning in load(tmp_path / "a.jsonl").warnings)


def test_half_a_character_in_meta_json_and_stream_file_ends_no_better(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(table([(t, str(int(label == "pos"))) for t, label in ROWS]))
    (tmp_path / "meta.json").write_text(f'{{"label_names": ["no {HALF}", "yes"]}}')
    assert load(tmp_path).tasks[0].label_names == ("no \ufffd", "yes")
    file = tmp_path / "stream.yaml"
    file.write_text(
        f'name: s\nprotocol: til\ntasks:\n  - {{name: t, path: train.csv, label_names: ["no {HALF}", "yes"]}}\n'
    )
    with pytest.raises(Faults) as caught:
        load_stream(file)
    assert "line 4" in str(caught.value).encode().decode()


def test_other_encodings_are_named_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    for encoding, name in (("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-32", "UTF-32")):
        file.write_bytes(table(ROWS).encode(encoding))
        assert f"is {name}, as some spreadsheets save it; save it as UTF-8" in faults(file)
    file.write_bytes(table([*ROWS, ("très bien", "pos")]).encode("latin-1"))
    message = faults(file)
    assert (
        "(0xe8, line 42); as Latin-1 or Windows-1252 it would say 'très'; save the file as UTF-8"
        in message
    )


@pytest.mark.parametrize(
    "metadata",
    [
        '{"info": null}',
        "null",
        "no json",
        '{"info": {"features": null}}',
        '{"info": {"features": []}}',
        '{"info": {"features": {"other": {"_type": "ClassLabel", "names": null}, "label": 3}}}',
    ],
)
def test_odd_metadata_of_a_table_break_nothing(tmp_path: Path, metadata: str) -> None:
    columns = pyarrow.table({"text": [t for t, _ in ROWS], "label": [label for _, label in ROWS]})
    columns = columns.replace_schema_metadata({"huggingface": metadata})
    parquet.write_table(columns, tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").tasks[0].label_names == ("neg", "pos")


def test_a_broken_column_that_nobody_asked_for_breaks_nothing(tmp_path: Path) -> None:
    count = len(ROWS)
    broken = pyarrow.array([b"caf\xe9"] * count, pyarrow.binary()).view(pyarrow.string())
    columns = {
        "text": pyarrow.array([text for text, _ in ROWS]),
        "label": pyarrow.array([label for _, label in ROWS]),
        "broken": broken,
        "nested": pyarrow.ListArray.from_arrays(range(count + 1), broken),
        "far": pyarrow.array([2**60] * count, pyarrow.timestamp("s")),
        "nowhere": pyarrow.array(
            [datetime(2020, 1, 1)] * count, pyarrow.timestamp("s", "Mars/Olympus")
        ),
    }
    with pyarrow.ipc.new_file(str(tmp_path / "a.arrow"), pyarrow.table(columns).schema) as writer:
        writer.write_table(pyarrow.table(columns))
    assert len(texts(tmp_path / "a.arrow")) == count
    assert "column 'broken' is not UTF-8 in rows 1, 2" in faults(
        tmp_path / "a.arrow", text="broken"
    )
    for name in ("nested", "far", "nowhere"):
        assert f"column '{name}'" in faults(tmp_path / "a.arrow", text=name)


def test_json_without_end_is_a_fault_and_no_traceback(tmp_path: Path) -> None:
    deep = "[" * 100_000
    (tmp_path / "a.jsonl").write_text(f'{{"text": "x", "label": "a"}}\n{deep}\n')
    assert "not valid JSON in row 2" in faults(tmp_path / "a.jsonl")
    (tmp_path / "a.json").write_text(deep)
    assert "not JSON that can be read" in faults(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("x" * 20_000_000, "at most 16,777,216 characters are read"),
        ("x" * 2_000_000, "has 2,000,000 characters; at most 1,000 are read: give it a short name"),
        (
            "text,label\n" + '"' + "x " * 10_000_000 + '",a\n',
            "at most 16,777,216 characters are read",
        ),
        ("text," + "x" * 900 + "\nfine,a\n", "there is no column 'label'"),
    ],
)
def test_a_table_of_one_enormous_line_is_refused_at_once_and_in_few_words(
    tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(content)
    begun = time.process_time()
    said = faults(file)
    assert time.process_time() - begun < 10
    assert sentence in said
    assert len(said) < 2000


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_a_long_name_of_a_column_is_refused_in_every_format(tmp_path: Path, name: str) -> None:
    row = {"text": "fine", "x" * 2_000_000: "a"}
    if name.endswith("parquet"):
        parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / name)
    else:
        (tmp_path / name).write_text(json.dumps(row))
    said = faults(tmp_path / name)
    assert "has 2,000,000 characters; at most 1,000 are read" in said
    assert len(said) < 1000


def test_a_long_class_is_quoted_by_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(table([(f"text {i}", "x" * 1_000_000) for i in range(9)]))
    said = faults(file)
    assert "all rows have one class, 'xxx" in said
    assert len(said) < 1000
