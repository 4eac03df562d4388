"""The demonstration: what a newcomer sees first."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from cl_core.cli.follow_run import follow
from cl_core.cli.output import TerminalWatcher, say, say_json
from cl_core.engine.launch import prepare
from cl_core.recipes.named import RECIPES
from cl_core.recipes.settings import RunSettings, make_settings
from cl_core.reports.report import Report
from cl_core.reports.report_formats import as_text
from cl_core.runs.run_folder import RunFolder
from cl_core.runs.variables import DEMONSTRATION_RUN
from cl_core.runs.workspace import Workspace
from cl_core.store import key

STREAM = "domains"
SETTINGS = {"limit_train": 200, "limit_validation": 60, "limit_test": 100, "epochs": 6}
SENTENCES = (
    "The soup was cold, but the waiter saved the evening.",
    "I would not call this film boring, although I did look at my watch twice.",
    "My parcel still has not arrived and nobody answers the phone.",
)


def demonstrate(workspace: Workspace, device: str = "auto", as_json: bool = False) -> None:
    """Carries out DAM on `domains`, shows its report and routes three sentences.

    What is there is read, without torch: the second time takes half a second.
    """
    if not as_json:
        say(
            "Adapter Lab: six everyday domains are learnt one after the other, one adapter each, "
            "on a frozen MiniLM."
        )
        say(
            "Each test sentence is routed to the two closest adapters, which are merged for it "
            "alone (DAM).\n"
        )
    run = workspace.run(DEMONSTRATION_RUN)
    if not (run.exists and run.status == "finished" and run.config.settings == _settings()):
        watcher = TerminalWatcher(quiet=as_json)
        run = follow(
            workspace,
            lambda: prepare(
                workspace, STREAM, "dam", name=DEMONSTRATION_RUN, settings=SETTINGS, device=device
            ),
            watcher,
        )
    report, routed = Report(run), _routed(workspace, run, device)
    if as_json:
        say_json({"report": report.as_dict(), "routed": routed["samples"]})
        return
    say(as_text(report))
    say("\nThree sentences, and which adapters answered:\n")
    say(routed["text"])
    say(
        f'\nTry your own: {command_here()} route {DEMONSTRATION_RUN} --text "..."\n'
        f"All commands: {command_here()} --help"
    )


def command_here() -> str:
    """`adapter-lab`, as it can be typed here: with its folder where its name alone leads elsewhere."""
    typed, name = sys.argv[0], "adapter-lab"
    by_name = shutil.which(name)
    leads_there = by_name is not None and Path(by_name).resolve() == Path(typed).resolve()
    return name if leads_there or Path(typed).name != name else typed


def _settings() -> RunSettings:
    return make_settings(RECIPES["dam"].settings, SETTINGS)


def _routed(workspace: Workspace, run: RunFolder, device: str) -> dict[str, Any]:
    """What the run's model makes of the sentences: an artifact of its adapters and its router."""
    inputs: dict[str, Any] = {
        "artifacts": run.artifacts(),
        "sentences": list(SENTENCES),
        "version": 2,
    }
    artifact_key = key("routed", inputs)
    artifact = workspace.store.read("routed", artifact_key)
    if artifact is None:
        from cl_core.model.predict import Predictor

        samples = Predictor(workspace, run, device=device).route(SENTENCES)
        data: dict[str, Any] = {
            "text": "\n\n".join(str(sample) for sample in samples),
            "samples": [sample.as_dict() for sample in samples],
        }
        artifact = workspace.store.write("routed", artifact_key, inputs, data=data)
    return dict(artifact.data)
