"""Commands that look at runs: report, explain, route."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cl_core.cli.app import app
from cl_core.cli.options import DeviceOption, JsonOption, NameArgument, WorkspaceOption, one_of
from cl_core.errors import UserError, counted

if TYPE_CHECKING:
    from cl_core.runs.workspace import Workspace


@app.command()
def report(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", help="text, csv or latex.")] = "text",
    metric: Annotated[str, typer.Option(help="accuracy, macro_f1 or weighted_f1.")] = "accuracy",
    output: Annotated[
        Path | None, typer.Option(help="Write to this file instead of the screen.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a report with figures to this file, which opens offline."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what came of a run: the score matrix, the metrics with their formulas, the router, the cost.

    Example: adapter-lab report first --html first.html
    """
    from cl_core.cli.output import json_text, say, say_written
    from cl_core.evaluate.metric_groups import score_names
    from cl_core.evaluate.table import ACCURACY
    from cl_core.output_files import write_output
    from cl_core.reports.report import Report
    from cl_core.reports.report_formats import FORMATS
    from cl_core.runs.workspace import Workspace

    form = one_of("--format", form, tuple(FORMATS)) or "text"
    chosen = one_of("--metric", metric, score_names()) or ACCURACY
    run_folder = Workspace(workspace).find(name)
    if html is not None:
        _write_html(Workspace(workspace), name, html)
        say_written(html, as_json)
        return
    scored = Report(run_folder, chosen)
    text = json_text(scored.as_dict()) if as_json else FORMATS[form](scored)
    if output is None:
        say(text)
    else:
        write_output(output, text + "\n")
        say_written(output, as_json)


def _write_html(workspace: Workspace, name: str, output: Path) -> None:
    """Asks the app, in a process of its own: its figures are plotly's, which the core does not know.

    Raises:
        UserError: the app is not installed.
    """
    import subprocess

    from adapter_lab import command, environment
    from cl_core.cli.output import note
    from cl_core.cli.serve import check_installed

    check_installed()  # says what to install where there is no app
    words = ["--run", name, "--workspace", str(workspace.root), "--output", str(output)]
    # What it says is of interest only where it fails: Streamlit remarks that it has no server.
    done = subprocess.run(
        command("app.report.run_report", *words),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        note(done.stderr.rstrip().splitlines()[-1] if done.stderr else "")
        raise typer.Exit(done.returncode)


@app.command()
def explain(
    name: NameArgument,
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a run loses against the oracle's route: by routing, and by merging.

    Every test sample is answered by its true-task adapter alone, and by its top-1 adapter alone. What comes
    of it is kept in the run's folder, where the lab in the browser finds it.

    Example: adapter-lab explain first
    """
    import numpy as np

    from cl_core.analysis.oracle_answers import explain_losses
    from cl_core.cli.output import TerminalWatcher, say, say_json, table, warn
    from cl_core.evaluate.oracle_gap import summarise_losses
    from cl_core.evaluate.statistics import decimal
    from cl_core.runs.workspace import Workspace
    from cl_core.system_faults import check_memory

    opened, watcher = Workspace(workspace), TerminalWatcher(quiet=as_json)
    run = opened.find(name)
    names = [task.name for task in run.config.tasks]
    check_memory()
    unkept: list[str] = []
    table_of_losses = explain_losses(opened, run, device, watcher.progress, unkept.append)
    lost = summarise_losses(table_of_losses, len(names))
    watcher.finish()
    for said in unkept:
        warn(said)
    # A run that is not finished has been scored up to some task; those after it are not defined.
    scored = [stage for stage in range(len(names)) if not np.isnan(lost.oracle[stage]).all()]
    stage = scored[-1] if scored else len(names) - 1
    last = {
        "oracle": lost.oracle[stage],
        "routing": lost.routing[stage],
        "merging": lost.merging[stage],
    }
    if as_json:
        say_json(
            [
                {"task": name, **{column: float(values[task]) for column, values in last.items()}}
                for task, name in enumerate(names)
            ]
        )
        return
    say(
        f"Stage '{names[stage]}' ({stage + 1} of {counted(len(names), 'task')}): accuracy under the "
        "oracle's route, "
        "and what the run loses against it. Below 0 is a gain."
    )
    rows = [
        [name, *(decimal(100 * values[task]) for values in last.values())]
        for task, name in enumerate(names)
    ]
    if scored:
        rows.append(
            ["mean", *(decimal(100 * float(np.nanmean(values))) for values in last.values())]
        )
    head = ["task", "oracle (%)", "lost by routing (points)", "lost by merging (points)"]
    say(table(head, rows))


@app.command()
def route(
    name: NameArgument,
    text: Annotated[
        list[str] | None, typer.Option(help="A text to route; may be given several times.")
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="The path of a picture to route; may be given several times."),
    ] = None,
    video: Annotated[
        list[str] | None,
        typer.Option(help="The path of a video to ask about; may be given several times."),
    ] = None,
    question: Annotated[
        list[str] | None,
        typer.Option(
            help="What to ask about the pictures or videos: one for all, or one for each."
        ),
    ] = None,
    k: Annotated[
        int | None, typer.Option("-k", help="How many adapters a sample gets.", min=1)
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the router's softmax.")] = None,
    task: Annotated[
        str | None,
        typer.Option(help="The true task, where the recipe or the protocol must be told it."),
    ] = None,
    stage: Annotated[
        int | None,
        typer.Option(help="The stage: after learning this many tasks [default: all].", min=1),
    ] = None,
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which adapters a sample gets, how they are merged, what the merge answers and what each answers alone.

    Example: adapter-lab route first --text "The soup was cold, but the waiter saved the evening." -k 2
    """
    from cl_core.cli.output import say, say_json
    from cl_core.model.predict import Predictor
    from cl_core.runs.workspace import Workspace
    from cl_core.system_faults import check_memory

    check_memory()
    opened = Workspace(workspace)
    model = Predictor(opened, opened.find(name), stage, device)
    given = {"text": text, "image": image, "video": video, "question": question}
    asked = _samples({column: values for column, values in given.items() if values})
    samples = model.route(asked, k=k, temperature=temperature, task=task)
    if as_json:
        say_json([sample.as_dict() for sample in samples])
    else:
        say("\n\n".join(str(sample) for sample in samples))


def _samples(given: dict[str, list[str]]) -> list[dict[str, str]]:
    """One mapping for each sample; a single question is asked about everything."""
    most = max((len(values) for values in given.values()), default=0)
    if len(given.get("question", ())) == 1:
        given = given | {"question": given["question"] * most}
    if len({len(values) for values in given.values()}) > 1:
        counts = ", ".join(f"{len(values)} --{column}" for column, values in given.items())
        raise UserError(f"found {counts}; give as many of each, or one --question for all")
    return [{column: values[row] for column, values in given.items()} for row in range(most)]
