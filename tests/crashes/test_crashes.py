"""Whatever dies or stands still while Databricks runs: one Databricks run, and one result."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from uuid import uuid4

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.crashes.one_run import OneRun
from tests.crashes.postgres import Postgres
from tests.leave.children import Child, is_alive, worker
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

pytestmark = [pytest.mark.timeout(1200), pytest.mark.long]

SECONDS = 300
# Prefect's default. A worker that asks the Prefect server a dozen times in vain ends, and on Prefect 2 it kills the
# processes of its flow runs before: one that asks each second does not outlast a restart of the server.
WORKER_POLL_SECONDS = "10"
NAMES = ["the flow process is killed", "the worker is killed", "the workspace is away", "the machine sleeps"]


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def runs(request) -> Iterator[dict[str, OneRun]]:
    """Four flow runs on one worker, to each of which something happens; the Prefect server is restarted under all."""
    with ExitStack() as stack:
        database_url = stack.enter_context(Postgres()).url if request.param == "PostgreSQL" else None
        server = stack.enter_context(PrefectServer(database_url))
        stack.enter_context(temporary_settings({PREFECT_API_URL: server.api_url}))
        yield go_through(stack, server)


def go_through(stack: ExitStack, server: PrefectServer) -> dict[str, OneRun]:
    prefect_api = PrefectApi(server)
    pool = f"crashes-{uuid4()}"
    prefect_api.create_work_pool(pool, "process")
    first = stack.enter_context(worker(pool, server.api_url, WORKER_POLL_SECONDS))
    runs = {name: OneRun(stack, prefect_api, pool) for name in NAMES}
    killed, outlives, away, sleeps = runs.values()
    wait_for(first, runs, lambda: all(run.is_watched for run in runs.values()))

    asleep = sleeps.process(first)
    asleep.suspend()
    sleeps.end()
    wait_for(first, runs, lambda: sleeps.is_over)
    asleep.resume()
    unreachable = away.workspace.fault("* *", reset=True)
    killed.process(first).kill()
    wait_for(first, runs, lambda: killed.state_type == "CRASHED")
    wait_for(first, runs, lambda: unreachable.met > 20)
    kill_after_a_restart(server, first, [outlives, away])

    second = stack.enter_context(worker(pool, server.api_url, WORKER_POLL_SECONDS))
    prefect_api.retry(killed.flow_run_id)
    wait_for(second, runs, lambda: is_found_again(killed) or killed.state_type == "CRASHED")
    if not is_found_again(killed):
        # On Prefect 3 a worker reports a crash twice, seconds apart. A server that has just started may handle the
        # second report after the retry.
        prefect_api.retry(killed.flow_run_id)
        wait_for(second, runs, lambda: is_found_again(killed))
    unreachable.remove()
    for run in runs.values():
        run.end()
    for run in runs.values():
        with suppress(AssertionError):  # each test says of its own
            wait_until(lambda run=run: run.state_type == "COMPLETED" and run.results, SECONDS)
    return runs


def is_found_again(run: OneRun) -> bool:
    return any("is found again" in line for line in run.log)


def kill_after_a_restart(server: PrefectServer, child: Child, outliving: list[OneRun]) -> None:
    """Restart the Prefect server, and kill the worker; both leave the processes of the flow runs alone."""
    processes = [run.process(child) for run in outliving]
    server.restart()
    assert child.process.poll() is None, f"the worker has not outlived the restart; it said:\n{child.output[-5000:]}"
    child.process.send_signal(signal.SIGKILL)
    child.process.wait()
    assert all(is_alive(process) for process in processes)


def wait_for(child: Child, runs: dict[str, OneRun], what: Callable[[], object]) -> None:
    """Wait for something; where it does not come, tell what there is."""
    try:
        wait_until(what, SECONDS)
    except AssertionError:
        said = [f"it did not come to that; the worker said:\n{child.output[-5000:]}"]
        with suppress(httpx.HTTPError):  # the server may be what is wrong
            said += [f"{name}: {run.states}, {run.log[-5:]}" for name, run in runs.items()]
        raise AssertionError("\n".join(said)) from None


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_databricks_run_and_one_result_although(name: str, runs: dict[str, OneRun]) -> None:
    """The Prefect server was restarted meanwhile, too."""
    run = runs[name]
    (run_id,) = run.workspace.runs
    assert run.state_type == "COMPLETED"
    assert run.results == [f"The result of run {run_id} is done."]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_as_going_on_although(name: str, runs: dict[str, OneRun]) -> None:
    run = runs[name]
    wait_until(lambda: not [each for each in run.drawn if each["state_type"] in ("PENDING", "RUNNING")])
    assert {each["name"] for each in run.drawn} == {"main", "after"}
