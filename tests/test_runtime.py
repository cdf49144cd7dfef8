"""What a process keeps from one call to the next, and that it is no more after a thousand of them."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections import Counter
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import DatabricksCredentials, _runtime, submit_run, wait_for_run
from prefect_databricks_runs._client import wire_logs
from prefect_databricks_runs._client.wire_logs import WireLogs
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs._runtime import Newest, of_loop, of_process
from prefect_databricks_runs.local import LocalWorkspace

BODY = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}


class Kept:
    """Something that a room keeps."""


@pytest.mark.anyio
async def test_each_event_loop_keeps_its_own_and_the_process_one() -> None:
    mine, of_all = of_loop(Kept), of_process(Kept)
    assert of_loop(Kept) is mine

    async def elsewhere() -> tuple[Kept, Kept]:
        return of_loop(Kept), of_process(Kept)

    theirs, of_process_there = await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
    assert theirs is not mine
    assert of_process_there is of_all


@pytest.mark.anyio
async def test_what_loops_that_are_closed_kept_goes_with_the_next_one() -> None:
    async def ask() -> None:
        of_loop(Kept)

    for _ in range(5):
        await asyncio.to_thread(lambda: asyncio.run(ask()))
    assert sum(loop.is_closed() for loop in _runtime._of_loops) <= 1


@pytest.mark.anyio
async def test_all_of_it_is_forgotten_at_once() -> None:
    before = of_loop(Kept), of_process(Kept)
    _runtime.forget()
    assert of_loop(Kept) is not before[0]
    assert of_process(Kept) is not before[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="There is no fork here.")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_the_child_of_a_fork_knows_what_the_process_did_and_has_no_loops_of_it() -> None:
    async def ask() -> None:
        of_loop(Kept)

    portal.call(ask)
    of_all = of_process(Kept)
    child = os.fork()
    if not child:
        os._exit(0 if not _runtime._of_loops and of_process(Kept) is of_all else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="There is no fork here.")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_the_child_of_a_fork_can_log_although_another_thread_was_logging_just_then() -> None:
    record = logging.LogRecord("httpx", logging.INFO, __file__, 1, "a line", (), None)
    of_process(WireLogs).clean(record)
    with wire_logs._lock:
        child = os.fork()
        if not child:
            signal.alarm(10)
            of_process(WireLogs).clean(record)
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_of_what_is_too_much_the_oldest_is_forgotten() -> None:
    class Two(Newest[int]):
        most = 2

    kept = Two()
    for thing in (1, 2, 1, 3):
        kept.add(thing)
    assert [thing in kept for thing in (1, 2, 3)] == [True, False, True]
    kept.forget(1)
    kept.forget(1)
    assert 1 not in kept


@pytest.mark.parametrize("times", [60, pytest.param(1_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_runs_under_tokens_that_are_rotated_leave_nothing_behind(times: int, prefect_server: Any) -> None:
    """Each run has another token, as in a `serve` process that goes on for months."""
    with LocalWorkspace(script={"*": {"running": 0, "result": "done"}}) as workspace:

        def start_and_wait() -> None:
            token = workspace.add_user("someone@localhost")
            databricks = DatabricksCredentials(host=workspace.url, token=token, requests_per_second=1000)
            run_id = submit_run.fn(databricks, BODY)
            wait_for_run.fn(databricks, run_id, polling_period_seconds=0.01)
            workspace.revoke_token(token)

        start_and_wait()
        start_and_wait()
        before = held(workspace.url)
        for _ in range(times):
            start_and_wait()
        grown = held(workspace.url) - before
    assert not grown, f"{times} runs more, and there are more of: {grown}"


def held(host: str) -> Counter[str]:
    """How many objects of ours there are, and of httpx for this workspace, and how many entries in what is kept.

    Prefect has clients of its own, which it makes in the background when it likes.
    """
    portal.settle()
    for handler in logging.getLogger().handlers:
        getattr(handler, "records", []).clear()  # pytest keeps each line of the log, with what is in it
    gc.collect()
    names: Counter[str] = Counter()
    for each in gc.get_objects():
        module = str(type(each).__module__)
        is_ours = module.startswith("prefect_databricks_runs") and ".local" not in module
        if is_ours or (module == "httpx" and address_of(each).startswith(host)):
            names[f"{module}.{type(each).__name__}"] += 1
    for runtime in (_runtime._of_process, *_runtime._of_loops.values()):
        for part in runtime._parts.values():
            for name, value in getattr(part, "__dict__", {}).items():
                if hasattr(value, "__len__"):
                    names[f"{type(part).__name__}.{name}"] += len(value)
    return names


def address_of(each: object) -> str:
    """Where a client, a request or an answer of httpx is for; empty for what is none of these."""
    if isinstance(each, httpx.Response):
        each = each._request
    if isinstance(each, httpx.Request):
        return str(each.url)
    return str(each.base_url) if isinstance(each, (httpx.Client, httpx.AsyncClient)) else ""
