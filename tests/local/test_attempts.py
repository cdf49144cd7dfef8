"""Retries, time-outs and cancellation of single tasks, in virtual time."""

from __future__ import annotations

from tests.local.client import state_of, task_of
from tests.local.simulated import FAILED, attempts, simulated, states, task


def test_a_failed_task_is_tried_again_as_often_as_it_may_with_one_entry_an_attempt() -> None:
    with simulated({"a": FAILED}) as client:
        run = client.run(client.submit(task("a", max_retries=2)))
    entries = attempts(run, "a")
    assert [entry["attempt_number"] for entry in entries] == [0, 1, 2]
    assert len({entry["run_id"] for entry in entries}) == 3
    assert [state_of(entry)[1] for entry in entries] == ["FAILED"] * 3
    assert state_of(run) == ("TERMINATED", "FAILED")


def test_a_retry_that_succeeds_makes_the_run_succeed() -> None:
    with simulated({"a": [FAILED, {"result": "done"}]}) as client:
        run = client.run(client.submit(task("a", max_retries=-1), task("b", "a")))
        first, second = attempts(run, "a")
        output = client.get("runs/get-output", run_id=second["run_id"])
        assert client.run(second["run_id"])["original_attempt_run_id"] == first["run_id"]
    assert states(run) == {"a": "SUCCESS", "b": "SUCCESS"}
    assert state_of(run) == ("TERMINATED", "SUCCESS")
    assert output["notebook_output"]["result"] == "done"


def test_the_next_attempt_waits_for_its_interval() -> None:
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a", max_retries=1, min_retry_interval_millis=5000))
        waiting = attempts(client.run(run_id), "a")[1]
        assert state_of(waiting) == ("WAITING_FOR_RETRY", None)
        assert waiting["status"]["state"] == "WAITING"
        client.workspace.advance(4.9)
        assert state_of(attempts(client.run(run_id), "a")[1]) == ("WAITING_FOR_RETRY", None)
        client.workspace.advance(0.1)
        assert state_of(client.run(run_id)) == ("TERMINATED", "FAILED")


def test_a_task_that_waits_for_its_retry_can_be_cancelled() -> None:
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a", max_retries=1, min_retry_interval_millis=5000))
        client.post("runs/cancel", run_id=run_id)
        run = client.run(run_id)
        assert state_of(run) == ("TERMINATED", "CANCELED")
        assert state_of(attempts(run, "a")[1]) == ("TERMINATED", "CANCELED")
        client.workspace.advance(60)
        assert client.run(run_id) == run


def test_a_time_out_is_retried_only_when_asked_for() -> None:
    with simulated({"a": {"running": 10}}) as client:
        once = client.submit(task("a", max_retries=1, timeout_seconds=3))
        twice = client.submit(task("a", max_retries=1, timeout_seconds=3, retry_on_timeout=True))
        client.workspace.advance(6)
        assert [state_of(entry)[1] for entry in attempts(client.run(once), "a")] == ["TIMEDOUT"]
        assert [state_of(entry)[1] for entry in attempts(client.run(twice), "a")] == ["TIMEDOUT", "TIMEDOUT"]
        assert attempts(client.run(once), "a")[0]["execution_duration"] == 3000


def test_one_task_is_cancelled_by_its_own_id_and_is_not_retried() -> None:
    with simulated({"a": {"running": 10}, "b": {"running": 10}}) as client:
        run_id = client.submit(task("a", max_retries=3), task("b"), task("c", "a"))
        client.post("runs/cancel", run_id=task_of(client.run(run_id), "a")["run_id"])
        assert states(client.run(run_id)) == {"a": "CANCELED", "b": "RUNNING", "c": "UPSTREAM_CANCELED"}
        client.workspace.advance(10)
        assert state_of(client.run(run_id)) == ("TERMINATED", "CANCELED")


def test_cancelling_a_blocked_task_leaves_the_others() -> None:
    with simulated({"a": {"running": 10}}) as client:
        run_id = client.submit(task("a"), task("b", "a"), task("c", "b"))
        client.post("runs/cancel", run_id=task_of(client.run(run_id), "b")["run_id"])
        assert states(client.run(run_id)) == {"a": "RUNNING", "b": "CANCELED", "c": "UPSTREAM_CANCELED"}
        client.workspace.advance(10)
        assert states(client.run(run_id))["a"] == "SUCCESS"


def test_a_run_that_takes_too_long_is_timed_out_by_its_jobs_present_limit() -> None:
    with simulated({"a": {"running": 100}}) as client:
        job_id = client.post("create", tasks=[task("a")], timeout_seconds=50)["job_id"]
        run_id = client.post("run-now", job_id=job_id)["run_id"]
        client.workspace.advance(10)
        client.post("update", job_id=job_id, new_settings={"timeout_seconds": 20})
        client.workspace.advance(9)
        assert state_of(client.run(run_id)) == ("RUNNING", None)
        client.workspace.advance(1)
        run = client.run(run_id)
        assert state_of(run) == ("TERMINATED", "TIMEDOUT")
        assert run["run_duration"] == 20_000
        assert run["status"]["termination_details"]["code"] == "CANCELED"


def test_a_task_that_always_fails_at_once_does_not_go_round_for_ever() -> None:
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a", max_retries=-1))
        at_once = len(client.run(run_id)["tasks"])
        client.workspace.advance(3)
        assert at_once < len(client.run(run_id)["tasks"]) < 20


def test_a_run_that_takes_too_long_is_not_tried_again() -> None:
    with simulated({"a": {"running": 100}}) as client:
        run_id = client.submit(task("a", max_retries=-1, retry_on_timeout=True), timeout_seconds=5)
        client.workspace.advance(6)
        run = client.run(run_id)
    assert state_of(run) == ("TERMINATED", "TIMEDOUT")
    assert len(run["tasks"]) == 1


def test_cancelling_a_task_of_a_queued_run_starts_nothing() -> None:
    with simulated({"*": {"running": 10}}) as client:
        tasks = [task("a"), task("b", "a", run_if="ALL_DONE"), task("c", "b")]
        job_id = client.post("create", tasks=tasks)["job_id"]
        first, second = (client.post("run-now", job_id=job_id)["run_id"] for _ in range(2))
        client.post("runs/cancel", run_id=task_of(client.run(second), "a")["run_id"])
        assert states(client.run(second)) == {"a": "CANCELED", "b": "BLOCKED", "c": "BLOCKED"}
        assert state_of(client.run(second)) == ("QUEUED", None)
        client.workspace.advance(30)
        assert state_of(client.run(first)) == ("TERMINATED", "SUCCESS")
        client.workspace.advance(30)
        assert states(client.run(second)) == {"a": "CANCELED", "b": "SUCCESS", "c": "SUCCESS"}


def test_time_in_the_queue_is_not_time_of_the_run() -> None:
    with simulated({"*": {"running": 20}}) as client:
        job_id = client.post("create", tasks=[task("a")], timeout_seconds=30)["job_id"]
        runs = [client.post("run-now", job_id=job_id)["run_id"] for _ in range(3)]
        client.workspace.advance(60)
        ended = [client.run(run_id) for run_id in runs]
    assert [state_of(run) for run in ended] == [("TERMINATED", "SUCCESS")] * 3
    assert [run["run_duration"] for run in ended] == [20_000] * 3
    assert [run["queue_duration"] for run in ended] == [0, 20_000, 40_000]


def test_a_task_tells_how_long_it_was_in_the_queue() -> None:
    with simulated({"*": {"queued": 20, "pending": 5, "running": 10}}) as client:
        run_id = client.submit(task("a"))
        client.workspace.advance(60)
        (ended,) = client.run(run_id)["tasks"]
    assert (ended["queue_duration"], ended["setup_duration"], ended["execution_duration"]) == (20_000, 5_000, 10_000)


def test_queued_runs_follow_a_changed_limit() -> None:
    with simulated({"*": {"running": 20}}) as client:
        job_id = client.post("create", tasks=[task("a")])["job_id"]
        runs = [client.post("run-now", job_id=job_id)["run_id"] for _ in range(4)]
        client.post("update", job_id=job_id, new_settings={"max_concurrent_runs": 2})
        assert [state_of(client.run(run_id))[0] for run_id in runs] == ["RUNNING", "RUNNING", "QUEUED", "QUEUED"]
        client.post("update", job_id=job_id, new_settings={"max_concurrent_runs": 0})
        assert state_of(client.run(runs[3])) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
        client.workspace.advance(20)
        assert client.get("runs/list", active_only="true") == {}


def test_a_repair_waits_for_a_place_too() -> None:
    with simulated({"*": {"running": 20}}) as client:
        job_id = client.post("create", tasks=[task("a")])["job_id"]
        first = client.post("run-now", job_id=job_id)["run_id"]
        client.post("runs/cancel", run_id=first)
        second = client.post("run-now", job_id=job_id)["run_id"]
        client.post("runs/repair", run_id=first, rerun_tasks=["a"])
        assert state_of(client.run(first)) == ("QUEUED", None)
        client.workspace.advance(40)
        assert [state_of(client.run(run_id))[1] for run_id in (first, second)] == ["SUCCESS", "SUCCESS"]
