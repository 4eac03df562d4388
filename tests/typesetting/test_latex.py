"""Every LaTeX that the lab writes goes through a real TeX."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app.data.runs import DEMONSTRATION
from cl_core.analysis.comparison import compare
from cl_core.analysis.comparison_formats import FORMATS as COMPARED
from cl_core.evaluate.matrix import Score, scores_table
from cl_core.evaluate.table import METRICS
from cl_core.reports import latex
from cl_core.reports.report import Report
from cl_core.reports.report_formats import FORMATS as REPORTED
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.workspace import Workspace
from tests.remade_runs import bundled, remade
from tests.typesetting.tex import compiled

AWKWARD = (
    "Café_100% & co",
    "$x^2$ #1 ~a \\b {c}",
    "数据_100%",
    "emoji 🙂‍🚀 and Привет",
    'a--b "q" `c` <d|e> [f] *g*',
    "Łódź, Straße, ångström, Đà Nẵng, İstanbul, ąę, α→Ω, naïve ij ſ",  # noqa: RUF001
    "e\u0301 zero\u200bwidth\ttab\nline",
    "--",
    "*",
    "[1em]",
)


@pytest.mark.parametrize("name", sorted(path.name for path in (DEMONSTRATION / "runs").iterdir()))
def test_the_latex_of_every_bundled_run_compiles_and_fits_the_page(
    pdflatex: str, tmp_path: Path, name: str
) -> None:
    report = Report(Workspace(DEMONSTRATION).find(name))
    log = compiled(pdflatex, REPORTED["latex"](report), tmp_path)
    assert "Overfull" not in log


def test_awkward_names_of_tasks_streams_and_recipes_compile(pdflatex: str, tmp_path: Path) -> None:
    config = bundled("dam")
    run = remade(
        Workspace(tmp_path),
        "dam",
        "odd",
        stream_name="Café_100% & co 数据",
        recipe=config.recipe.model_copy(update={"name": "my_{recipe} 🙂"}),
    )
    text = REPORTED["latex"](Report(run)) + COMPARED["latex"](compare([run]))
    compiled(pdflatex, text, tmp_path)
    assert r"Caf{\'{e}}\_100\% \& co {[}U+6570 U+636E{]}" in text
    assert "stands for Café_100% & co 数据" in text, "the file says what the code points are"
    names = "\\par ".join(latex.escape(name) for name in AWKWARD)
    table = "\\\\\n".join(f"{latex.escape(name)} & x" for name in AWKWARD)
    body = f"{names}\\begin{{tabular}}{{ll}} a & b \\\\ {table} \\end{{tabular}}"
    comments = "\n".join(latex.replaced(AWKWARD))
    compiled(pdflatex, f"{comments}\n{body}", tmp_path)


def test_every_formula_of_the_table_compiles(pdflatex: str, tmp_path: Path) -> None:
    compiled(pdflatex, "\\par ".join(latex.formula(m.formula) for m in METRICS.values()), tmp_path)
    assert latex.formula("mean_{j<=i} R[i, j]") == (
        r"$\mathop{\mathrm{mean}}\nolimits_{j\leq i} R[i, j]$"
    )


def test_a_comparison_over_seeds_compiles_with_bold_and_real_minus_signs(
    pdflatex: str, tmp_path: Path
) -> None:
    runs = several(tmp_path)
    metrics = ["average_accuracy", "backward_transfer", "router_accuracy"]
    text = COMPARED["latex"](compare(runs, metrics, against="sequential"))
    log = compiled(pdflatex, text, tmp_path)
    assert "Overfull" not in log
    first = text.partition(r"\end{table}")[0]
    (columns,) = re.findall(r"\\begin\{tabular\}\{l (.*)\}\n\\toprule", first)
    assert columns.count("S[table-format=") == len(metrics), "at most the columns asked for"
    assert "S[table-format=-" in columns, "a column of numbers below 0 leaves room for the sign"
    assert r"\toprule" in first
    assert "(\\%)" in first
    assert "(points)" in first
    assert "$-$" in text, "in text a minus is set as mathematics, not as a hyphen"
    dam, adapters = (
        next(line for line in first.splitlines() if line.startswith(name))
        for name in ("dam", r"adapters $\dagger$")
    )
    assert r"\bfseries" in dam
    assert r"\bfseries" not in adapters, "who is told the task is no rival"
    assert first.index(r"\midrule", first.index("dam")) < first.index("adapters $\\dagger$")
    differences = text.partition(r"\end{table}")[2]
    assert "difference from sequential" in differences, "more forgetting is nothing to be ahead in"
    assert "told the true task of every sample" in differences, "each table stands alone"
    rows = differences[differences.index(r"\midrule") + 1 :]
    assert rows.index("dam &") < rows.index(r"\midrule") < rows.index("adapters $\\dagger$ &")


def several(folder: Path) -> list[RunFolder]:
    """Three recipes with three seeds each, scores moved a little by the seed."""
    workspace = Workspace(folder)
    return [
        remade(
            workspace,
            recipe,
            f"{recipe}-{seed}",
            lambda value, seed=seed: value * (1 - 0.1 * seed),
            seed=seed,
        )
        for seed in range(3)
        for recipe in ("sequential", "dam", "adapters")
    ]


@pytest.mark.parametrize("count", [8, 22])
def test_many_tasks_of_long_names_fit_the_page(pdflatex: str, tmp_path: Path, count: int) -> None:
    run = remade(Workspace(tmp_path), "dam", "many")
    task = run.config.tasks[0]
    names = [f"{index}: a task of a rather long name" for index in range(count)]
    tasks = tuple(task.model_copy(update={"name": name}) for name in names)
    run.create(run.config.model_copy(update={"tasks": tasks}))
    scores = [
        Score(stage + 1, name, "cil/compose", "accuracy", index / count, 60)
        for stage in range(count)
        for index, name in enumerate(names[: stage + 1])
    ]
    pq.write_table(scores_table(scores), run.path / "scores.parquet")
    text = REPORTED["latex"](Report(RunFolder(run.path)))
    log = compiled(pdflatex, text, tmp_path)
    assert "Overfull" not in log
    assert "{8} \\\\" in text or "{22} \\\\" in text, "columns are headed by numbers"
