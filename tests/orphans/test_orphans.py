"""`prefect-databricks-runs orphans`: the Databricks runs that nobody waits for any more."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.context import FlowRunContext
from rich.console import Console

from prefect_databricks_runs import DatabricksCredentials, Run, run_now, submit_run
from prefect_databricks_runs._orphans.listing import Listed, TableListing
from prefect_databricks_runs._orphans.owned_runs import OwnedRun
from prefect_databricks_runs.local import LocalWorkspace
from tests.support import answers
from tests.support.command_line import in_this_process
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


def lines(output: str) -> list[list[str]]:
    """The fields of each line."""
    return [line.split("\t") for line in output.splitlines()]


def saved(workspace: LocalWorkspace) -> str:
    """The name of a saved block of this workspace alone: other tests leave blocks of theirs."""
    name = f"orphans-{uuid4()}"
    DatabricksCredentials(host=workspace.url, token=workspace.token).save(name)
    return name


def orphans(server, workspace: LocalWorkspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command for this workspace, in this process."""
    return in_this_process(server, "orphans", "--block", saved(workspace), *arguments)


def as_a_user_runs_it(server, workspace: LocalWorkspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    return run("orphans", "--block", saved(workspace), *arguments, PREFECT_API_URL=server.api_url)


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

    listed = as_a_user_runs_it(prefect_server, workspace)
    assert listed.returncode == 1, listed.stderr
    assert f"{workspace.url}: 2 active Databricks runs of finished flow runs; 1 more" in listed.stderr
    assert {int(line[0]) for line in lines(listed.stdout)} == {ids["submitted"], ids["run now"]}
    (lost,) = [line for line in lines(listed.stdout) if line[0] == str(ids["submitted"])]
    assert lost[1].startswith(f"{workspace.url}/jobs/")
    assert lost[2:5] == ["active", "Running", "lost-one"]
    assert lost[7] == "Failed"
    assert going(workspace) == set(ids.values())

    cancelled = as_a_user_runs_it(prefect_server, workspace, "--cancel")
    assert cancelled.returncode == 0
    assert [line[2] for line in lines(cancelled.stdout)] == ["cancelled", "cancelled"]
    assert going(workspace) == {ids["on purpose"], ids["somebody else's"]}
    assert orphans(prefect_server, workspace).returncode == 0
    assert orphans(prefect_server, workspace, "--completed", "--cancel").returncode == 0
    assert going(workspace) == {ids["somebody else's"]}


def test_a_run_that_another_flow_run_waits_for_is_no_orphan(databricks, workspace, prefect_server) -> None:
    started = []

    @flow
    def fails() -> int:
        started.append(submit_run(databricks, BODY))
        raise ValueError("not a day for this")

    @flow
    def goes_on() -> None:
        """What another flow run would leave in Prefect while it waits for the run."""
        from prefect_databricks_runs._prefect import portal
        from prefect_databricks_runs._prefect.logging import run_logger
        from prefect_databricks_runs._report import show_started

        async def show() -> None:
            show_started(workspace.url, started[0], "", "", run_logger())

        portal.call(show)
        listed = orphans(prefect_server, workspace)
        assert listed.returncode == 0, listed.stdout + listed.stderr
        assert listed.stdout == ""

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
        return in_this_process(prefect_server, "orphans", *arguments)

    assert f"{workspace.url}: 0 active" in look(*names).stderr
    none = look(names[0], names[2])
    assert none.returncode == 2
    for name in (names[0], names[2]):
        assert f"Could not read {workspace.url} (block {name!r}). Databricks answered 403" in none.stderr


def test_a_run_whose_flow_runs_process_was_killed_is_told_of_and_listed_when_that_is_named(
    databricks, workspace, prefect_server
) -> None:
    """Prefect calls such a flow run `Running` forever, as it does this one."""

    @flow
    def killed() -> None:
        run_id = submit_run(databricks, BODY)
        context = FlowRunContext.get()
        name, flow_run_id = context.flow_run.name, context.flow_run.id
        listed = orphans(prefect_server, workspace)
        assert (listed.returncode, listed.stdout) == (0, "")
        assert f"1 more belongs to flow runs that are active in Prefect: {name} {flow_run_id} Running." in listed.stderr
        assert "--flow-run ID" in listed.stderr

        listed = orphans(prefect_server, workspace, "--flow-run", str(flow_run_id))
        assert listed.returncode == 1
        assert [line[0] for line in lines(listed.stdout)] == [str(run_id)]
        assert "more belong" not in listed.stderr

        others = orphans(prefect_server, workspace, "--flow-run", str(uuid4()), "--cancel")
        assert others.returncode == 0
        assert "No active Databricks run belongs to the flow run" in others.stderr
        assert going(workspace) == {run_id}

        assert orphans(prefect_server, workspace, "--flow-run", str(flow_run_id), "--cancel").returncode == 0
        assert going(workspace) == set()

    killed()


def test_json_is_one_list_of_all_that_is_known(databricks, workspace, prefect_server) -> None:
    ids = []

    @flow
    def fails() -> None:
        ids.append(submit_run(databricks, BODY, run_name="lost"))
        raise ValueError("not a day for this")

    with pytest.raises(ValueError, match="not a day"):
        fails()
    listed = orphans(prefect_server, workspace, "--json", "--cancel")
    (told,) = json.loads(listed.stdout)
    assert (told["run_id"], told["run_name"], told["becomes"]) == (ids[0], "lost", "cancelled")
    assert (told["flow_run_state"], UUID(told["flow_run_id"]).version) == ("Failed", 4)
    assert f"{workspace.url}: 1 active Databricks run of a finished flow run" in listed.stderr
    assert json.loads(orphans(prefect_server, workspace, "--json").stdout) == []


def test_a_cancellation_that_is_refused_is_said_and_counts_as_left_going(databricks, workspace, prefect_server) -> None:
    @flow
    def fails() -> None:
        submit_run(databricks, BODY)
        raise ValueError("not a day for this")

    with pytest.raises(ValueError, match="not a day"):
        fails()
    workspace.fault("POST */runs/cancel", status=400, times=100)
    listed = orphans(prefect_server, workspace, "--cancel")
    assert listed.returncode == 1
    assert [line[2] for line in lines(listed.stdout)] == ["not cancelled"]


@pytest.mark.parametrize("width", [80, 60])
def test_on_a_terminal_no_run_id_and_no_link_is_folded(width: int) -> None:
    answer = {**answers.run("RUNNING"), "run_id": 495679058755503, "run_name": "[nightly] " * 12}
    owned = OwnedRun(
        Run.from_api(answer, answers.HOST),
        frozenset(),
        uuid4(),
        "rebel-chital",
        "Failed",
        is_orphan=True,
        is_completed=False,
    )
    output = io.StringIO()
    TableListing(Console(file=output, force_terminal=True, width=width, no_color=True)).add([Listed(owned, "active")])
    assert re.search(r"495679058755503 .*[│┃]", output.getvalue())
    assert f"495679058755503: {answers.HOST}/jobs/42/runs/495679058755503?o=77\n" in output.getvalue()
    assert "[nigh" in output.getvalue()


def test_a_prefect_api_that_is_not_there_is_one_clear_error() -> None:
    listed = run("orphans", PREFECT_API_URL="http://me:s3cret@127.0.0.1:9/api")
    assert listed.returncode == 2
    assert "s3cret" not in listed.stderr
    assert "from the Prefect API http://127.0.0.1:9/api:" in listed.stderr
    assert "Traceback" not in listed.stderr


def test_an_unknown_block_is_one_clear_error(prefect_server) -> None:
    unknown = in_this_process(prefect_server, "orphans", "--block", "nobodys")
    assert unknown.returncode == 2
    assert "The saved block nobodys does not exist" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_a_workspace_that_is_gone_is_one_clear_error_and_does_not_hide_the_others(
    databricks, workspace, prefect_server
) -> None:
    """That of the environment is looked at beside those of all saved blocks."""
    with LocalWorkspace() as gone:
        name = f"gone-{uuid4()}"
        DatabricksCredentials(host=gone.url, token=gone.token).save(name)
    listed = run(
        "orphans",
        PREFECT_API_URL=prefect_server.api_url,
        DATABRICKS_HOST=workspace.url,
        DATABRICKS_TOKEN=workspace.token,
    )
    assert listed.returncode == 2
    assert f"{workspace.url}: 0 active Databricks runs of finished flow runs" in listed.stderr
    assert f"Could not read {gone.url} (block '{name}'). No answer from {gone.url}" in listed.stderr
    assert "Traceback" not in listed.stderr


def test_a_profile_is_looked_at_alone(workspace, prefect_server, monkeypatch, tmp_path) -> None:
    with LocalWorkspace() as other:
        saved(other)
        (tmp_path / "cfg").write_text(f"[dev]\nhost = {workspace.url}\ntoken = {workspace.token}\n")
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "cfg"))
        listed = in_this_process(prefect_server, "orphans", "--profile", "dev")
        assert listed.returncode == 0
        assert f"{workspace.url}: 0 active" in listed.stderr
        assert other.url not in listed.stderr
    unknown = in_this_process(prefect_server, "orphans", "--profile", "nobodys")
    assert unknown.returncode == 2
    assert "nobodys" in unknown.stderr


def test_half_a_way_in_the_environment_hides_no_saved_block(workspace, prefect_server, monkeypatch) -> None:
    saved(workspace)
    monkeypatch.setenv("DATABRICKS_HOST", "https://half.example")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "an-id")
    listed = in_this_process(prefect_server, "orphans")
    assert listed.returncode == 2
    assert f"{workspace.url}: 0 active" in listed.stderr
    assert "DATABRICKS_CLIENT_SECRET" in listed.stderr


@pytest.mark.long
def test_called_in_this_process_it_says_what_a_process_of_its_own_says(databricks, workspace, prefect_server) -> None:
    @flow
    def fails() -> None:
        submit_run(databricks, BODY, run_name="lost")
        raise ValueError("not a day for this")

    with pytest.raises(ValueError, match="not a day"):
        fails()
    here, there = (call(prefect_server, workspace) for call in (orphans, as_a_user_runs_it))
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout)
    assert here.returncode == 1
    assert f"{workspace.url}: 1 active Databricks run of a finished flow run" in here.stderr


def test_called_in_this_process_a_fault_of_the_command_is_no_exit_code(prefect_server, monkeypatch) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("prefect_databricks_runs._orphans.listing.listing_for", broken)
    with pytest.raises(ZeroDivisionError):
        in_this_process(prefect_server, "orphans")
