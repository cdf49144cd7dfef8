"""A retried flow run goes on with the task runs that its earlier attempt drew, whatever release or Python did."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from prefect_databricks_runs import DatabricksCredentials, RunFailed, wait_for_run
from prefect_databricks_runs._report import task_runs
from prefect_databricks_runs._report.drawn_before import DrawnBefore
from tests.local.simulated import FAILED, simulated, task
from tests.support.prefect_api import PrefectApi


def test_a_task_run_that_another_release_has_drawn_is_found(prefect_api: PrefectApi, monkeypatch) -> None:
    create, keys = task_runs.MirroredTask._create, itertools.count()

    async def with_a_key_of_its_own(mirrored: Any, *given: Any) -> Any:
        monkeypatch.setattr(task_runs._databricks_task, "task_key", f"of-release-{next(keys)}")
        return await create(mirrored, *given)

    monkeypatch.setattr(task_runs.MirroredTask, "_create", with_a_key_of_its_own)
    flow = wait_for_run.with_options(name="drawn-by-two-releases", retries=1)
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a"))
        databricks = DatabricksCredentials(host=client.workspace.url, token=client.workspace.token)
        with pytest.raises(RunFailed):
            flow(databricks, run_id)
    assert next(keys) == 2  # so both attempts drew it
    (flow_run,) = prefect_api.flow_runs_named("drawn-by-two-releases")
    (drawn,) = prefect_api.task_runs(flow_run["id"])
    assert (drawn["name"], drawn["task_key"]) == ("a", "of-release-0")


def test_the_key_is_pinned() -> None:
    assert task_runs._databricks_task.task_key == "databricks-task"


@pytest.mark.anyio
async def test_a_first_attempt_costs_no_request() -> None:
    before = DrawnBefore(SimpleNamespace(id=uuid4(), run_count=1))
    assert await before.find(None, "7-a") is None
