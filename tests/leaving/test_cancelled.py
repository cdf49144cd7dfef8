"""A flow run of a deployment and its Databricks run, either of which is cancelled, in a real worker and `serve`."""

from __future__ import annotations

import pytest

from prefect_databricks_runs import submit_run_and_wait
from tests.leaving.deployed_flows import async_parent, sync_parent
from tests.leaving.going import Deployments, Going, wait_until_watched
from tests.leaving.job import CANCELED, JOB, QUICK
from tests.processes import wait_until

pytestmark = pytest.mark.timeout(300)

SECONDS = 5.0
WITH_NO_CODE = {"json": JOB, "polling_period_seconds": QUICK}


@pytest.fixture(scope="module")
def going(deployments: Deployments) -> dict[str, Going]:
    """All flow runs at once, because each takes seconds to come up."""
    worker = deployments.worker()
    served, served_async = deployments.served(sync_parent, async_parent)
    going = {
        "worker": deployments.on_worker(worker, sync_parent),
        "worker, async": deployments.on_worker(worker, async_parent),
        "worker, with no code": deployments.on_worker(worker, submit_run_and_wait, **WITH_NO_CODE),
        "serve": served,
        "serve, async": served_async,
        "in Databricks": deployments.on_worker(worker, submit_run_and_wait, **WITH_NO_CODE),
    }
    wait_until_watched(going.values())
    return going


@pytest.mark.parametrize("which", ["worker", "worker, async", "worker, with no code", "serve", "serve, async"])
def test_a_flow_run_cancelled_in_prefect_cancels_its_databricks_run_within_5_seconds(which: str, going) -> None:
    one = going[which]
    one.cancel()
    wait_until(lambda: one.databricks_state == ("TERMINATED", "CANCELED"))
    assert one.seconds_to_cancel() < SECONDS
    wait_until(lambda: one.state == ("CANCELLED", "Cancelled"))
    assert one.mirrored == CANCELED
    assert f"Cancelling Databricks run {one.run_id}" in one.log
    assert "is Canceled: Run cancelled." in one.log


def test_a_run_cancelled_in_databricks_ends_its_flow_run_as_canceled(going) -> None:
    one = going["in Databricks"]
    one.cancel_in_databricks()
    wait_until(lambda: one.state == ("CANCELLED", "Canceled"))
    assert one.mirrored == CANCELED
