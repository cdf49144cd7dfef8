"""The common part of the flows that start a run and wait for it, and of their async twins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .._connect.call import called_with
from .._start.in_flight import handing_over
from .._suspend.suspended_wait import suspended_if_asked
from .._wait.doors import wait_async, wait_here
from .._wait.one_run import OneRun
from ..options import StartAndWaitOptions
from ..runs import Run


def start_and_wait(
    start: Callable[..., int], fields: type, credentials: Any, json: Any, parameters: Mapping[str, Any]
) -> Run:
    """Start a run and wait for it in this thread. `_leave` decides what an interruption does to the run.

    Args:
        start: The task `submit_run` or `run_now`.
        fields: The named parameters of the task.
        credentials: The credentials, before any check.
        json: The request body.
        parameters: The named parameters of the flow.
    """
    call = called_with(credentials, parameters, StartAndWaitOptions)
    with handing_over(call, fail_on_task_failures=call.options["fail_on_task_failures"]):
        run_id = start(credentials, json, **_only(fields, parameters))
    return wait_here(suspended_if_asked(OneRun, call, run_id))


async def astart_and_wait(
    start: Callable[..., Awaitable[int]], fields: type, credentials: Any, json: Any, parameters: Mapping[str, Any]
) -> Run:
    """Start a run and wait for it without blocking the caller's loop; otherwise as `start_and_wait`."""
    call = called_with(credentials, parameters, StartAndWaitOptions)
    with handing_over(call, fail_on_task_failures=call.options["fail_on_task_failures"]):
        run_id = await start(credentials, json, **_only(fields, parameters))
    return await wait_async(suspended_if_asked(OneRun, call, run_id))


def _only(fields: type, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key in fields.__annotations__}
