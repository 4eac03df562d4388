"""Commands about several runs: sweep, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import (
    PRECISIONS,
    PROTOCOLS,
    DeviceOption,
    JsonOption,
    SetOption,
    WorkspaceOption,
    one_of,
)
from cl_core.errors import UserError

MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        help="A column: average_accuracy, forgetting, router_accuracy, knowledge_transfer, seconds_training, ...",
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option(help="Compare every other recipe with this one, paired by order and seed."),
]
ScoreOption = Annotated[
    str, typer.Option(help="What the score matrix holds: accuracy, weighted_f1 or macro_f1.")
]
FormatOption = Annotated[
    str, typer.Option("--format", help="text, markdown, csv (one row per run) or latex.")
]


@app.command()
def sweep(
    streams: Annotated[
        list[str],
        typer.Argument(help="Names or paths of streams; orders are streams of their own."),
    ],
    recipe: Annotated[list[str], typer.Option(help="A recipe; give it several times for several.")],
    seeds: Annotated[str, typer.Option(help="Numbers and ranges: 0-2 or 0,3,7.")] = "0-2",
    prefix: Annotated[str, typer.Option(help="Put before the names of the runs.")] = "",
    assignments: SetOption = None,
    preset: Annotated[str, typer.Option(help="Named settings, as for 'run'.")] = "default",
    protocol: Annotated[
        str | None, typer.Option(help="til, cil or dil, over the streams' own.")
    ] = None,
    against: AgainstOption = None,
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out every recipe on every stream with every seed, and compare.

    The same command goes on after Ctrl-C; finished runs are not carried out again, and recipes share their adapters.

    Example: adapter-lab sweep blitzer mtl5 --recipe dam --recipe l2r-wavg --seeds 0-2 --against dam --set limit=200
    """
    from cl_core.analysis.comparison import compare as put_side_by_side
    from cl_core.analysis.comparison_formats import as_dict, as_text
    from cl_core.analysis.sweep import parse_seeds
    from cl_core.analysis.sweep import sweep as carry_all_out
    from cl_core.cli.output import TerminalWatcher, say, say_json
    from cl_core.recipes.settings import parse_assignments
    from cl_core.runs.workspace import Workspace
    from cl_core.system_faults import check_memory

    check_memory()
    watcher = TerminalWatcher(quiet=as_json)
    swept = carry_all_out(
        Workspace(workspace),
        streams,
        recipe,
        parse_seeds(seeds),
        prefix=prefix,
        preset=preset,
        settings=parse_assignments(assignments or []),
        protocol=one_of("--protocol", protocol, PROTOCOLS),
        device=device,
        precision=one_of("--precision", precision, PRECISIONS) or "auto",
        watcher=watcher,
    )
    watcher.finish()
    failures = [{"run": what, "error": error} for what, error in swept.failures]
    if swept.runs:
        comparison = put_side_by_side(swept.runs, against=against)
        if as_json:
            say_json({**as_dict(comparison), "failures": failures})
        else:
            say(as_text(comparison))
    elif as_json:
        say_json({"lines": [], "failures": failures})
    if failures:
        what = "; ".join(f"{failure['run']}: {failure['error']}" for failure in failures)
        raise UserError(f"{len(failures)} of the sweep's runs failed: {what}")


@app.command()
def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of runs, * and ? allowed [default: all; unfinished and damaged ones are named]."
        ),
    ] = None,
    metric: MetricOption = None,
    against: AgainstOption = None,
    over_orders: Annotated[
        bool, typer.Option("--over-orders", help="Pool the orders of a stream into one line.")
    ] = False,
    score: ScoreOption = "accuracy",
    form: FormatOption = "text",
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put runs side by side: mean, standard deviation and 95 % interval over seeds, and paired differences.

    Runs that differ in seed alone are one line; lines of one recipe say in which settings they differ.

    Example: adapter-lab compare 'mtl5*' --over-orders --against dam --metric average_accuracy --format markdown
    """
    from fnmatch import fnmatchcase

    from cl_core.analysis.comparison import compare as put_side_by_side
    from cl_core.analysis.comparison_formats import FORMATS, as_dict
    from cl_core.analysis.comparison_lines import headlines
    from cl_core.cli.output import json_text, note, say, say_written
    from cl_core.evaluate.metric_groups import score_names
    from cl_core.evaluate.table import ACCURACY
    from cl_core.output_files import write_output
    from cl_core.runs.workspace import Workspace

    opened = Workspace(workspace)
    if not runs:
        chosen = list(opened.runs())
        if not chosen:
            raise UserError(f"there are no runs in {opened.root} to compare")
    else:
        everything = list(opened.runs())
        chosen = []
        for pattern in runs:
            fits = [run for run in everything if fnmatchcase(run.name, pattern)]
            if pattern in (run.name for run in fits):
                opened.find(pattern).check()  # asked for by its name, a damaged one is not left out
            if not fits and set(pattern) & set("*?["):
                names = ", ".join(run.name for run in everything) or "none"
                raise UserError(f"no run fits '{pattern}'; runs here: {names}")
            chosen += [run for run in fits or [opened.find(pattern)] if run not in chosen]
    comparison = put_side_by_side(
        sorted(chosen, key=lambda run: run.name),
        metric or headlines(),
        against,
        over_orders,
        one_of("--score", score, score_names()) or ACCURACY,
    )
    form = one_of("--format", form, tuple(FORMATS)) or "text"
    if not as_json and (output is not None or form in ("csv", "latex")):  # no place for it there
        for name, why in comparison.left_out.items():
            note(f"left out: {name} ({why})")
    text = json_text(as_dict(comparison)) if as_json else FORMATS[form](comparison)
    if output is None:
        say(text)
    else:
        write_output(output, text + "\n")
        say_written(output, as_json)
