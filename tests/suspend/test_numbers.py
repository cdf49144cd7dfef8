"""Waits for the same runs in one attempt have numbers, which are the same in the process that resumes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from prefect_databricks_runs import _runtime
from prefect_databricks_runs._suspend.numbers import number_of_wait


def an_attempt(flow_run_id: Any, run_count: int) -> Any:
    return SimpleNamespace(flow_run=SimpleNamespace(id=flow_run_id, run_count=run_count), start_time=object())


def test_waits_for_the_same_runs_are_counted_in_each_attempt_and_in_each_process() -> None:
    flow_run_id = uuid4()
    first, retried = an_attempt(flow_run_id, 1), an_attempt(flow_run_id, 2)
    assert [number_of_wait(first, runs) for runs in ([7, 8], [8, 7], [7], [7, 8])] == [0, 1, 0, 2]
    assert number_of_wait(retried, [7, 8]) == 0
    _runtime.forget()
    assert number_of_wait(an_attempt(flow_run_id, 1), [7, 8]) == 0
