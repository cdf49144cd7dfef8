"""A wait outlives its token: it reads the block again that was saved in the meantime, in real flows on a server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksUnreachable,
    WaitTimeout,
    asubmit_run_and_wait,
    submit_run_and_wait,
)
from prefect_databricks_runs._connect import fresh_credentials
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

USER = "someone@localhost"
BLOCK = "rotated"
BODY = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}
QUICK: dict[str, Any] = {"polling_period_seconds": 0.05, "databricks_retry_delay": 0.05}


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(script={"*": {"running": 3600, "result": "done"}}, virtual_time=True) as workspace:
        yield workspace


@pytest.fixture
def saved(workspace: LocalWorkspace) -> DatabricksCredentials:
    """The block as a flow has it that loads it."""
    save(workspace, workspace.token)
    return load()


def save(workspace: LocalWorkspace, token: str) -> None:
    DatabricksCredentials(host=workspace.url, token=token).save(BLOCK, overwrite=True)


def load() -> DatabricksCredentials:
    loaded: Any = DatabricksCredentials.load(BLOCK)
    assert isinstance(loaded, DatabricksCredentials)
    return loaded


def polls(workspace: LocalWorkspace) -> list[int | None]:
    """The status of each answer about the run, in order."""
    return [request.status for request in workspace.requests_to("GET */runs/get")]


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do something in another thread, while this one waits; the Prefect server is the same."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(copy_context().run, work)
        yield
        done.result()


def rotate(workspace: LocalWorkspace) -> None:
    """The flow's token ends as soon as the block has another one; the run ends when the flow has seen it again."""
    wait_until(lambda: len(polls(workspace)) > 2)
    save(workspace, workspace.add_user(USER))
    workspace.revoke_token(workspace.token)
    wait_until(lambda: 403 in polls(workspace) and polls(workspace)[-1] == 200)
    workspace.advance(3600)


def loaded(databricks: DatabricksCredentials) -> Any:
    return databricks


def by_id(databricks: DatabricksCredentials) -> Any:
    """As a deployment has it whose block was chosen in its form."""
    return {"$ref": {"block_document_id": str(databricks._block_document_id)}}


@pytest.mark.parametrize("given", [loaded, by_id])
def test_a_wait_survives_a_token_that_is_changed(given, saved, workspace, run_log) -> None:
    with meanwhile(lambda: rotate(workspace)):
        run = submit_run_and_wait(given(saved), BODY, **QUICK)
    assert run.tasks["main"].output.result == "done"
    assert list(workspace.runs) == [run.run_id]
    assert run_log.text.count("The credentials block has changed") == 1
    assert workspace.token not in run_log.text


def test_an_async_wait_survives_it_too(saved, workspace) -> None:
    with meanwhile(lambda: rotate(workspace)):
        run = asyncio.run(asubmit_run_and_wait(saved, BODY, **QUICK))
    assert list(workspace.runs) == [run.run_id]


def test_a_wait_survives_a_token_that_ends_before_there_is_another_one(saved, workspace, run_log) -> None:
    def work() -> None:
        wait_until(lambda: len(polls(workspace)) > 2)
        workspace.revoke_token(workspace.token)
        wait_until(lambda: polls(workspace).count(403) > 4)
        save(workspace, workspace.add_user(USER))
        wait_until(lambda: polls(workspace)[-1] == 200)
        workspace.advance(3600)

    with meanwhile(work):
        run = submit_run_and_wait(saved, BODY, **QUICK)
    assert list(workspace.runs) == [run.run_id]
    assert (
        run_log.text.count("Save the credentials block again under the same name, and the waits that use it continue")
        == 1
    )
    assert run_log.text.count("The credentials block has changed") == 1


def test_a_run_is_cancelled_although_the_flows_own_token_has_ended(saved, workspace) -> None:
    def work() -> None:
        wait_until(lambda: len(polls(workspace)) > 2)
        save(workspace, workspace.add_user(USER))
        workspace.revoke_token(workspace.token)
        wait_until(lambda: workspace.requests_to("POST */runs/cancel"))
        wait_until(lambda: workspace.requests_to("POST */runs/cancel")[-1].status == 200)
        workspace.advance(1)

    with meanwhile(work), pytest.raises(WaitTimeout):
        submit_run_and_wait(saved, BODY, max_wait_seconds=2, **QUICK)
    assert [run["state"]["result_state"] for run in workspace.runs.values()] == ["CANCELED"]


def test_credentials_that_are_saved_nowhere_end_the_wait_after_the_outage(workspace, run_log) -> None:
    def work() -> None:
        wait_until(lambda: len(polls(workspace)) > 2)
        workspace.revoke_token(workspace.token)

    databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
    with meanwhile(work), pytest.raises(DatabricksUnreachable, match="may still be active.*Check the token"):
        submit_run_and_wait(databricks, BODY, max_outage_seconds=0.5, **QUICK)
    assert "Save the credentials block again" not in run_log.text


def refreshed(databricks: DatabricksCredentials, times: int = 1) -> list[httpx.Auth | None]:
    """What so many hooks are told at once."""

    async def ask() -> list[httpx.Auth | None]:
        refresh = fresh_credentials.refresh_of(databricks, logging.getLogger("prefect_databricks_runs"))
        assert refresh is not None
        return list(await asyncio.gather(*(refresh() for _ in range(times))))

    return portal.call(ask)


def test_many_who_ask_at_once_share_a_reading(saved, workspace, monkeypatch) -> None:
    read, reads = fresh_credentials.saved_block, []

    async def counted(reference: dict[str, Any]) -> Any:
        reads.append(reference)
        return await read(reference)

    monkeypatch.setattr(fresh_credentials, "saved_block", counted)
    save(workspace, "dapi-new")
    assert refreshed(saved, times=20) == [TokenAuth("dapi-new")] * 20
    assert len(reads) <= 2  # that of the first one, and that of all who have asked while it was made
    save(workspace, "dapi-newer")
    assert refreshed(saved) == [TokenAuth("dapi-newer")]


def test_the_token_of_another_workspace_is_not_sent_to_this_one(saved) -> None:
    DatabricksCredentials(host="https://another.example.com", token="dapi-new").save(BLOCK, overwrite=True)
    assert refreshed(saved) == [None]


def test_a_block_that_is_gone_changes_nothing_but_the_log(saved, run_log) -> None:
    DatabricksCredentials.delete(BLOCK)
    assert refreshed(saved) == [None]
    assert "Could not read the saved credentials block again" in run_log.text
