"""Real Prefect workers, and the processes of their flow runs, that are merely stopped: nobody cancels the flow run."""

from __future__ import annotations

import pytest

from prefect_databricks_runs._compat import PREFECT_3
from tests.leaving.children import is_alive
from tests.leaving.deployed_flows import async_parent, sync_parent
from tests.leaving.going import Deployments, Going, wait_until_watched
from tests.processes import wait_until

pytestmark = pytest.mark.timeout(300)

FLOWS = {"sync": sync_parent, "async": async_parent}


@pytest.fixture(scope="module")
def going(deployments: Deployments) -> dict[str, Going]:
    """All flow runs at once, because each takes seconds to come up; a worker for each way of stopping."""
    workers = [deployments.worker() for _ in range(3)]
    going = {f"process, {colour}": deployments.on_worker(workers[0], flow) for colour, flow in FLOWS.items()}
    going |= {f"terminal, {colour}": deployments.on_worker(workers[1], flow) for colour, flow in FLOWS.items()}
    going["worker"] = deployments.on_worker(workers[2], sync_parent)
    wait_until_watched(going.values())
    return going


@pytest.mark.parametrize("colour", FLOWS)
def test_a_flow_process_that_is_stopped_leaves_its_databricks_run_going(colour: str, going) -> None:
    one = going[f"process, {colour}"]
    process = one.process
    process.terminate()
    wait_until(lambda: not is_alive(process))
    assert one.goes_on()
    assert one.is_said_to_go_on()
    wait_until(lambda: one.state == ("CRASHED", "Crashed"))


def test_ctrl_c_in_the_terminal_of_a_worker_leaves_the_databricks_runs_of_its_flow_runs_going(going) -> None:
    """Prefect 3 keeps Ctrl-C from the processes of flow runs, and kills them."""
    both = [going[f"terminal, {colour}"] for colour in FLOWS]
    processes = [one.process for one in both]
    both[0].child.ctrl_c()
    if PREFECT_3:
        wait_until(lambda: not any(is_alive(process) for process in processes))
    else:
        wait_until(lambda: all(one.is_said_to_go_on() for one in both))
    assert all(one.goes_on() for one in both)


def test_a_worker_that_is_stopped_leaves_the_databricks_runs_of_its_flow_runs_going(going) -> None:
    """On Prefect 2 the flow run goes on too; Prefect 3 kills its process."""
    one = going["worker"]
    process, polls = one.process, one.polls
    one.child.stop()
    if PREFECT_3:
        wait_until(lambda: not is_alive(process))
    else:
        wait_until(lambda: one.polls > polls + 10)
    assert one.goes_on()
    if not PREFECT_3:
        assert one.state == ("RUNNING", "Running")
        one.cancel_in_databricks()
        wait_until(one.child.is_gone)
