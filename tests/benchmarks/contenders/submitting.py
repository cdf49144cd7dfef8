"""Notes when `submit_run` is called in a flow, and how long Prefect takes to begin a task that does nothing."""

from __future__ import annotations

import time
from typing import Any

from prefect import flow, task

from prefect_databricks_runs import DatabricksCredentials, submit_run
from tests.benchmarks.contenders.child import Order

_TASK = {
    "task_key": "main",
    "notebook_task": {"notebook_path": "/Shared/nightly"},
    "local_course": {"running": 1},
}


@task(name="nothing", persist_result=False)
def nothing() -> float:
    return time.perf_counter()


def main() -> None:
    order = Order()
    # The limit of requests a second would be what is measured.
    fields: dict[str, Any] = {"host": order.url, "token": order.token, "requests_per_second": 1000.0}
    credentials = DatabricksCredentials(**fields)
    called: list[float] = []
    begun: list[float] = []

    @flow(name="benchmark")
    def submitting() -> int:
        for number in range(order.options["calls"]):
            called.append(time.time())
            submit_run(credentials, json={"tasks": [_TASK]}, run_name=f"run-{number}")
            now = time.perf_counter()
            begun.append(nothing() - now)
        return len(called)

    order.run(submitting, called=called, begun=begun)


if __name__ == "__main__":
    main()
