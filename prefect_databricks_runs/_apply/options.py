"""The command line of `prefect-databricks-runs apply`."""

from __future__ import annotations

from typing import Annotated

import typer

from .._commands import ends_with_2


def apply(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE|MODULE:NAME",
            help="The job: a file of JSON or YAML, or a `Job` in Python, as jobs:nightly or jobs.py:nightly.",
        ),
    ],
    block: Annotated[
        str | None,
        typer.Option(help="A saved DatabricksCredentials block, by name. Without it, the environment is used."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="A profile of ~/.databrickscfg instead of the environment.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the difference, and change nothing.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over a job of that name that was not made by `apply`.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a JSON object.")] = False,
) -> None:
    """Create the saved job of a name, or reset it when a setting differs; print what differed.

    Ends with 0 when the job is as it is wanted; with 1 when --dry-run has found a difference; with 2 when the job has a
    fault, must not be changed, or could not be applied.
    """
    from .._prefect import portal
    from .command import Asked, wanted_by
    from .command import apply as applied_by
    from .printing import print_applied

    if block is not None and profile is not None:
        raise typer.BadParameter("Use either a block or a profile.", param_hint="--profile")
    asked = Asked(target, block, profile, adopt, dry_run)
    with ends_with_2():
        applied = portal.call(applied_by, asked, wanted_by(asked))
    print_applied(applied, as_json=as_json)
    raise typer.Exit(1 if dry_run and applied.action != "unchanged" else 0)
