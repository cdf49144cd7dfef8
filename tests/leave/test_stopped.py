"""Workers, `serve` processes and the processes of flow runs that are merely stopped: nobody cancels the flow run."""

from __future__ import annotations

import prefect
import pytest

from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.leave.children import is_alive
from tests.leave.deployed_flows import async_parent, sync_parent
from tests.support.processes import wait_until

pytestmark = pytest.mark.timeout(300)

PREFECT_3_8 = prefect.__version__.startswith("3.8.")  # the newest for Python 3.10

# What differs for async flows is in `test_in_process.py` too, without a worker.
both_colours = pytest.mark.parametrize(
    "flow", [sync_parent, pytest.param(async_parent, marks=pytest.mark.long)], ids=["sync", "async"]
)


@pytest.mark.long
@both_colours
def test_a_flow_process_that_is_stopped_leaves_its_databricks_run_going(flow, worker, deployments) -> None:
    going = deployments.on_worker(worker, flow)
    process = going.process
    process.terminate()
    wait_until(lambda: not is_alive(process))
    assert going.goes_on()
    assert going.is_said_to_go_on(), going.child.output
    wait_until(lambda: going.state == ("CRASHED", "Crashed"))


@pytest.mark.long
@both_colours
def test_ctrl_c_in_the_terminal_of_a_worker_leaves_the_databricks_run_going(flow, deployments) -> None:
    """Prefect 3 keeps Ctrl-C from the processes of flow runs, and kills them."""
    going = deployments.on_worker(deployments.worker(), flow)
    process = going.process
    going.child.ctrl_c()
    if PREFECT_3:
        wait_until(lambda: not is_alive(process))
    else:
        wait_until(going.is_said_to_go_on)
    assert going.goes_on()


@pytest.mark.long
def test_a_worker_that_is_stopped_leaves_the_databricks_run_going(deployments) -> None:
    """On Prefect 2 the flow run goes on too; Prefect 3 kills its process."""
    going = deployments.on_worker(deployments.worker(), sync_parent)
    process, polls = going.process, going.polls
    going.child.stop()
    if PREFECT_3:
        wait_until(lambda: not is_alive(process))
    else:
        wait_until(lambda: going.polls > polls + 5)
        assert going.state == ("RUNNING", "Running")
    assert going.goes_on()


@both_colours
def test_a_serve_that_is_stopped_leaves_the_databricks_run_going(flow, deployments) -> None:
    """It is Prefect that then calls the flow run cancelled; Prefect 3.8 keeps both processes."""
    going = deployments.served(flow)
    polls = going.polls
    going.child.stop()
    if PREFECT_3_8:
        wait_until(lambda: "SIGTERM received" in going.child.output)
        wait_until(lambda: going.polls > polls + 5)
        assert going.state == ("RUNNING", "Running")
    else:
        wait_until(going.is_said_to_go_on)
        wait_until(lambda: going.state == ("CANCELLED", "Cancelled"))
    assert going.goes_on()


@pytest.mark.long
@both_colours
def test_ctrl_c_in_the_terminal_of_serve_leaves_the_databricks_run_going(flow, deployments) -> None:
    """Prefect 2 kills the process of the flow run at once, before it can say anything."""
    going = deployments.served(flow)
    going.child.ctrl_c()
    wait_until(going.child.is_gone)
    assert going.goes_on()
    assert going.is_said_to_go_on() or not PREFECT_3, going.child.output
