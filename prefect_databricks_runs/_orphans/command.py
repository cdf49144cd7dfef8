"""What `prefect-databricks-runs orphans` does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client

from .._connect.call import plain_call
from .._connect.saved_blocks import saved_credentials
from .._leave.leaving import cancel_all
from .._prefect.logging import run_logger
from .._prefect.urls import no_answer_of_prefect
from .._text import name
from ..auth._places import looked_at
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError, InvalidCredentials
from .listing import Listed, Listing
from .owned_runs import OwnedRun, find_owned

_MAX_NAMED = 10
_NAMED_BY = ("DATABRICKS_HOST", "DATABRICKS_CONFIG_PROFILE")


class Unreadable(DatabricksError):
    """Prefect, or some of the workspaces, could not be looked at; the message says what is wrong with each."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes:
        blocks: Names of saved blocks; all saved ones, and the environment's workspace, if there are none.
        profile: A profile of `~/.databrickscfg` instead of them.
        flow_run_ids: Flow runs that are over, whatever Prefect says.
        completed: Whether to count runs whose flow run ended well.
        cancel: Whether to cancel them.
    """

    blocks: Sequence[str] = ()
    profile: str | None = None
    flow_run_ids: frozenset[UUID] = frozenset()
    completed: bool = False
    cancel: bool = False


@dataclass(frozen=True)
class _Workspace:
    """A workspace to look at: one way into it, and where its credentials are from."""

    source: str
    credentials: DatabricksCredentials


async def orphans(wanted: Wanted, listing: Listing) -> int:
    """List the orphans of some workspaces, and cancel them if so asked.

    Args:
        wanted: What is asked for.
        listing: Where they are listed.

    Returns:
        How many are left going.

    Raises:
        InvalidCredentials: There is no such block, or no workspace at all.
        Unreadable: Prefect could not be asked, or some of the workspaces could not be looked at; the others were.
    """
    left = 0
    unreadable: list[str] = []
    met: set[UUID] = set()
    with _prefect_asked():
        of_environment, fault = _of_environment(wanted)
        if fault:  # it hides no saved block
            unreadable.append(fault)
        for known in await _workspaces(wanted, of_environment, is_all=not fault):
            try:
                left += await _of_workspace(known, wanted, listing, met)
            except Unreadable as error:  # one workspace that is gone does not hide the others
                unreadable.append(str(error))
    if unreadable:
        raise Unreadable("\n".join(unreadable))
    for flow_run_id in wanted.flow_run_ids - met:
        listing.note(f"No active Databricks run belongs to the flow run {flow_run_id}.")
    return left


@contextmanager
def _prefect_asked() -> Iterator[None]:
    """Turn errors of httpx, which only Prefect's client raises here, into one of the command."""
    try:
        yield
    except httpx.HTTPError as error:
        raise Unreadable(no_answer_of_prefect(error)) from None


async def _of_workspace(known: Sequence[_Workspace], wanted: Wanted, listing: Listing, met: set[UUID]) -> int:
    reasons: list[str] = []
    for each in known:
        try:
            return await _seen_with(each.credentials, wanted, listing, met)
        except DatabricksError as error:  # one token that has ended does not hide another one that is good
            reasons.append(f"{each.credentials.host} ({each.source}) could not be looked at. {error}")
    raise Unreadable("\n".join(reasons))


async def _seen_with(credentials: DatabricksCredentials, wanted: Wanted, listing: Listing, met: set[UUID]) -> int:
    call = plain_call(credentials, run_logger())
    owned = await find_owned(call.hook, wanted.flow_run_ids)
    met.update(*(each.flow_run_ids for each in owned))
    found = [each for each in owned if each.is_orphan]
    counted = [each for each in found if wanted.completed or not each.is_completed]
    listing.note(_summary(credentials.host, len(counted), len(found) - len(counted)))
    run_ids = [each.run.run_id for each in counted]
    taken = await cancel_all(call.hook, run_ids, call.logger, because="it is an orphan") if wanted.cancel else []
    listing.add([Listed(each, _becomes(each.run.run_id in taken, wanted)) for each in counted])
    going = [each for each in owned if not each.is_orphan]
    if going:
        listing.note(_of_others(going))
    return len(counted) - len(taken)


def _becomes(is_taken: bool, wanted: Wanted) -> str:
    return "going" if not wanted.cancel else "cancelled" if is_taken else "not cancelled"


async def _workspaces(wanted: Wanted, of_environment: Sequence[_Workspace], *, is_all: bool) -> list[list[_Workspace]]:
    """Return the ways into each workspace, in the order in which they are to be tried."""
    if wanted.profile:
        return [list(of_environment)] if of_environment else []
    async with get_client() as client:
        saved = await saved_credentials(client)
    unknown = sorted(set(wanted.blocks) - set(saved))
    if unknown:
        known = ", ".join(sorted(saved)) or "none"
        raise InvalidCredentials(f"There is no saved block {', '.join(unknown)}. There are: {known}.")
    of_blocks = [_Workspace(f"block {name!r}", saved[name]) for name in wanted.blocks or saved]
    chosen = of_blocks if wanted.blocks else [*of_environment, *of_blocks]
    if not chosen and is_all:
        raise InvalidCredentials(
            "There is no workspace to look at: save a DatabricksCredentials block, name a profile by --profile, or set"
            " DATABRICKS_HOST and what signs in there."
        )
    by_host: dict[str, list[_Workspace]] = {}
    for workspace in chosen:
        by_host.setdefault(workspace.credentials.host, []).append(workspace)
    return list(by_host.values())


def _of_environment(wanted: Wanted) -> tuple[list[_Workspace], str]:
    """Return the workspace of a profile or of the environment, if one is named, and what is wrong with it."""
    if wanted.blocks or not (wanted.profile or any(map(os.environ.get, _NAMED_BY))):
        return [], ""
    try:
        credentials = DatabricksCredentials.from_environment(wanted.profile)
    except InvalidCredentials as error:
        return [], str(error)
    return [_Workspace(looked_at(wanted.profile), credentials)], ""


def _summary(host: str, counted: int, completed: int) -> str:
    owners = "a flow run that is" if counted == 1 else "flow runs that are"
    text = f"{host}: {counted} active Databricks {'run' if counted == 1 else 'runs'} of {owners} over"
    if not completed:
        return text
    owners = "a flow run" if completed == 1 else "flow runs"
    return (
        f"{text}; {completed} more of {owners} that completed (--completed counts {'it' if completed == 1 else 'them'})"
    )


def _of_others(going: Sequence[OwnedRun]) -> str:
    """Return what Prefect calls going: it is, or its process was killed, of which Prefect never hears."""
    flow_runs = {
        each.flow_run_id: f"{name(each.flow_run_name)} {each.flow_run_id} {name(each.state_name)}" for each in going
    }
    named = list(flow_runs.values())[:_MAX_NAMED]
    if len(flow_runs) > _MAX_NAMED:
        named.append(f"{len(flow_runs) - _MAX_NAMED} others")
    belong = "1 more belongs" if len(going) == 1 else f"{len(going)} more belong"
    return (
        f"{belong} to what is not over in Prefect: {', '.join(named)}. If the process of such a flow run is gone, name"
        " it with --flow-run ID, or cancel it or mark it crashed in Prefect first."
    )
