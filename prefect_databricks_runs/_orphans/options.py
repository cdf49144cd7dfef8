"""The command line of `prefect-databricks-runs orphans`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated
from uuid import UUID

import typer

from .._commands import ends_with_2


def orphans(
    block: Annotated[
        list[str] | None,
        typer.Option(help="A saved DatabricksCredentials block, by name; can be repeated. Without it, all of them."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="A profile of ~/.databrickscfg, instead of blocks and the environment.")
    ] = None,
    flow_run: Annotated[
        list[UUID] | None,
        typer.Option(
            help="The id of a flow run whose process is gone although Prefect calls it running; can be repeated."
        ),
    ] = None,
    *,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel them.")] = False,
    completed: Annotated[
        bool, typer.Option("--completed", help="Count the runs of flow runs that completed, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as a JSON list.")] = False,
) -> None:
    """List the active Databricks runs whose flow run has finished.

    Ends with 1 if any is still active, and with 2 if that could not be found out.
    """
    from .._prefect import portal
    from .command import Wanted, orphans
    from .listing import listing_for

    if block and profile is not None:
        raise typer.BadParameter("Use either blocks or a profile.", param_hint="--profile")
    wanted = Wanted(block or (), profile, frozenset(flow_run or ()), completed, cancel)
    with closing(listing_for(as_json=as_json)) as listing, ends_with_2():
        left = portal.call(orphans, wanted, listing)
    raise typer.Exit(2 if left is None else 1 if left else 0)
