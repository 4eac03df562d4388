"""The command that lists the queue: what the app was asked to train, and what became of it."""

from __future__ import annotations

from cl_core.cli.app import app
from cl_core.cli.options import JsonOption, WorkspaceOption


@app.command()
def jobs(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the jobs of the workspace, the oldest first: what trains in the background, one after the other.

    Jobs are started in the app and go on when it is closed. Of one that failed or was killed it says why.

    Example: adapter-lab jobs --json
    """
    from cl_core.cli.output import say, say_json, table
    from cl_core.jobs.queue import Jobs
    from cl_core.runs.workspace import Workspace

    opened = Workspace(workspace)
    described = [
        {
            "run": job.request.run,
            "state": job.state,
            "stream": job.request.stream,
            "recipe": job.request.recipe,
            "seed": job.request.seed,
            "submitted": job.request.submitted,
            "message": job.message,
        }
        for job in Jobs(opened).all()
    ]
    if as_json:
        say_json(described)
    elif not described:
        say(f"there are no jobs in {opened.root} yet; the app's page Train starts them")
    else:
        columns = [name for name in described[0] if name != "message"]
        say(table(columns, [[str(row[name]) for name in columns] for row in described]))
        for row in described:
            if row["message"]:
                say(f"\n{row['run']} {row['state']}: {row['message']}")
