"""What the flows share that start a run and wait for it, and their async twins."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from prefect import Task

from .._connect.call import called_with
from .._start.in_flight import handing_over
from .._wait.doors import wait_async, wait_here
from .._wait.one_run import OneRun
from ..options import StartAndWaitOptions
from ..runs import Run


def start_and_wait(task: Task[..., int], credentials: Any, json: Any, parameters: Mapping[str, Any]) -> Run:
    """Start a run with a task, and wait for it in this thread; what ends either early leaves the run as it should be.

    Args:
        task: `submit_run` or `run_now`.
        credentials: What is to be a block.
        json: The request body.
        parameters: The other parameters of the flow.
    """
    call = called_with(credentials, parameters, StartAndWaitOptions)
    with handing_over(call, fail_on_task_failures=call.options["fail_on_task_failures"]):
        run_id = task(credentials, json, **_for(task, parameters))
    return wait_here(OneRun(call, run_id))


async def astart_and_wait(task: Task[..., Any], credentials: Any, json: Any, parameters: Mapping[str, Any]) -> Run:
    """Start a run with an async task, and wait for it without blocking the caller's loop; see `start_and_wait`."""
    call = called_with(credentials, parameters, StartAndWaitOptions)
    with handing_over(call, fail_on_task_failures=call.options["fail_on_task_failures"]):
        run_id = await task(credentials, json, **_for(task, parameters))
    return await wait_async(OneRun(call, run_id))


def _for(task: Task[..., Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a flow's parameters that its task takes."""
    taken = inspect.signature(task.fn).parameters
    return {key: value for key, value in parameters.items() if key in taken}
