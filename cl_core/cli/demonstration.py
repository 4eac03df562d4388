"""The demonstration: what a newcomer sees first."""

from __future__ import annotations

from cl_core.cli.following import follow
from cl_core.cli.output import TerminalWatcher, say
from cl_core.lab.launch import prepare
from cl_core.lab.workspace import Workspace

NAME = "demo"
STREAM = "domains"
SETTINGS = {"limit_train": 200, "limit_validation": 60, "limit_test": 100, "epochs": 6}
SENTENCES = (
    "The soup was cold, but the waiter saved the evening.",
    "I would not call this film boring, although I did look at my watch twice.",
    "My parcel still has not arrived and nobody answers the phone.",
)


def demonstrate(workspace: Workspace, device: str = "auto") -> None:
    """Carries out DAM on `domains`, shows its report and routes three sentences.

    What is there is not computed again.
    """
    say(
        "Adapter Lab: six everyday domains are learnt one after the other, one adapter each, on a frozen MiniLM."
    )
    say(
        "Each test sentence is routed to the two closest adapters, which are merged for it alone (DAM).\n"
    )
    watcher = TerminalWatcher()
    run, stream = prepare(
        workspace,
        STREAM,
        "dam",
        name=NAME,
        settings=SETTINGS,
        device=device,
        watcher=watcher,
    )
    follow(workspace, run, stream, watcher, as_json=False)
    from cl_core.lab.inference import Model

    say("\nThree sentences, and which adapters answered:\n")
    say(
        "\n\n".join(str(sample) for sample in Model(workspace, run, device=device).route(SENTENCES))
    )
    say(
        f'\nTry your own: .venv/bin/adapter-lab route {NAME} --text "..."\n'
        "All commands: .venv/bin/adapter-lab --help"
    )
