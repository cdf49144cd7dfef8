"""What is sent to Prefect grows with what there is to show, and not with the polls."""

from __future__ import annotations

import pytest

from prefect_databricks_runs._prefect.compat import SHOWS_PROGRESS
from tests.benchmarks.prefect_calls import measure

pytestmark = pytest.mark.long

TASKS = 10
# One to create each, and one for each state after the first: 8 of the 10 are blocked at first, the others pending.
TASK_RUN_STATES = 8 * 3 + 2 * 2
PREFECTS_OWN = ("log batches", "others", "failed, tried again")


def test_a_run_polled_500_times_makes_as_many_calls_to_prefect_as_one_polled_20_times(prefect_api) -> None:
    few, many = measure(prefect_api, TASKS, 20, period=0.5), measure(prefect_api, TASKS, 500)
    assert few.polls < 100
    assert many.polls >= 500
    assert few.calls == many.calls
    assert few.state_changes == many.state_changes == TASKS + TASK_RUN_STATES + 3  # the run's own
    ours = {kind: count for kind, count in few.kinds.items() if kind not in PREFECTS_OWN}
    assert ours == {
        "task runs created": TASKS,
        "task run states": TASK_RUN_STATES,
        "flow run states": 4,  # of Prefect when it begins and ends, and the two that the run had before its end
        "flow run named": 1,
        "artifacts": 11 + 6 * SHOWS_PROGRESS,  # a change of the run, and of how much of it is over
    }
    assert few.calls_a_state_change <= 2.5  # what Prefect does by itself is its own affair, within reason
