"""Ten malformed streams, and the page of the documentation that shows what they get.

python -m tests.tasks.malformed_streams
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cl_core.errors import UserError
from cl_core.tasks.stream_loader import load_stream

PAGE = Path(__file__).parents[2] / "docs" / "malformed-streams.md"
_GOOD = "text,label\n" + "".join(
    f"{word} number {i},{label}\n"
    for i in range(12)
    for word, label in (("fine", "positive"), ("poor", "negative"))
)


@dataclass(frozen=True)
class Malformed:
    """One malformed stream: its file, its data, and what it shows."""

    title: str
    yaml: str
    files: dict[str, str | bytes] = field(default_factory=dict)

    def message(self, folder: Path) -> str:
        """Writes the stream into ``folder``, loads it, and returns the message that the user gets."""
        for name, content in {"stream.yaml": self.yaml, **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        try:
            load_stream(folder / "stream.yaml")
        except UserError as error:
            return str(error).replace(str(folder.resolve()), "/home/you/reviews")
        raise AssertionError(f"'{self.title}' was accepted")


def _rows(*pairs: tuple[str, str], repeat: int = 1) -> str:
    lines = [f"{text} {i},{label}" for i in range(repeat) for text, label in pairs]
    return "\n".join(["text,label", *lines, ""])


CASES = (
    Malformed(
        "Misspelt fields, and names that YAML reads as something else",
        """name: reviews
protocol: dli
tasks:
  - {name: books, pth: books, limit: {trian: 100}}
  - {name: kitchen, path: kitchen, label_names: [no, yes]}
  - {name: news, hub: owner/news, revision: 1234567}
""",
    ),
    Malformed(
        "Tasks named twice, and sharing with a task that is not there",
        """name: reviews
protocol: cil
shared_labels: [[books, kitchn]]
tasks:
  - {name: books, path: books}
  - {name: books, path: more-books}
  - {name: kitchen, path: kitchen}
""",
    ),
    Malformed(
        "No data where they should be",
        """name: reviews
protocol: cil
tasks:
  - {name: books, path: data/boks}
  - {name: notes, path: notes}
  - {name: news, hub: owner/news}
  - {name: meals, builtin: domains/restaurant}
""",
        {"notes/readme.txt": "nothing here", "notes/all.xlsx": "nothing here"},
    ),
    Malformed(
        "Columns by other names",
        """name: reviews
protocol: dil
tasks:
  - {name: books, path: books.csv}
  - {name: kitchen, path: kitchen.csv, text_pair: title}
""",
        {
            "books.csv": _GOOD.replace("text,label", "txt,labels"),
            "kitchen.csv": _GOOD,
        },
    ),
    Malformed(
        "Unknown labels",
        """name: reviews
protocol: dil
tasks:
  - {name: books, path: books, label_names: [negative, positive]}
  - {name: kitchen, path: kitchen, label_names: [negative, positive]}
""",
        {
            "books/train.csv": _GOOD + "so so,neutral\nvery fine,postive\nrather fine,postive\n",
            "books/test.csv": _GOOD.replace("number", "as"),
            "kitchen/train.csv": _rows(("bad", "1"), ("good", "2"), repeat=9),
            "kitchen/test.csv": _rows(("worse", "1"), ("better", "2"), repeat=3),
        },
    ),
    Malformed(
        "One class only, and a class that is not in train",
        """name: reviews
protocol: til
tasks:
  - {name: books, path: books}
  - {name: kitchen, path: kitchen}
""",
        {
            "books/train.csv": _rows(("fine", "positive"), repeat=8),
            "books/test.csv": _GOOD,
            "kitchen/train.csv": _GOOD,
            "kitchen/test.csv": _GOOD.replace("number", "as") + "so so,neutral\n",
        },
    ),
    Malformed(
        "Empty rows, and rows that are not text",
        """name: reviews
protocol: dil
tasks:
  - {name: books, path: books.jsonl}
  - {name: kitchen, path: kitchen.csv}
""",
        {
            "books.jsonl": "".join(
                f'{{"text": {text}, "label": {label}}}\n'
                for text, label in [
                    ('"fine"', '"positive"'),
                    ("17", '"positive"'),
                    ('"poor"', '"negative"'),
                    ("null", '"negative"'),
                    ('["a", "b"]', '"negative"'),
                    ('"   "', '"positive"'),
                    ('"good"', '"positive"'),
                    ('"bad"', "null"),
                ]
            ),
            "kitchen.csv": _GOOD + ",positive\n" * 7,
        },
    ),
    Malformed(
        "Broken encodings and broken lines",
        """name: reviews
protocol: dil
tasks:
  - {name: books, path: books.csv}
  - {name: kitchen, path: kitchen.csv}
  - {name: garden, path: garden.jsonl}
  - {name: music, path: music.parquet}
""",
        {
            "books.csv": _GOOD.encode()
            + "tr\xe8s bien,positive\nd\xe9cevant,negative\n".encode("latin-1"),
            "kitchen.csv": _GOOD + "good, but slow,positive\nbad\n",
            "garden.jsonl": '{"text": "fine", "label": "positive"}\n{"text": "poor", "label": \n["poor", "negative"]\n'
            '{"text": "poor", "label": "negative"}\n',
            "music.parquet": _GOOD,
        },
    ),
    Malformed(
        "Domain-incremental tasks with different labels",
        """name: reviews
protocol: dil
tasks:
  - {name: books, path: books.csv}
  - {name: kitchen, path: kitchen.csv}
  - {name: films, path: films.csv}
""",
        {
            "books.csv": _GOOD,
            "kitchen.csv": _GOOD.replace("positive", "yes").replace("negative", "no"),
            "films.csv": _GOOD.replace("positive", "Positive"),
        },
    ),
    Malformed(
        "Several files at once: everything is reported in one go",
        """name: reviews
protocol: dil
tasks:
  - {name: books, path: books}
  - {name: kitchen, path: kitchen}
  - {name: films, path: films}
""",
        {
            "books/train.csv": "text,label\n",
            "books/dev.tsv": "text\tlabel\nfine\tpositive\n",
            "books/test.csv": _GOOD.replace("poor number 3", ""),
            "kitchen/train.csv": _GOOD,
            "kitchen/train.jsonl": '{"text": "fine", "label": "positive"}\n',
            "films/train.csv": _GOOD.replace("fine number 7,positive", "fine number 7,"),
            "films/test.csv": _GOOD.replace("text,label", "text,lable"),
        },
    ),
)


def page() -> str:
    """The page, from the messages as they are."""
    parts = [
        "# Ten malformed streams and what they get",
        "",
        "Everything that is wrong with a stream is reported at once, before anything runs. Rows are counted from 1, "
        "without a header;",
        "of many rows five are listed. A test makes these streams and compares; "
        "`python -m tests.tasks.malformed_streams` writes this page.",
    ]
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            message = case.message(Path(folder))
        parts += ["", f"## {number}. {case.title}", "", "```yaml", case.yaml.rstrip(), "```", ""]
        parts += ["```text", message, "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
