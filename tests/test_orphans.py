"""`prefect-databricks-runs orphans`: the Databricks runs that nobody waits for any more."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest
from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, run_now, submit_run
from prefect_databricks_runs.local import LocalWorkspace
from tests.test_cli import run

BODY = {"notebook_task": {"notebook_path": "/n"}}


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(script={"*": {"running": 120}}) as workspace:
        yield workspace


@pytest.fixture
def a_job(databricks) -> int:
    job = {"name": "nightly", "tasks": [{"task_key": "main", **BODY}]}
    with databricks.get_client() as client:
        return client.post("/api/2.2/jobs/create", json=job).raise_for_status().json()["job_id"]


def going(workspace: LocalWorkspace) -> set[int]:
    return {run_id for run_id, run in workspace.runs.items() if run["state"]["life_cycle_state"] != "TERMINATED"}


def orphans(server, workspace: LocalWorkspace, *arguments: str):
    """The command with a saved block of this workspace: other tests leave blocks of theirs."""
    name = f"orphans-{uuid4()}"
    DatabricksCredentials(host=workspace.url, token=workspace.token).save(name)
    return run("orphans", "--block", name, *arguments, PREFECT_API_URL=server.api_url)


def test_runs_of_flow_runs_that_failed_are_listed_and_cancelled_and_no_others(
    databricks, workspace, a_job, prefect_server
) -> None:
    ids: dict[str, int] = {}

    @flow(name="orphaning")
    def fails() -> None:
        ids["submitted"] = submit_run(databricks, BODY, run_name="lost-one")
        ids["run now"] = run_now(databricks, job_id=a_job)
        raise ValueError("not a day for this")

    @flow
    def completes() -> None:
        ids["on purpose"] = submit_run(databricks, BODY)

    with pytest.raises(ValueError, match="not a day"):
        fails()
    completes()
    ids["somebody else's"] = submit_run.fn(databricks, BODY)
    assert going(workspace) == set(ids.values())

    listed = orphans(prefect_server, workspace)
    assert listed.returncode == 1, listed.stderr
    assert f"{workspace.url}: 2 active Databricks runs of flow runs that are over; 1 more" in listed.stdout
    assert set(map(int, re.findall(r"^│ (\d+) ", listed.stdout, re.MULTILINE))) == {ids["submitted"], ids["run now"]}
    assert "lost-one" in listed.stdout
    assert going(workspace) == set(ids.values())

    assert orphans(prefect_server, workspace, "--cancel").returncode == 0
    assert going(workspace) == {ids["on purpose"], ids["somebody else's"]}
    assert orphans(prefect_server, workspace).returncode == 0
    assert orphans(prefect_server, workspace, "--completed", "--cancel").returncode == 0
    assert going(workspace) == {ids["somebody else's"]}


def test_a_run_that_another_flow_run_waits_for_is_no_orphan(databricks, workspace, prefect_server) -> None:
    answers = []

    @flow
    def fails() -> int:
        answers.append(submit_run(databricks, BODY))
        raise ValueError("not a day for this")

    @flow
    def goes_on() -> None:
        """What another flow run would leave in Prefect while it waits for the run."""
        from prefect_databricks_runs import _portal
        from prefect_databricks_runs.report import run_logger, show_started

        async def show() -> None:
            show_started(workspace.url, answers[0], "", "", run_logger())

        _portal.call(show)
        listed = orphans(prefect_server, workspace)
        assert listed.returncode == 0, listed.stdout + listed.stderr

    with pytest.raises(ValueError, match="not a day"):
        fails()
    assert orphans(prefect_server, workspace).returncode == 1
    goes_on()


def test_a_block_whose_token_has_ended_does_not_hide_another_one_of_the_same_workspace(
    workspace, prefect_server
) -> None:
    names = [f"orphans-{uuid4()}" for _ in range(4)]
    tokens = ["dapi-ended", workspace.token, "dapi-ended-too", "dapi-ended-as-well"]
    for name, token in zip(names, tokens, strict=True):
        DatabricksCredentials(host=workspace.url, token=token).save(name)

    def look(*blocks: str) -> subprocess.CompletedProcess[str]:
        arguments = [each for block in blocks for each in ("--block", block)]
        return run("orphans", *arguments, PREFECT_API_URL=prefect_server.api_url)

    assert f"{workspace.url}: 0 active" in look(*names).stdout
    none = look(names[0], names[2])
    assert none.returncode == 2
    assert none.stderr.count(f"{workspace.url} could not be looked at. Databricks answered 403") == 1


def test_an_unknown_block_is_one_clear_error(prefect_server) -> None:
    unknown = run("orphans", "--block", "nobodys", PREFECT_API_URL=prefect_server.api_url)
    assert unknown.returncode == 2
    assert "There is no saved block nobodys" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_a_workspace_that_is_gone_is_one_clear_error_and_does_not_hide_the_others(
    databricks, workspace, prefect_server
) -> None:
    """That of the environment is looked at beside those of all saved blocks."""
    with LocalWorkspace() as gone:
        DatabricksCredentials(host=gone.url, token=gone.token).save(f"gone-{uuid4()}")
    listed = run(
        "orphans",
        PREFECT_API_URL=prefect_server.api_url,
        DATABRICKS_HOST=workspace.url,
        DATABRICKS_TOKEN=workspace.token,
    )
    assert listed.returncode == 2
    assert f"{workspace.url}: 0 active" in listed.stdout
    assert f"{gone.url} could not be looked at. No answer from {gone.url}" in listed.stderr
    assert "Traceback" not in listed.stderr
