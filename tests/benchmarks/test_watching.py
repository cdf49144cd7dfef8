"""Many runs are watched with few requests, and no run is forgotten; the numbers are in the benchmark."""

from __future__ import annotations

import pytest

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.benchmarks.contenders.parent import OURS, OURS_EACH, SDK
from tests.benchmarks.idle import idle
from tests.benchmarks.measuring import Load, measure
from tests.benchmarks.polling import poll

pytestmark = pytest.mark.long

UNLIMITED = 1000.0


def gets_a_poll(load: Load) -> int:
    """How many requests it takes to ask for each run by itself each second."""
    return sum(int(seconds) + 1 for seconds in load.ends)


def test_sixty_runs_need_a_fifth_of_the_requests_of_one_get_a_poll(prefect_server: PrefectServer) -> None:
    """Although no limit holds them back."""
    load = Load(runs=60, seconds=(6, 9), limit=60)
    result = measure(OURS, load, prefect_server.api_url, requests_per_second=UNLIMITED)
    assert not result.note
    assert result.noticed == load.runs
    assert result.requests_in_all <= gets_a_poll(load) / 5, result.requests
    assert result.delay_worst is not None


def test_waits_of_many_threads_share_their_requests(prefect_server: PrefectServer) -> None:
    load = Load(runs=12, seconds=(10, 12), limit=90)
    result = measure(OURS_EACH, load, prefect_server.api_url, requests_per_second=UNLIMITED)
    assert not result.note
    assert result.noticed == load.runs
    assert result.requests_in_all <= gets_a_poll(load) / 2, result.requests


def test_no_more_requests_a_second_are_sent_than_the_block_says(prefect_server: PrefectServer) -> None:
    found = idle(60, 25, rate=5, warm_up=10, prefect_api_url=prefect_server.api_url)
    assert found.requests_a_second <= 6


def test_a_run_on_a_page_costs_a_fraction_of_one_that_is_asked_for() -> None:
    assert poll("page", tasks=1, count=40).milliseconds_a_run < poll("get", tasks=1, count=200).milliseconds_a_run / 3


def test_databricks_sdk_is_measured_too() -> None:
    load = Load(runs=5, seconds=(1, 2), limit=60)
    result = measure(SDK, load)
    assert not result.note
    assert (result.noticed, result.prefect_calls) == (5, 0)
    assert result.requests["GET runs/get"] >= 2 * load.runs
