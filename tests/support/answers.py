"""Answers of the Jobs API, as short as a test wants them."""

from __future__ import annotations

from typing import Any

from prefect_databricks_runs import Run, RunOutput

RUN_ID = 481516
HOST = "https://adb-1.2.azuredatabricks.net"


def state(life_cycle_state: str, result_state: str | None = None, message: str = "") -> dict[str, Any]:
    """The `state` of a run or task."""
    result = {"result_state": result_state} if result_state else {}
    return {"life_cycle_state": life_cycle_state, "state_message": message, **result}


def task(task_key: str, life_cycle_state: str, result_state: str | None = None, **more: Any) -> dict[str, Any]:
    """One `tasks[]` entry."""
    run_id = 1000 + sum(task_key.encode()) + 7919 * more.get("attempt_number", 0)
    defaults = {"run_id": run_id, "start_time": 1_700_000_000_000, "attempt_number": 0}
    return {"task_key": task_key, "state": state(life_cycle_state, result_state), **defaults, **more}


def run(life_cycle_state: str, result_state: str | None = None, message: str = "", **more: Any) -> dict[str, Any]:
    """The answer of `runs/get`."""
    return {
        "run_id": RUN_ID,
        "job_id": 42,
        "run_name": "nightly",
        "run_page_url": f"{HOST}/?o=77#job/42/run/{RUN_ID}",
        "start_time": 1_700_000_000_000,
        "state": state(life_cycle_state, result_state, message),
        **more,
    }


def with_output(run: Run, task_key: str, **output: Any) -> Run:
    """The run with an output of the latest attempt at a task."""
    return run.with_outputs({run.tasks[task_key].run_id: RunOutput(**output)})
