"""What a call costs before its first request, as shares of what it cost when each option was looked up by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Annotated, Literal

from typing_extensions import TypedDict, get_type_hints

from prefect_databricks_runs import DatabricksCredentials, Run
from prefect_databricks_runs._connect.call import Call, called_with
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs._prefect.own_faults import OwnFaults
from prefect_databricks_runs._prefect.signature import Default
from prefect_databricks_runs._wait.doors import outages_of, watch_of
from prefect_databricks_runs.options import WaitForRunsOptions


class RequestOptionsThen(TypedDict, total=False):
    """The options of then, as they were: today's have more to resolve."""

    databricks_retry_limit: Annotated[int, Default(3)]
    databricks_retry_delay: Annotated[float, Default(1.0)]


class PollOptionsThen(RequestOptionsThen, total=False):
    polling_period_seconds: Annotated[float, Default(30.0)]
    max_wait_seconds: float | None
    max_outage_seconds: Annotated[float, Default(600.0)]
    fail_on_task_failures: Annotated[bool, Default(False)]


class OptionsThen(PollOptionsThen, total=False):
    return_when: Annotated[Literal["all", "any_failure"], Default("all")]
    cancel_others: Annotated[bool, Default(False)]
    fetch_output: Annotated[bool, Default(False)]
    max_mirrored_runs: Annotated[int, Default(250)]


LOOK_UPS = 5  # how often the types of the options were resolved for each run that was waited for
DATABRICKS = DatabricksCredentials(host="https://x.example.net", token="dapi")


def seconds(work: Callable[[], object], times: int = 300) -> float:
    """How long it takes, at its best of five: others are busy on the same machine."""
    took: list[float] = []
    for _ in range(5):
        began = perf_counter()
        for _ in range(times):
            work()
        took.append((perf_counter() - began) / times)
    return min(took)


def before() -> float:
    """What was spent for one more run before the issue, or a little less: nothing but the types is counted."""
    return LOOK_UPS * seconds(lambda: get_type_hints(OptionsThen, include_extras=True))


async def changed(_: Run) -> None: ...


def test_to_wait_for_one_more_run_costs_a_tenth_of_what_it_did() -> None:
    call = called_with(DATABRICKS, {}, WaitForRunsOptions)

    async def of_each() -> float:
        outages, faults = outages_of(call), OwnFaults(call.logger)
        return seconds(lambda: watch_of(call, 7, changed, outages=outages, faults=faults))

    assert portal.call(of_each) < before() / 10


def test_the_hook_of_a_call_is_made_once() -> None:
    call: Call[WaitForRunsOptions] = called_with(DATABRICKS, {}, WaitForRunsOptions)
    assert call.hook is call.hook
    assert call.polling_hook is call.polling_hook
    assert call.polling_hook._session is call.hook._session
    assert isinstance(call.logger, (logging.Logger, logging.LoggerAdapter))
