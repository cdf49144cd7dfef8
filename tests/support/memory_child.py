"""A process that asks a hostile server for a run, and says how that ended and what memory it took at its peak.

python -m tests.support.memory_child ADDRESS SECONDS
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

import httpx

from prefect_databricks_runs import DatabricksError, DatabricksHook
from prefect_databricks_runs.auth import TokenAuth
from tests.support.answers import RUN_ID, run


def _peak_kb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "darwin" else peak


async def _ask(host: str, seconds: float, transport: httpx.AsyncBaseTransport | None = None) -> Any:
    hook = DatabricksHook(host, TokenAuth("t"), retry_limit=1, timeout_seconds=seconds, transport=transport)
    async with hook:
        try:
            return (await hook.get_run(RUN_ID)).run_id
        except DatabricksError as error:
            return f"{type(error).__name__}: {error}"


async def _main(host: str, seconds: float) -> None:
    # What one request of any kind needs is no matter of the answer.
    await _ask(host, seconds, httpx.MockTransport(lambda _: httpx.Response(200, json=run("RUNNING"))))
    before, began = _peak_kb(), time.monotonic()
    answer = await _ask(host, seconds)
    more = {"mb": (_peak_kb() - before) / 1024, "seconds": time.monotonic() - began}
    print(json.dumps({"answer": answer, **more}))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], float(sys.argv[2])))
