"""The course of a run: order, failures, cancelling, time-outs, waiting for each other."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs.local.runs import workshop
from tests.local.client import Client, is_alive, notebook_task, over, state_of, task_of
from tests.local.valid_tasks import VALID_TASKS
from tests.support.processes import wait_until

SLEEP = "import time\ntime.sleep(60)"


def running(client: Client, run_id: int, task_key: str = "main") -> dict[str, Any]:
    """Returns the run as soon as this task of it runs."""
    return wait_until(
        lambda: (run := client.run(run_id)) and task_of(run, task_key)["status"]["state"] == "RUNNING" and run
    )


def test_tasks_run_in_the_order_of_their_dependencies(client: Client) -> None:
    trace = client.workspace.root / "trace"
    path = client.notebook(f"open({str(trace)!r}, 'a').write(dbutils.widgets.get('me'))")

    def task(key: str, *upstream: str) -> dict[str, Any]:
        return notebook_task(path, key, *upstream, base_parameters={"me": key})

    run = client.finish(task("d", "b", "c"), task("b", "a"), task("c", "a"), task("a"))
    assert state_of(run) == ("TERMINATED", "SUCCESS")
    assert run["status"]["termination_details"]["code"] == "SUCCESS"
    assert trace.read_text() in {"abcd", "acbd"}
    assert task_of(run, "d")["start_time"] >= task_of(run, "a")["end_time"]


def test_states_are_seen_on_the_way_in_both_spellings(client: Client) -> None:
    path = client.notebook(SLEEP)
    run_id = client.submit(notebook_task(path, "main"), notebook_task(path, "next", "main"))
    run = running(client, run_id)
    assert (run["state"]["life_cycle_state"], run["status"]["state"]) == ("RUNNING", "RUNNING")
    assert run["state"]["state_message"] == "In run"
    blocked = task_of(run, "next")
    assert (blocked["state"]["life_cycle_state"], blocked["status"]["state"]) == ("BLOCKED", "BLOCKED")
    assert blocked["start_time"] == 0
    client.post("runs/cancel", run_id=run_id)
    client.wait(run_id)


def test_a_failure_skips_what_depends_on_it_and_nothing_else(client: Client) -> None:
    good, bad = client.notebook(""), client.notebook("raise ValueError('no')")
    run = client.finish(
        notebook_task(bad, "bad"),
        notebook_task(good, "after", "bad"),
        notebook_task(good, "later", "after"),
        notebook_task(good, "apart"),
    )
    assert state_of(run) == ("TERMINATED", "FAILED")
    assert run["state"]["state_message"] == (
        "Task bad failed with message: Workload failed, see run output for details. "
        "This caused all downstream tasks to get skipped."
    )
    assert run["status"]["termination_details"]["code"] == "RUN_EXECUTION_ERROR"
    assert state_of(task_of(run, "bad")) == ("TERMINATED", "FAILED")
    for key in ("after", "later"):
        assert state_of(task_of(run, key)) == ("SKIPPED", "UPSTREAM_FAILED")
        assert task_of(run, key)["state"]["state_message"] == "An upstream task failed."
        assert task_of(run, key)["start_time"] == 0
    assert state_of(task_of(run, "apart")) == ("TERMINATED", "SUCCESS")


def test_cancelling_a_run_kills_what_runs_and_what_that_started(client: Client) -> None:
    pids = client.workspace.root / "pids"
    path = client.notebook(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}} .')\n"
        "time.sleep(60)"
    )
    run_id = client.submit(notebook_task(path, "main"), notebook_task(path, "next", "main"))
    wait_until(lambda: pids.exists() and pids.read_text().endswith("."))
    assert client.post("runs/cancel", run_id=run_id) == {}
    run = client.wait(run_id)
    for thing in (run, *run["tasks"]):
        assert state_of(thing) == ("TERMINATED", "CANCELED")
        assert thing["status"]["termination_details"]["code"] == "USER_CANCELED"
        assert thing["state"]["user_cancelled_or_timedout"] is True
    wait_until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()[:2]))


def test_cancelling_a_run_that_is_over_changes_nothing(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("")))
    client.post("runs/cancel", run_id=run["run_id"])
    client.post("runs/cancel", run_id=run["tasks"][0]["run_id"])
    assert client.run(run["run_id"]) == run


def test_cancelling_twice_is_cancelling_once(client: Client) -> None:
    run_id = client.submit(notebook_task(client.notebook(SLEEP)))
    client.post("runs/cancel", run_id=run_id)
    client.post("runs/cancel", run_id=run_id)
    assert state_of(client.wait(run_id)) == ("TERMINATED", "CANCELED")


def test_cancelling_one_task_skips_what_depends_on_it(client: Client) -> None:
    slow, quick = client.notebook(SLEEP), client.notebook("")
    run_id = client.submit(
        notebook_task(slow, "slow"), notebook_task(quick, "after", "slow"), notebook_task(quick, "apart")
    )
    run = running(client, run_id, "slow")
    client.post("runs/cancel", run_id=task_of(run, "slow")["run_id"])
    run = client.wait(run_id)
    assert state_of(run) == ("TERMINATED", "CANCELED")
    assert state_of(task_of(run, "slow")) == ("TERMINATED", "CANCELED")
    assert state_of(task_of(run, "after")) == ("SKIPPED", "UPSTREAM_CANCELED")
    assert state_of(task_of(run, "apart")) == ("TERMINATED", "SUCCESS")


def test_cancelling_a_blocked_task_ends_it_while_the_run_goes_on(client: Client) -> None:
    path = client.notebook(SLEEP)
    run_id = client.submit(notebook_task(path, "main"), notebook_task(path, "next", "main"))
    run = running(client, run_id)
    client.post("runs/cancel", run_id=task_of(run, "next")["run_id"])
    run = wait_until(lambda: (run := client.run(run_id)) and over(task_of(run, "next")) and run)
    assert state_of(task_of(run, "next")) == ("TERMINATED", "CANCELED")
    assert state_of(run) == ("RUNNING", None)
    client.post("runs/cancel", run_id=run_id)
    client.wait(run_id)


def test_a_task_that_takes_too_long_is_timed_out_with_its_log_kept(client: Client) -> None:
    path = client.write("import time\nprint('begun')\ntime.sleep(60)", ".py")
    task = {"task_key": "slow", "existing_cluster_id": "c", "spark_python_task": {"python_file": path}}
    after = notebook_task(client.notebook(""), "after", "slow")
    run = client.finish({**task, "timeout_seconds": 1}, after)
    slow = task_of(run, "slow")
    assert state_of(slow) == ("TERMINATED", "TIMEDOUT")
    assert slow["status"]["termination_details"]["code"] == "CANCELED"
    assert slow["state"]["user_cancelled_or_timedout"] is True
    assert slow["execution_duration"] >= 1000
    assert state_of(task_of(run, "after")) == ("SKIPPED", "UPSTREAM_FAILED")
    assert state_of(run) == ("TERMINATED", "FAILED")
    assert client.output(run, "slow")["logs"] == "begun\n"


def test_a_run_that_takes_too_long_is_timed_out(client: Client) -> None:
    path = client.notebook(SLEEP)
    run = client.finish(notebook_task(path, "main"), notebook_task(path, "next", "main"), timeout_seconds=1)
    assert state_of(run) == ("TERMINATED", "TIMEDOUT")
    assert state_of(task_of(run, "main")) == ("TERMINATED", "TIMEDOUT")
    assert state_of(task_of(run, "next")) == ("TERMINATED", "CANCELED")


@pytest.mark.parametrize("task_type", ["sql_task", "dbt_task", "pipeline_task"])
def test_a_task_type_that_is_not_run_here_never_succeeds(client: Client, task_type: str) -> None:
    task = {"task_key": "main", **VALID_TASKS[task_type]}
    run = client.finish(task, notebook_task(client.notebook(""), "after", "main"))
    assert state_of(run) == ("TERMINATED", "FAILED")
    assert state_of(task_of(run, "main")) == ("TERMINATED", "FAILED")
    assert state_of(task_of(run, "after")) == ("SKIPPED", "UPSTREAM_FAILED")
    told = f"Tasks of type {task_type} are not run by the local workspace: nothing was done"
    assert task_of(run, "main")["state"]["state_message"] == told
    assert client.output(run)["error"] == told


def test_an_error_of_our_own_ends_the_task_and_the_run(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(workshop, "find_notebook", fail)
    run = client.finish(notebook_task("/n"), notebook_task("/n", "after", "main"))
    assert state_of(run) == ("INTERNAL_ERROR", None)
    assert state_of(task_of(run, "main")) == ("INTERNAL_ERROR", None)
    assert task_of(run, "main")["status"]["termination_details"]["type"] == "INTERNAL_ERROR"
    assert state_of(task_of(run, "after")) == ("SKIPPED", "UPSTREAM_FAILED")
    assert "a bug of ours" in client.output(run)["error"]


class TestMaximumConcurrentRuns:
    def job(self, client: Client, **settings: Any) -> int:
        return client.post("create", tasks=[notebook_task(client.notebook(SLEEP))], **settings)["job_id"]

    def start(self, client: Client, job_id: int, **body: Any) -> int:
        return client.post("run-now", job_id=job_id, **body)["run_id"]

    def test_a_run_waits_for_the_one_before(self, client: Client) -> None:
        job_id = self.job(client)
        first, second, third = (self.start(client, job_id) for _ in range(3))
        queued = client.run(second)
        assert state_of(queued) == ("QUEUED", None)
        assert queued["state"]["queue_reason"] == "Queued due to reaching maximum concurrent runs of 1."
        assert queued["status"]["queue_details"]["code"] == "MAX_CONCURRENT_RUNS_REACHED"
        client.post("runs/cancel", run_id=second)
        assert state_of(client.run(second)) == ("TERMINATED", "CANCELED")
        client.post("runs/cancel", run_id=first)
        run = running(client, third)
        assert run["queue_duration"] > 0
        assert "queue_reason" not in run["state"]
        client.post("runs/cancel", run_id=third)
        client.wait(third)

    def test_without_a_queue_a_run_is_skipped(self, client: Client) -> None:
        job_id = self.job(client, queue={"enabled": False})
        first, second = (self.start(client, job_id) for _ in range(2))
        assert state_of(client.run(second)) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
        client.post("runs/cancel", run_id=first)
        client.wait(first)

    def test_a_maximum_of_zero_skips_every_run(self, client: Client) -> None:
        run_id = self.start(client, self.job(client, max_concurrent_runs=0))
        assert state_of(client.run(run_id)) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
