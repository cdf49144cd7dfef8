"""This package: `wait_for_runs`, one flow run for all runs.

The notice is the line in the flow run's log that says how the run ended.
"""

from __future__ import annotations

from typing import Any

from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, wait_for_runs
from tests.benchmarks.contenders.child import Order

OVER = r"^Databricks run (\d+)(?: '.*')? is Success\b"


def main() -> None:
    order = Order()
    options = dict(order.options)
    fields: dict[str, Any] = {"host": order.url, "token": order.token}
    if "requests_per_second" in options:
        fields["requests_per_second"] = options.pop("requests_per_second")
    credentials = DatabricksCredentials(**fields)

    @flow(name="benchmark")
    def waiting() -> int:
        order.notice_in_log("prefect.flow_runs", OVER)
        return len(wait_for_runs(credentials, order.run_ids, fetch_output=False, **options))

    order.run(waiting)


if __name__ == "__main__":
    main()
