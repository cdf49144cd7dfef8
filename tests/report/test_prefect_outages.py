"""A Prefect API that is slow, down or broken never hurts the wait, and what it missed is put right when it is back."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from prefect_databricks_runs._prefect.compat import PREFECT_3, SHOWS_PROGRESS
from tests.local.client import Client
from tests.local.simulated import simulated, task
from tests.report.shown_flow import State
from tests.report.waiting_process import WaitingProcess
from tests.support.prefect_api import PrefectApi
from tests.support.prefect_proxy import PrefectProxy
from tests.support.processes import wait_until

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.timeout(240)]

TROUBLES: dict[str, Callable[[PrefectProxy], None]] = {
    "slow": lambda proxy: proxy.slow(4),
    "so slow that no answer comes": lambda proxy: proxy.slow(3600),
    "down": PrefectProxy.refuse,
    "answering 500": lambda proxy: proxy.answer(500),
    "answering 503": lambda proxy: proxy.answer(503),
    "losing its answers": PrefectProxy.lose_answers,
}
PERIOD = 0.05
# How long one call to Prefect takes in these troubles, until it is answered; and after how long it is given up, but for
# answers that are only slow. As it is for users, that is 30 s.
SHORTEST_CALL_SECONDS = 4
TELL_SECONDS = 8
COULD_NOT, CAN_AGAIN = "Could not send an update on the Databricks run", "Updates to Prefect are going through again"
POLL = "GET */runs/get"
PENDING, BLOCKED, RUNNING = ("PENDING", "Pending"), ("PENDING", "Blocked"), ("RUNNING", "Running")
FIRST, SUCCESS = ("RUNNING", "Pending"), ("COMPLETED", "Success")
COURSE = {"*": {"pending": 10, "running": 10}}


@pytest.fixture
def proxy(prefect_server) -> Iterator[PrefectProxy]:
    with PrefectProxy(prefect_server.api_url) as proxy:
        yield proxy


@pytest.fixture
def client() -> Iterator[Client]:
    with simulated(COURSE) as client:
        yield client


class Watched(WaitingProcess):
    """A waiting process whose polls are seen, and which waits for a run of two tasks, one after the other."""

    def __init__(
        self, prefect_api: PrefectApi, proxy: PrefectProxy, client: Client, name: str, tell_seconds: int = TELL_SECONDS
    ) -> None:
        self._client = client
        self.run_id = client.submit(task("a"), task("b", "a"))
        options = {"polling_period_seconds": PERIOD, "tell_seconds": tell_seconds}
        super().__init__(prefect_api, proxy.api_url, client.workspace, self.run_id, name, **options)

    @property
    def polls(self) -> list[float]:
        """When they were made, in seconds since 1970."""
        return [each.started_ms / 1000 for each in self._client.workspace.requests_to(POLL)]

    def wait_for_polls(self, count: int = 20) -> None:
        wanted = len(self.polls) + count
        wait_until(lambda: len(self.polls) >= wanted)

    @property
    def rows(self) -> dict[str, str]:
        """The tasks and their states as the artifact has them."""
        return dict(re.findall(r"^\| \[(\w+)\]\(\S+\) \| (\w+) \|", self.artifact, re.MULTILINE))

    def wait_until_all_shows(self, flow_run: State, **task_runs: State) -> None:
        self.wait_until_it_shows(flow_run, task_runs)
        wait_until(lambda: self.rows == {key: name for key, (_, name) in task_runs.items()})


@pytest.mark.long
@pytest.mark.parametrize("name", TROUBLES)
def test_the_run_is_polled_on_and_what_prefect_missed_is_put_right(name, prefect_api, proxy, client) -> None:
    tell_seconds = 30 if name == "slow" else TELL_SECONDS
    with Watched(prefect_api, proxy, client, f"prefect-is-{name}", tell_seconds) as waiting:
        waiting.wait_until_all_shows(FIRST, a=PENDING, b=BLOCKED)
        waiting.wait_for_polls()
        before = len(waiting.polls)
        TROUBLES[name](proxy)
        for _ in range(2):
            client.workspace.advance(10)
            waiting.wait_for_polls()
        if name != "slow":
            wait_until(lambda: COULD_NOT in waiting.log)
            waiting.wait_for_polls()
        gaps = [later - earlier for earlier, later in pairwise(waiting.polls[before:])]
        assert waiting.is_going
        proxy.heal()
        waiting.wait_until_all_shows(RUNNING, a=SUCCESS, b=PENDING)
        client.workspace.advance(10)
        waiting.wait_until_all_shows(RUNNING, a=SUCCESS, b=RUNNING)
        client.workspace.advance(10)
        assert waiting.end() == "Success"
        assert (waiting.log.count(COULD_NOT), waiting.log.count(CAN_AGAIN)) == ((0, 0) if name == "slow" else (1, 1))
    waiting.wait_until_all_shows(SUCCESS, a=SUCCESS, b=SUCCESS)
    assert max(gaps) < SHORTEST_CALL_SECONDS
    assert statistics.median(gaps) < 1
    assert len(client.workspace.runs) == 1
    assert len(prefect_api.artifacts(waiting.flow_run["id"])) == 1 + SHOWS_PROGRESS
    if PREFECT_3:
        wait_until(lambda: events_of(prefect_api, waiting.run_id) == ALL_EVENTS)


ALL_EVENTS = {
    *(f"run.{state}" for state in ("pending", "running", "success")),
    *(f"task.{state}" for state in ("blocked", "pending", "running", "success")),
}


def events_of(prefect_api: PrefectApi, run_id: int) -> set[str]:
    events = prefect_api.events("databricks.")
    return {
        event["event"].partition(".")[2] for event in events if str(run_id) in event["resource"]["prefect.resource.id"]
    }


@pytest.mark.parametrize("name", ["down", pytest.param("answering 500", marks=pytest.mark.long)])
def test_a_run_that_ends_while_prefect_cannot_be_told_ends_the_flow_when_it_can(
    name, prefect_api, proxy, client
) -> None:
    with Watched(prefect_api, proxy, client, f"ends-while-prefect-is-{name}") as waiting:
        waiting.wait_until_all_shows(FIRST, a=PENDING, b=BLOCKED)
        TROUBLES[name](proxy)
        client.workspace.advance(40)
        wait_until(lambda: "'Untitled' is Success" in waiting.log and COULD_NOT in waiting.log)
        assert waiting.is_going
        proxy.heal()
        assert waiting.end() == "Success"
    waiting.wait_until_all_shows(SUCCESS, a=SUCCESS, b=SUCCESS)


@pytest.mark.long
def test_an_artifact_of_which_the_answer_was_lost_is_not_made_twice(prefect_api, proxy, client) -> None:
    proxy.lose_answers(of="/artifacts/")
    with Watched(prefect_api, proxy, client, "artifacts-unanswered") as waiting:
        wait_until(lambda: COULD_NOT in waiting.log)
        proxy.heal()
        waiting.wait_until_all_shows(FIRST, a=PENDING, b=BLOCKED)
        client.workspace.advance(40)
        assert waiting.end() == "Success"
    keys = [each["key"] for each in prefect_api.artifacts(waiting.flow_run["id"])]
    progress = [f"databricks-progress-{waiting.run_id}"] if SHOWS_PROGRESS else []
    assert sorted(keys) == [*progress, f"databricks-run-{waiting.run_id}"]
    assert waiting.rows == {"a": "Success", "b": "Success"}
