"""A flow run of a deployment and its Databricks run, either of which is cancelled, in a real worker and `serve`."""

from __future__ import annotations

import pytest

from prefect_databricks_runs import submit_run_and_wait
from tests.leave.deployed_flows import async_parent, sync_parent
from tests.leave.going import Going
from tests.leave.job import CANCELED, JOB, QUICK
from tests.support.processes import wait_until

pytestmark = pytest.mark.timeout(300)

SECONDS = 5.0
WITH_NO_CODE = {"json": JOB, "polling_period_seconds": QUICK}
# What differs for async flows is in `test_in_process.py` too, without a worker.
both_colours = pytest.mark.parametrize(
    "flow", [sync_parent, pytest.param(async_parent, marks=pytest.mark.long)], ids=["sync", "async"]
)


def check_that_cancelling_in_prefect_cancels_in_databricks(going: Going) -> None:
    going.cancel()
    wait_until(lambda: going.databricks_state == ("TERMINATED", "CANCELED"))
    assert going.seconds_to_cancel() < SECONDS
    wait_until(lambda: going.state == ("CANCELLED", "Cancelled"))
    assert going.mirrored == CANCELED, going.child.output
    assert f"Cancelling Databricks run {going.run_id}" in going.log
    assert "is Canceled: Run cancelled." in going.log


@both_colours
def test_a_flow_run_cancelled_on_a_worker_cancels_its_databricks_run_within_5_seconds(
    flow, worker, deployments
) -> None:
    check_that_cancelling_in_prefect_cancels_in_databricks(deployments.on_worker(worker, flow))


@pytest.mark.long
@both_colours
def test_a_flow_run_cancelled_in_serve_cancels_its_databricks_run_within_5_seconds(flow, deployments) -> None:
    check_that_cancelling_in_prefect_cancels_in_databricks(deployments.served(flow))


@pytest.mark.long
def test_a_flow_of_this_package_deployed_with_no_code_is_cancelled_like_any_other(worker, deployments) -> None:
    going = deployments.on_worker(worker, submit_run_and_wait, **WITH_NO_CODE)
    check_that_cancelling_in_prefect_cancels_in_databricks(going)


def test_a_run_cancelled_in_databricks_ends_its_flow_run_as_canceled(worker, deployments) -> None:
    going = deployments.on_worker(worker, submit_run_and_wait, **WITH_NO_CODE)
    going.cancel_in_databricks()
    wait_until(lambda: going.state == ("CANCELLED", "Canceled"))
    assert going.mirrored == CANCELED
