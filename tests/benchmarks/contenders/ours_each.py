"""This package, as it is used for few runs: `wait_for_run` once for each run, in threads of one parent flow.

The notice is the line in the flow run's log that says how the run ended.
"""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, wait_for_run
from tests.benchmarks.contenders.child import Order

OVER = r"^Databricks run (\d+)(?: '.*')? is Success\b"


def main() -> None:
    order = Order()
    fields: dict[str, Any] = {"host": order.url, "token": order.token, **order.options}
    credentials = DatabricksCredentials(**fields)

    def wait(run_id: int) -> object:
        return wait_for_run(credentials, run_id, fetch_output=False)

    @flow(name="benchmark")
    def waiting() -> int:
        order.notice_in_log("prefect.flow_runs", OVER)
        with ThreadPoolExecutor(len(order.run_ids)) as threads:
            waits = [threads.submit(contextvars.copy_context().run, wait, run_id) for run_id in order.run_ids]
            return len([each.result() for each in waits])

    order.run(waiting)


if __name__ == "__main__":
    main()
