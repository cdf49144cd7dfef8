"""What `prefect-databricks-runs orphans` does."""

from __future__ import annotations

import os
from collections.abc import Sequence

from prefect.client.orchestration import get_client
from rich.console import Console
from rich.table import Table

from prefect_databricks_runs._compat import SecretStr
from prefect_databricks_runs.calls import hook_for
from prefect_databricks_runs.credentials import DatabricksCredentials
from prefect_databricks_runs.errors import DatabricksError, InvalidCredentials
from prefect_databricks_runs.leaving import cancel
from prefect_databricks_runs.orphans import Orphan, find_orphans
from prefect_databricks_runs.report import run_logger
from prefect_databricks_runs.saved_credentials import saved_credentials


class Unreadable(DatabricksError):
    """Some of the workspaces could not be looked at; the message says what is wrong with each."""


async def orphans(blocks: Sequence[str], *, completed: bool, cancel_them: bool, console: Console) -> int:
    """List the orphans of some workspaces, and cancel them if so asked.

    Args:
        blocks: Names of saved blocks; all saved ones, and the environment's workspace, if there are none.
        completed: Whether to count runs whose flow run ended well.
        cancel_them: Whether to cancel them.
        console: Where they are listed.

    Returns:
        How many are left going.

    Raises:
        InvalidCredentials: There is no such block, or no workspace at all.
        Unreadable: Some of the workspaces could not be looked at; the others were.
    """
    left = 0
    unreadable: list[str] = []
    for host, known in (await _workspaces(blocks)).items():
        reason = ""
        for credentials in known:
            try:
                left += await _of_workspace(credentials, completed=completed, cancel_them=cancel_them, console=console)
                break
            except DatabricksError as error:  # one token that has ended, or workspace that is gone, hides no others
                reason = str(error)
        else:
            unreadable.append(f"{host} could not be looked at. {reason}")
    if unreadable:
        raise Unreadable("\n".join(unreadable))
    return left


async def _of_workspace(
    credentials: DatabricksCredentials, *, completed: bool, cancel_them: bool, console: Console
) -> int:
    hook = hook_for(credentials, {}, run_logger())
    found = await find_orphans(hook)
    counted = [orphan for orphan in found if completed or not orphan.is_completed]
    console.print(_summary(credentials.host, counted, len(found) - len(counted)), soft_wrap=True)
    if counted:
        console.print(_table(counted))
    left = 0
    for orphan in counted:
        taken = cancel_them and await cancel(hook, orphan.run.run_id, run_logger(), because="it is an orphan")
        left += not taken
    return left


async def _workspaces(blocks: Sequence[str]) -> dict[str, list[DatabricksCredentials]]:
    """All credentials that there are for each workspace, those that are to be tried first in front."""
    async with get_client() as client:
        saved = await saved_credentials(client)
    unknown = sorted(set(blocks) - set(saved))
    if unknown:
        known = ", ".join(sorted(saved)) or "none"
        raise InvalidCredentials(f"There is no saved block {', '.join(unknown)}. There are: {known}.")
    chosen = [saved[name] for name in blocks] if blocks else [*_of_environment(), *saved.values()]
    if not chosen:
        raise InvalidCredentials(
            "There is no workspace to look at: save a DatabricksCredentials block, or set DATABRICKS_HOST and"
            " DATABRICKS_TOKEN."
        )
    by_host: dict[str, list[DatabricksCredentials]] = {}
    for credentials in chosen:
        by_host.setdefault(credentials.host, []).append(credentials)
    return by_host


def _of_environment() -> list[DatabricksCredentials]:
    host, token = os.environ.get("DATABRICKS_HOST"), os.environ.get("DATABRICKS_TOKEN")
    return [DatabricksCredentials(host=host, token=SecretStr(token))] if host and token else []


def _summary(host: str, counted: Sequence[Orphan], completed: int) -> str:
    text = f"{host}: {len(counted)} active Databricks runs of flow runs that are over"
    return f"{text}; {completed} more of flow runs that completed (--completed counts them)" if completed else text


def _table(found: Sequence[Orphan]) -> Table:
    table = Table()
    for column in ("run_id", "run_name", "state", "flow run", "its state", "link"):
        table.add_column(column, overflow="fold")
    for orphan in found:
        run = orphan.run
        cells = (str(run.run_id), run.run_name, run.state.name, orphan.flow_run_name, orphan.state_name, run.url)
        table.add_row(*cells)
    return table
