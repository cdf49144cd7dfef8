"""Reads a run again and again, or pages of a list, and notes the CPU time; with this package, or with databricks-sdk.

Nothing waits, and Prefect is imported but not used: this is what sending, reading and parsing cost.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

from prefect_databricks_runs import DatabricksHook
from prefect_databricks_runs.auth import TokenAuth
from tests.benchmarks.contenders.child import Order

_WARM_UP = 20


def main() -> None:
    order = Order()
    found: list[float] = []
    count: int = order.options["count"]

    async def ours() -> None:
        async with DatabricksHook(order.url, TokenAuth(order.token)) as hook:
            for number in range(_WARM_UP + count):
                if number == _WARM_UP:
                    began = time.process_time()
                if order.options["what"] == "page":
                    async with aclosing(hook.run_pages(active_only=True)) as pages:
                        assert [hook.read_listed(entry).run_id for entry in await anext(pages)]
                else:
                    await hook.get_run(order.run_ids[0])
        found.append((time.process_time() - began) / count)

    def sdk() -> None:
        from databricks.sdk import WorkspaceClient

        client = WorkspaceClient(host=order.url, token=order.token)
        for number in range(_WARM_UP + count):
            if number == _WARM_UP:
                began = time.process_time()
            client.jobs.get_run(order.run_ids[0])
        found.append((time.process_time() - began) / count)

    order.run(sdk if order.options["what"] == "sdk" else lambda: asyncio.run(ours()), found=found)


if __name__ == "__main__":
    main()
