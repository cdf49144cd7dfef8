"""A job to apply, and what applies it without Prefect, which would cost a second a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._connect.call import Call
from prefect_databricks_runs._jobs.applying import Applied, Applying
from prefect_databricks_runs._jobs.wanted import Wanted
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.options import RequestOptions, options_of


@pytest.fixture
def apply(databricks: DatabricksCredentials) -> Callable[..., Applied]:
    """Applies a job as `apply_job` does: `apply(job, adopt=True)`."""

    async def applied(job: Any, adopt: bool, is_dry: bool) -> Applied:
        options = options_of({"databricks_retry_delay": 0.02}, RequestOptions)
        call = Call(databricks, options, logging.getLogger("prefect_databricks_runs"))
        return await Applying(call, Wanted.of(job), adopt=adopt, is_dry=is_dry).apply()

    def apply(job: Any, *, adopt: bool = False, is_dry: bool = False) -> Applied:
        return portal.call(applied, job, adopt, is_dry)

    return apply


@pytest.fixture
def sent(workspace: LocalWorkspace) -> Callable[[], list[str]]:
    """The writes that were sent to the workspace since the last call: `["create"]`."""

    def sent() -> list[str]:
        writes = [each for each in workspace.requests if each.method != "GET"]
        workspace.clear_requests()
        return [f"{each.method} {each.path.rpartition('/api/')[2]}" for each in writes]

    return sent


@pytest.fixture
def api(databricks: DatabricksCredentials) -> Callable[..., Any]:
    """Asks the workspace as another client would: `api("jobs/get", job_id=7)`, `api("jobs/create", {"name": …})`."""

    def ask(endpoint: str, body: dict[str, Any] | None = None, **params: Any) -> Any:
        with databricks.get_client() as client:
            path = f"/api/2.2/{endpoint}"
            answer = client.get(path, params=params) if body is None else client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

    return ask
