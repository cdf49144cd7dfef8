"""Real processes that serve flows and are merely stopped, as in a new version of a container, or with Ctrl-C."""

from __future__ import annotations

import pytest

from prefect_databricks_runs._compat import PREFECT_3
from tests.leaving.deployed_flows import async_parent, sync_parent
from tests.leaving.going import Deployments, Going, wait_until_watched
from tests.processes import wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def going(deployments: Deployments) -> dict[str, list[Going]]:
    """All flow runs at once, because each takes seconds to come up; a process that serves for each way of stopping."""
    going = {way: deployments.served(sync_parent, async_parent) for way in ("stopped", "terminal")}
    wait_until_watched(one for both in going.values() for one in both)
    return going


def test_a_stopped_serve_leaves_the_databricks_runs_of_its_flow_runs_going(going) -> None:
    """It is Prefect that then calls the flow runs cancelled."""
    both = going["stopped"]
    both[0].child.stop()
    wait_until(lambda: all(one.is_said_to_go_on() for one in both))
    wait_until(lambda: all(one.state == ("CANCELLED", "Cancelled") for one in both))
    assert all(one.goes_on() for one in both)


def test_ctrl_c_in_the_terminal_of_serve_leaves_the_databricks_runs_of_its_flow_runs_going(going) -> None:
    """Prefect 2 kills the processes of its flow runs at once, before they can say anything."""
    both = going["terminal"]
    both[0].child.ctrl_c()
    wait_until(both[0].child.is_gone)
    assert all(one.goes_on() for one in both)
    if PREFECT_3:
        assert all(one.is_said_to_go_on() for one in both)
