"""The output of `prefect-databricks-runs deploy`: for people, for a pipe, or as JSON."""

from __future__ import annotations

import json

import typer

from .._apply.printing import changes_as_json, print_changes
from .._text import ours, quoted
from .command import Deployed

_DONE = {"created": "Created", "updated": "Updated"}


def print_deployed(deployed: Deployed, *, as_json: bool) -> None:
    """Print what was done: what changed on the standard output, sentences on the error output.

    Args:
        deployed: What became of the deployment.
        as_json: Whether JSON was asked for.
    """
    if as_json:
        typer.echo(json.dumps(_as_json(deployed), indent=2))
    else:
        print_changes(deployed.changes)
    for each in (_summary(deployed), *deployed.warnings):
        typer.echo(ours(each), err=True)


def _summary(deployed: Deployed) -> str:
    name = f"the deployment {quoted(deployed.name)}"
    if deployed.action == "unchanged":
        text = f"{name[0].upper()}{name[1:]} is up to date."
    else:
        text = f"{_DONE[deployed.action]} {name}. `prefect worker start --pool {deployed.pool}` runs it."
    return f"{text} {deployed.url}".rstrip()


def _as_json(deployed: Deployed) -> dict[str, object]:
    return {
        "action": deployed.action,
        "deployment": deployed.name,
        "deployment_id": str(deployed.deployment_id),
        "job_id": deployed.job.job_id,
        "job_name": deployed.job.name,
        "url": deployed.url or None,
        "changes": changes_as_json(deployed.changes),
        "warnings": deployed.warnings,
    }
