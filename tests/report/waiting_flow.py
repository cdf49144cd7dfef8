"""A flow that waits for a Databricks run in a thread of its own, so that the test decides what happens to the run."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from prefect_databricks_runs import DatabricksCredentials, Run, wait_for_run
from prefect_databricks_runs.local import LocalWorkspace
from tests.report.shown_flow import ShownFlow
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until


class WaitingFlow(ShownFlow):
    """A waiting flow run of this process."""

    _ended: Run | BaseException | None = None

    def end(self) -> Run | BaseException:
        """What the flow gave or raised, once it has ended."""
        wait_until(lambda: self._ended)
        assert self._ended
        return self._ended

    def run(self, databricks: DatabricksCredentials, run_id: int, **options: Any) -> None:
        """Run the flow."""
        flow = wait_for_run.with_options(name=self.name)
        try:
            self._ended = flow(databricks, run_id, polling_period_seconds=0.05, max_outage_seconds=10, **options)
        except BaseException as error:
            self._ended = error


@contextmanager
def waiting_flow(
    prefect_api: PrefectApi, workspace: LocalWorkspace, run_id: int, name: str, **options: Any
) -> Iterator[WaitingFlow]:
    """Has a flow of this name wait for a run of the workspace."""
    databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
    flow = WaitingFlow(prefect_api, name)
    with ThreadPoolExecutor(1) as executor:
        ended = executor.submit(contextvars.copy_context().run, flow.run, databricks, run_id, **options)
        try:
            yield flow
        finally:
            if not ended.done():  # the test has failed; so that the thread ends too
                workspace.fault("GET */runs/get", status=404)
