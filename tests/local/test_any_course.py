"""Whatever a run is made of and however its tasks go, it ends, and what is answered of it fits together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.client import Client, state_of
from tests.local.simulated import simulated, task

KEYS = [f"t{number}" for number in range(6)]
RULES = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
FOREVER = 10**7

seconds = st.sampled_from([0, 1, 2.5])
courses = st.fixed_dictionaries(
    {
        "result_state": st.sampled_from(["SUCCESS", "SUCCESS", "FAILED", "CANCELED", "TIMEDOUT", "INTERNAL_ERROR"]),
        **dict.fromkeys(("queued", "pending", "running", "terminating"), seconds),
    }
)
CONDITION = {"op": "EQUAL_TO", "left": "{{tasks.t0.result_state}}", "right": "success"}
kinds = st.one_of(
    st.fixed_dictionaries({"local_course": st.lists(courses, min_size=1, max_size=3)}),
    st.just({"condition_task": CONDITION}),
    st.fixed_dictionaries(
        {
            "for_each_task": st.fixed_dictionaries(
                {
                    "inputs": st.sampled_from(["[]", "[1, 2, 3]", "no list"]),
                    "concurrency": st.integers(1, 3),
                    "task": st.builds(
                        lambda course, retries: task("each", local_course=course, max_retries=retries),
                        courses,
                        st.integers(0, 2),
                    ),
                }
            )
        }
    ),
)


@st.composite
def runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    tasks = []
    for number, key in enumerate(KEYS[: draw(st.integers(1, len(KEYS)))]):
        upstream = draw(st.lists(st.sampled_from(KEYS[:number]), unique=True)) if number else []
        fields = {"run_if": draw(st.sampled_from(RULES)), "disabled": draw(st.sampled_from([False, False, True]))}
        kind = draw(kinds)
        if "condition_task" not in kind:
            fields["max_retries"] = draw(st.integers(0, 2))
            fields["min_retry_interval_millis"] = draw(st.sampled_from([0, 1500]))
            fields["retry_on_timeout"] = draw(st.booleans())
            fields["timeout_seconds"] = draw(st.sampled_from([0, 2]))
        if "for_each_task" in kind:
            nested = {**kind["for_each_task"]["task"], "task_key": f"each_{key}"}
            kind = {"for_each_task": {**kind["for_each_task"], "task": nested}}
        tasks.append(task(key, *upstream, **fields, **kind))
    return tasks


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with simulated(lambda start: None) as client:
        yield client


def check(run: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
    """Asserts that a run that is over fits together."""
    assert run["status"]["state"] == "TERMINATED"
    assert {each["task_key"] for each in run["tasks"]} == {each["task_key"] for each in tasks}
    for each in [run, *run["tasks"]]:
        assert each["status"]["state"] == "TERMINATED"
        assert each["state"]["life_cycle_state"] in {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
        assert each["end_time"] >= each["start_time"]
        assert run["start_time"] <= each["end_time"] <= run["end_time"]
    for each in run["tasks"]:
        inputs = each.get("for_each_task", {}).get("inputs")
        if inputs == "[1, 2, 3]" and state_of(each)[1] in {"SUCCESS", "FAILED"}:
            assert each["for_each_task"]["stats"]["task_run_stats"]["completed_iterations"] == 3
    numbers: dict[str, list[int]] = {}
    for each in run["tasks"]:
        numbers.setdefault(each["task_key"], []).append(each["attempt_number"])
    assert all(sorted(found) == list(range(len(found))) for found in numbers.values())


@settings(max_examples=150, deadline=None)
@given(tasks=runs(), timeout=st.sampled_from([0, 0, 3]), cancel_after=st.none() | seconds)
def test_every_run_ends_also_when_it_is_cancelled_or_repaired(
    client: Client, tasks: list[dict[str, Any]], timeout: int, cancel_after: float | None
) -> None:
    run_id = client.submit(*tasks, timeout_seconds=timeout)
    if cancel_after is not None:
        client.workspace.advance(cancel_after)
        client.post("runs/cancel", run_id=run_id)
    client.workspace.advance(FOREVER)
    run = client.run(run_id)
    check(run, tasks)
    if run["state"].get("result_state") != "SUCCESS":
        keys = [tasks[0]["task_key"]]
        client.post("runs/repair", run_id=run_id, rerun_tasks=keys, rerun_dependent_tasks=True)
        client.workspace.advance(FOREVER)
        check(client.run(run_id), tasks)
    assert client.get("runs/list", active_only="true") == {}
    client.post("runs/delete", run_id=run_id)
