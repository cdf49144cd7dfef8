"""prefect-databricks: its flow that waits for a run, once for each run, gathered in one parent flow.

The notice is the line in the flow run's log that says that the run is over. It always asks every 10 seconds.
"""

from __future__ import annotations

import asyncio

from prefect import flow
from prefect_databricks import DatabricksCredentials
from prefect_databricks.flows import jobs_runs_wait_for_completion

from tests.benchmarks.contenders.child import Order

_OVER = r"^Job Run '(\d+)' states updated!\nLife cycle: '(?:TERMINATED|SKIPPED|INTERNAL_ERROR)'"


def main() -> None:
    order = Order()
    credentials = DatabricksCredentials(databricks_instance=order.url.removeprefix("https://"), token=order.token)

    @flow(name="benchmark")
    async def waiting() -> int:
        order.notice_in_log("prefect.flow_runs", _OVER)
        waits = [jobs_runs_wait_for_completion(run_id, credentials) for run_id in order.run_ids]
        return len(await asyncio.gather(*waits))

    order.run(lambda: asyncio.run(waiting()))


if __name__ == "__main__":
    main()
