"""Run `prefect-databricks-runs orphans`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
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
from ..auth import looked_at
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError, InvalidCredentials
from .listing import Listed, Listing
from .owned_runs import OwnedRun, find_owned

_MAX_NAMED = 10
_NAMED_BY = ("DATABRICKS_HOST", "DATABRICKS_CONFIG_PROFILE")


class Unreadable(DatabricksError):
    """Could not read Prefect, or some of the workspaces. The message has the fault of each."""


@dataclass(frozen=True)
class Wanted:
    """The options of the command.

    Attributes:
        blocks: Names of saved blocks. If empty, all saved blocks and the environment's workspace count.
        profile: A profile of `~/.databrickscfg` instead of them.
        flow_run_ids: Flow runs that count as finished, whatever Prefect says.
        completed: Whether to count runs of flow runs that completed.
        cancel: Whether to cancel the orphans.
    """

    blocks: Sequence[str] = ()
    profile: str | None = None
    flow_run_ids: frozenset[UUID] = frozenset()
    completed: bool = False
    cancel: bool = False


@dataclass(frozen=True)
class _Workspace:
    """A workspace to read: credentials for it, and their source."""

    source: str
    credentials: DatabricksCredentials


async def orphans(wanted: Wanted, listing: Listing) -> int:
    """List the orphans of some workspaces, and cancel them if requested.

    Args:
        wanted: The options.
        listing: The output.

    Returns:
        How many orphans are still active.

    Raises:
        InvalidCredentials: A block does not exist, or there is no workspace at all.
        Unreadable: Could not read Prefect or some of the workspaces. The others were listed.
    """
    left = 0
    unreadable: list[str] = []
    met: set[UUID] = set()
    with _prefect_asked():
        of_environment, fault = _of_environment(wanted)
        if fault:  # saved blocks are listed anyway
            unreadable.append(fault)
        for known in await _workspaces(wanted, of_environment, is_all=not fault):
            try:
                left += await _of_workspace(known, wanted, listing, met)
            except Unreadable as error:  # the other workspaces are listed anyway
                unreadable.append(str(error))
    if unreadable:
        raise Unreadable("\n".join(unreadable))
    for flow_run_id in wanted.flow_run_ids - met:
        listing.note(f"No active Databricks run belongs to the flow run {flow_run_id}.")
    return left


@contextmanager
def _prefect_asked() -> Iterator[None]:
    """Turn errors of httpx, which only Prefect's client raises here, into an error of the command."""
    try:
        yield
    except httpx.HTTPError as error:
        raise Unreadable(no_answer_of_prefect(error)) from None


async def _of_workspace(known: Sequence[_Workspace], wanted: Wanted, listing: Listing, met: set[UUID]) -> int:
    reasons: list[str] = []
    for each in known:
        try:
            return await _seen_with(each.credentials, wanted, listing, met)
        except DatabricksError as error:  # another token may still be valid
            reasons.append(f"Could not read {each.credentials.host} ({each.source}). {error}")
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
    if suspended := [each for each in going if each.is_suspended]:
        listing.note(_of_suspended(suspended))
    if deleted := [each for each in going if each.is_deleted]:
        listing.note(_of_deleted(deleted))
    if others := [each for each in going if not (each.is_suspended or each.is_deleted)]:
        listing.note(_of_others(others))
    return len(counted) - len(taken)


def _becomes(is_taken: bool, wanted: Wanted) -> str:
    return "active" if not wanted.cancel else "cancelled" if is_taken else "not cancelled"


async def _workspaces(wanted: Wanted, of_environment: Sequence[_Workspace], *, is_all: bool) -> list[list[_Workspace]]:
    """Return the credentials for each workspace, in the order to try them."""
    if wanted.profile:
        return [list(of_environment)] if of_environment else []
    async with get_client() as client:
        saved = await saved_credentials(client)
    unknown = sorted(set(wanted.blocks) - set(saved))
    if unknown:
        known = ", ".join(sorted(saved)) or "none"
        raise InvalidCredentials(f"The saved block {', '.join(unknown)} does not exist. Saved blocks: {known}.")
    of_blocks = [_Workspace(f"block {name!r}", saved[name]) for name in wanted.blocks or saved]
    chosen = of_blocks if wanted.blocks else [*of_environment, *of_blocks]
    if not chosen and is_all:
        raise InvalidCredentials(
            "No workspace is known. Save a DatabricksCredentials block, pass a profile with --profile, or set"
            " DATABRICKS_HOST and the variables to sign in there."
        )
    by_host: dict[str, list[_Workspace]] = {}
    for workspace in chosen:
        by_host.setdefault(workspace.credentials.host, []).append(workspace)
    return list(by_host.values())


def _of_environment(wanted: Wanted) -> tuple[list[_Workspace], str]:
    """Return the workspace of a profile or of the environment, if one is named, and the fault, if any."""
    if wanted.blocks or not (wanted.profile or any(map(os.environ.get, _NAMED_BY))):
        return [], ""
    try:
        credentials = DatabricksCredentials.from_environment(wanted.profile)
    except InvalidCredentials as error:
        return [], str(error)
    return [_Workspace(looked_at(wanted.profile), credentials)], ""


def _summary(host: str, counted: int, completed: int) -> str:
    owners = "a finished flow run" if counted == 1 else "finished flow runs"
    text = f"{host}: {counted} active Databricks {'run' if counted == 1 else 'runs'} of {owners}"
    if not completed:
        return text
    owners = "a flow run" if completed == 1 else "flow runs"
    return (
        f"{text}; {completed} more of {owners} that completed (--completed counts {'it' if completed == 1 else 'them'})"
    )


def _of_suspended(suspended: Sequence[OwnedRun]) -> str:
    """Report the runs of suspended flow runs, which have no process while they wait. Nothing is wrong with them."""
    belong = "1 more belongs" if len(suspended) == 1 else f"{len(suspended)} more belong"
    count = len({each.flow_run_id for each in suspended})
    return f"{belong} to {count} suspended flow run{'' if count == 1 else 's'}, to be resumed by the command watch."


def _of_deleted(deleted: Sequence[OwnedRun]) -> str:
    """Report the runs whose flow run was deleted. It may have left them running on purpose."""
    belong = "1 more belongs" if len(deleted) == 1 else f"{len(deleted)} more belong"
    ids = _few(dict.fromkeys(str(each.flow_run_id) for each in deleted))
    return (
        f"{belong} to flow runs that were deleted in Prefect: {ids}. To count the runs of one as orphans, pass its id"
        " with --flow-run ID."
    )


def _few(texts: Collection[str]) -> str:
    """Return the first of some strings, and the number of the others."""
    named = list(texts)[:_MAX_NAMED]
    if len(texts) > _MAX_NAMED:
        named.append(f"{len(texts) - _MAX_NAMED} others")
    return ", ".join(named)


def _of_others(going: Sequence[OwnedRun]) -> str:
    """Report the runs whose flow run is active in Prefect. Its process may be dead, which Prefect does not notice."""
    flow_runs = {
        each.flow_run_id: f"{name(each.flow_run_name)} {each.flow_run_id} {name(each.state_name)}" for each in going
    }
    belong = "1 more belongs" if len(going) == 1 else f"{len(going)} more belong"
    return (
        f"{belong} to flow runs that are active in Prefect: {_few(flow_runs.values())}. If the process of one is gone,"
        " pass its id with --flow-run ID, or cancel it or mark it crashed in Prefect first."
    )
