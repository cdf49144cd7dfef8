"""The command line of `prefect-databricks-runs deploy`."""

from __future__ import annotations

from typing import Annotated

import typer

from .._commands import ends_with_2


def deploy(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The saved job: its name, or its id.")],
    block: Annotated[
        str, typer.Option(help="The saved DatabricksCredentials block that the deployment signs in with, by name.")
    ],
    pool: Annotated[str, typer.Option(help="The work pool whose workers run the deployment.")],
    name: Annotated[str | None, typer.Option(help="The name of the deployment. Default: the name of the job.")] = None,
    *,
    cron: Annotated[
        str | None, typer.Option(help="Run it at these times instead of its schedules, as in '0 3 * * *'.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="The time zone of --cron, such as Europe/Berlin. Default: UTC.")
    ] = None,
    no_schedule: Annotated[bool, typer.Option("--no-schedule", help="Remove its schedules.")] = False,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A value for a parameter of the job, instead of the default that the job has; can be repeated.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a JSON object.")] = False,
) -> None:
    """Make a Prefect deployment that runs a saved job, with the parameters of the job as its form.

    Run again, it updates the deployment, keeps its schedules, and prints what changed. Ends with 0 when the deployment
    is as it is wanted, and with 2 when it could not be made; then nothing was changed.
    """
    from .._prefect import portal
    from .command import Wanted
    from .command import deploy as deployed_by
    from .printing import print_deployed

    values = [each.partition("=") for each in param or ()]
    if any(not key or not equals for key, equals, _ in values):
        raise typer.BadParameter("Write each as NAME=VALUE.", param_hint="--param")
    if len({key for key, _, _ in values}) < len(values):
        raise typer.BadParameter("Set each parameter once.", param_hint="--param")
    if no_schedule and cron is not None:
        raise typer.BadParameter("Use either --cron or --no-schedule.", param_hint="--no-schedule")
    if timezone is not None and cron is None:
        raise typer.BadParameter("A time zone needs a --cron.", param_hint="--timezone")
    wanted = Wanted(job, block, pool, name, cron, timezone, no_schedule, {key: value for key, _, value in values})
    with ends_with_2():
        deployed = portal.call(deployed_by, wanted)
    print_deployed(deployed, as_json=as_json)
