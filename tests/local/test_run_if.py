"""Which tasks run, by how those before them ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.client import state_of, task_of
from tests.local.simulated import FAILED, simulated, states, task

CANCELED = {"result_state": "CANCELED"}
CONDITION = {"op": "EQUAL_TO", "left": "1", "right": "1"}

RULES = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
RUNS = "SUCCESS"
# By the ends of two upstream tasks: what becomes of the task under each of the six rules.
TABLE = {
    ("good", "good"): (RUNS, RUNS, RUNS, RUNS, "EXCLUDED", "EXCLUDED"),
    ("good", "bad"): ("UPSTREAM_FAILED", RUNS, "UPSTREAM_FAILED", RUNS, RUNS, "EXCLUDED"),
    ("bad", "bad"): ("UPSTREAM_FAILED", "UPSTREAM_FAILED", "UPSTREAM_FAILED", RUNS, RUNS, RUNS),
    ("good", "canceled"): ("UPSTREAM_CANCELED", RUNS, "UPSTREAM_CANCELED", RUNS, RUNS, "EXCLUDED"),
    ("canceled", "canceled"): ("UPSTREAM_CANCELED", "UPSTREAM_CANCELED", "UPSTREAM_CANCELED", RUNS, RUNS, RUNS),
    ("bad", "disabled"): ("UPSTREAM_FAILED", RUNS, "UPSTREAM_FAILED", RUNS, RUNS, "EXCLUDED"),
    ("good", "disabled"): (RUNS, RUNS, RUNS, RUNS, "EXCLUDED", "EXCLUDED"),
}
SCRIPT = {"bad": FAILED, "bad2": FAILED, "canceled": CANCELED, "canceled2": CANCELED}


@pytest.fixture(scope="module")
def client() -> Any:
    with simulated(SCRIPT) as client:
        yield client


def submit(client: Any, *tasks: dict[str, Any]) -> dict[str, Any]:
    return client.run(client.submit(*tasks))


@pytest.mark.parametrize(
    ("upstream", "rule", "expected"),
    [(pair, rule, ends[index]) for pair, ends in TABLE.items() for index, rule in enumerate(RULES)],
)
def test_each_rule_decides_as_documented(client: Any, upstream: tuple[str, str], rule: str, expected: str) -> None:
    first, second = upstream[0], upstream[1] if upstream[1] != upstream[0] else f"{upstream[1]}2"
    tasks = [task(first), task(second, disabled=second == "disabled"), task("next", first, second, run_if=rule)]
    assert states(submit(client, *tasks))["next"] == expected


@pytest.mark.parametrize("rule", RULES)
def test_a_task_of_which_all_upstream_was_excluded_is_excluded_whatever_its_rule(client: Any, rule: str) -> None:
    run = submit(client, task("a"), task("b", "a", run_if="ALL_FAILED"), task("c", "b", run_if=rule))
    assert states(run) == {"a": "SUCCESS", "b": "EXCLUDED", "c": "EXCLUDED"}
    assert state_of(run) == ("TERMINATED", "SUCCESS")


def test_only_the_branch_of_a_conditions_outcome_runs(client: Any) -> None:
    run = submit(
        client,
        task("check", condition_task=CONDITION),
        task("yes", "check=true"),
        task("no", "check=false"),
        task("after_no", "no"),
        task("join", "yes", "no", run_if="AT_LEAST_ONE_SUCCESS"),
    )
    assert states(run) == {
        "check": "SUCCESS",
        "yes": "SUCCESS",
        "no": "EXCLUDED",
        "after_no": "EXCLUDED",
        "join": "SUCCESS",
    }
    assert task_of(run, "check")["condition_task"]["outcome"] == "true"


def test_a_disabled_task_is_skipped_and_what_follows_it_runs(client: Any) -> None:
    run = submit(client, task("off", disabled=True), task("next", "off"))
    assert states(run) == {"off": "DISABLED", "next": "SUCCESS"}
    assert state_of(task_of(run, "off")) == ("SKIPPED", "DISABLED")
    assert task_of(run, "off")["status"]["termination_details"]["code"] == "DISABLED"
    assert task_of(run, "off")["start_time"] == 0


def test_a_run_succeeds_with_failures_when_all_its_leaves_succeed(client: Any) -> None:
    run = submit(client, task("bad"), task("tidy_up", "bad", run_if="ALL_DONE"))
    assert state_of(run) == ("TERMINATED", "SUCCESS_WITH_FAILURES")
    assert run["status"]["termination_details"]["code"] == "SUCCESS_WITH_FAILURES"


def test_a_run_fails_when_a_leaf_fails(client: Any) -> None:
    run = submit(client, task("bad"), task("tidy_up"))
    assert state_of(run) == ("TERMINATED", "FAILED")
    expected = "Task bad failed with message: Workload failed, see run output for details."
    assert run["state"]["state_message"] == expected


def test_a_long_chain_that_is_skipped_ends_at_once(client: Any) -> None:
    chain = [task("bad"), *(task(f"t{n}", f"t{n - 1}" if n else "bad") for n in range(900))]
    run_id = client.submit(*chain)
    assert state_of(client.run(run_id)) == ("TERMINATED", "FAILED")


def test_a_failed_run_can_end_as_on_serverless_compute() -> None:
    with simulated(SCRIPT, failed_as_internal_error=True) as client:
        run = submit(client, task("bad"))
    assert state_of(run) == ("INTERNAL_ERROR", "FAILED")
    assert run["status"]["termination_details"] == {
        "code": "RUN_EXECUTION_ERROR",
        "type": "CLIENT_ERROR",
        "message": run["state"]["state_message"],
    }
    assert state_of(task_of(run, "bad")) == ("TERMINATED", "FAILED")
