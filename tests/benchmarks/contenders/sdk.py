"""databricks-sdk: a thread for each run, in its own waiter, as its users wait for several runs.

With `requests_per_second` among the options all threads share a limit, which databricks-sdk itself does not have.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from databricks.sdk import WorkspaceClient

from tests.benchmarks.contenders.child import Order


def main() -> None:
    order = Order()
    client = WorkspaceClient(host=order.url, token=order.token)
    if rate := order.options.get("requests_per_second"):
        client.api_client.do = _limited(client.api_client.do, rate)  # type: ignore[method-assign]

    def wait(run_id: int) -> None:
        client.jobs.wait_get_run_job_terminated_or_skipped(run_id)
        order.noticed(run_id)

    def wait_for_all() -> None:
        with ThreadPoolExecutor(len(order.run_ids)) as threads:
            for each in [threads.submit(wait, run_id) for run_id in order.run_ids]:
                each.result()

    order.run(wait_for_all)


def _limited(do: Callable[..., Any], rate: float) -> Callable[..., Any]:
    """The same, each call in its turn: first come, first served."""
    lock, free = threading.Lock(), time.monotonic()

    def limited(*arguments: Any, **named: Any) -> Any:
        nonlocal free
        with lock:
            now = time.monotonic()
            turn = max(now, free)
            free = turn + 1 / rate
        time.sleep(turn - now)
        return do(*arguments, **named)

    return limited


if __name__ == "__main__":
    main()
