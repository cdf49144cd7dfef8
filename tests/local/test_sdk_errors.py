"""Sign-in and errors, as databricks-sdk turns them into its own classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    DatabricksError,
    InvalidParameterValue,
    InvalidState,
    NotFound,
    PermissionDenied,
    ResourceDoesNotExist,
    Unauthenticated,
)
from databricks.sdk.errors import (
    NotImplemented as NotServed,
)
from databricks.sdk.service.jobs import JobSettings, NotebookTask, SubmitTask

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.sdk import job_tasks, sdk_of, simulated_sdk, submit_tasks

pytestmark = pytest.mark.usefixtures("sdk_time")

Ask = Callable[[WorkspaceClient], Any]

MISSING: list[tuple[Ask, type[DatabricksError], str]] = [
    (lambda w: w.jobs.get(7), ResourceDoesNotExist, "Job 7 does not exist."),
    (lambda w: w.jobs.get_run(7), ResourceDoesNotExist, "Run 7 does not exist."),
    (lambda w: w.jobs.get_run_output(7), ResourceDoesNotExist, "Run 7 does not exist."),
    (lambda w: w.jobs.export_run(7), InvalidParameterValue, "Run 7 does not exist."),
    (lambda w: w.jobs.run_now(7), InvalidParameterValue, "Job 7 does not exist."),
    (lambda w: w.jobs.update(7), InvalidParameterValue, "Job 7 does not exist."),
    (lambda w: w.jobs.reset(7, JobSettings(name="n")), InvalidParameterValue, "Job 7 does not exist."),
    (lambda w: w.jobs.delete(7), InvalidParameterValue, "Job 7 does not exist."),
    (lambda w: w.jobs.cancel_all_runs(job_id=7), InvalidParameterValue, "Job 7 does not exist."),
    (lambda w: w.jobs.cancel_run(7), InvalidParameterValue, "Run 7 does not exist."),
    (lambda w: w.jobs.delete_run(7), InvalidParameterValue, "Run 7 does not exist."),
    (lambda w: w.jobs.repair_run(7, rerun_all_failed_tasks=True), InvalidParameterValue, "Run 7 does not exist."),
]

REFUSED: list[tuple[Ask, type[DatabricksError]]] = [
    (lambda w: w.jobs.submit(), InvalidParameterValue),
    (lambda w: w.jobs.create(), InvalidParameterValue),
    (lambda w: w.jobs.submit(tasks=[SubmitTask("no type")]), InvalidParameterValue),
    (lambda w: w.jobs.submit(tasks=submit_tasks(1) * 2), InvalidParameterValue),
    (lambda w: w.jobs.submit(tasks=[SubmitTask("a", notebook_task=NotebookTask("n"))]), InvalidParameterValue),
    (lambda w: w.jobs.submit(tasks=submit_tasks(1), idempotency_token="x" * 65), InvalidParameterValue),
    (lambda w: w.jobs.create(tasks=job_tasks(1001)), InvalidParameterValue),
    (lambda w: list(w.jobs.list(limit=101)), InvalidParameterValue),
    (lambda w: list(w.jobs.list(page_token="nonsense")), InvalidParameterValue),
    (lambda w: list(w.jobs.list_runs(limit=26)), InvalidParameterValue),
    (lambda w: list(w.jobs.list_runs(active_only=True, completed_only=True)), InvalidParameterValue),
    (lambda w: w.api_client.do("POST", "/api/2.2/jobs/create", body={"name": []}), BadRequest),
    (lambda w: w.api_client.do("GET", "/api/2.2/jobs/nothing"), NotFound),
    (lambda w: w.api_client.do("GET", "/api/2.0/nothing"), NotFound),
    (lambda w: list(w.clusters.list()), NotServed),
    (lambda w: w.pipelines.get("p"), NotServed),
    (lambda w: list(w.secrets.list_scopes()), NotServed),
]


@pytest.mark.parametrize(("ask", "kind", "message"), MISSING)
def test_what_is_not_there_is_not_there_for_a_get_and_an_invalid_value_otherwise(
    shared_workspace: LocalWorkspace, ask: Ask, kind: type[DatabricksError], message: str
) -> None:
    with pytest.raises(DatabricksError) as caught:
        ask(sdk_of(shared_workspace))
    assert (type(caught.value), str(caught.value)) == (kind, message)


def test_in_newer_workspaces_all_that_is_not_there_is_not_there() -> None:
    with simulated_sdk(missing_status=404) as (w, _):
        for ask, _, message in MISSING:
            with pytest.raises(ResourceDoesNotExist) as caught:
                ask(w)
            assert str(caught.value) == message


@pytest.mark.parametrize(("ask", "kind"), REFUSED)
def test_what_is_refused_has_its_class(shared_workspace: LocalWorkspace, ask: Ask, kind: type[DatabricksError]) -> None:
    with pytest.raises(DatabricksError) as caught:
        ask(sdk_of(shared_workspace))
    assert type(caught.value) is kind
    assert str(caught.value)


def test_the_output_of_a_job_run_is_refused() -> None:
    with simulated_sdk() as (w, _):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        with pytest.raises(InvalidParameterValue, match="runs with multiple tasks is not supported"):
            w.jobs.get_run_output(run_id)


def test_a_deleted_run_needs_to_be_over() -> None:
    with simulated_sdk({"t0": {"running": 1}}) as (w, _), pytest.raises(InvalidState, match="still active"):
        w.jobs.delete_run(w.jobs.submit(tasks=submit_tasks(1)).run_id)


def test_a_wrong_token_is_no_permission(shared_workspace: LocalWorkspace) -> None:
    with pytest.raises(PermissionDenied, match="Invalid access token"):
        list(sdk_of(shared_workspace, token="dapi-wrong").jobs.list())


def test_a_wrong_password_is_no_sign_in(shared_workspace: LocalWorkspace) -> None:
    with pytest.raises(Unauthenticated):
        list(sdk_of(shared_workspace, username="someone", password="wrong").jobs.list())


def test_login_and_password_let_in(shared_workspace: LocalWorkspace) -> None:
    w = sdk_of(shared_workspace, username="someone", password="a-password")
    assert w.config.auth_type == "basic"
    assert w.current_user.me().user_name == "someone@localhost"


def test_a_service_principal_gets_in_by_oauth_with_one_token() -> None:
    with simulated_sdk(client_id="the-client", client_secret="the-secret") as (_, workspace):
        w = sdk_of(workspace, client_id="the-client", client_secret="the-secret")
        assert w.config.auth_type == "oauth-m2m"
        me = w.current_user.me()
        assert (me.user_name, me.active) == ("the-client", True)
        run = w.jobs.submit(tasks=submit_tasks(1)).result()
        assert run.creator_user_name == "the-client"
        assert len(workspace.requests_to("POST /oidc/v1/token")) == 1


def test_a_wrong_client_secret_is_told_when_the_first_call_is_made() -> None:
    with simulated_sdk(client_id="the-client", client_secret="the-secret") as (_, workspace):
        w = sdk_of(workspace, client_id="the-client", client_secret="wrong")
        with pytest.raises(ValueError, match="invalid_client"):
            w.current_user.me()


def test_an_oauth_token_that_has_expired_is_replaced() -> None:
    options = {"client_id": "the-client", "client_secret": "the-secret"}
    with simulated_sdk(**options, oauth_token_seconds=1) as (_, workspace):
        w = sdk_of(workspace, **options)
        assert [w.current_user.me().user_name for _ in range(3)] == ["the-client"] * 3
        assert len(workspace.requests_to("POST /oidc/v1/token")) > 1


def test_an_oauth_token_that_was_taken_away_is_no_permission_until_the_next_one() -> None:
    options = {"client_id": "the-client", "client_secret": "the-secret"}
    with simulated_sdk(**options) as (_, workspace):
        w = sdk_of(workspace, **options)
        w.current_user.me()
        workspace.expire_tokens()
        with pytest.raises(PermissionDenied, match="Invalid access token"):
            w.current_user.me()
        assert sdk_of(workspace, **options).current_user.me().user_name == "the-client"


def test_https_is_trusted_by_the_certificate_of_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalWorkspace(tls=True) as workspace:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(workspace.ca_file))
        assert workspace.url.startswith("https://")
        assert sdk_of(workspace).current_user.me().active is True


def test_the_client_knows_who_it_is_and_where(shared_workspace: LocalWorkspace) -> None:
    w = sdk_of(shared_workspace)
    me = w.current_user.me()
    assert (me.user_name, me.emails[0].value, me.active) == ("someone@localhost", "someone@localhost", True)
    assert str(w.get_workspace_id()) in w.jobs.get_run(w.jobs.submit(tasks=submit_tasks(1)).run_id).run_page_url


def test_the_newest_runtime_and_the_smallest_machine_can_be_selected(shared_workspace: LocalWorkspace) -> None:
    w = sdk_of(shared_workspace)
    assert w.clusters.select_spark_version() == "16.4.x-scala2.12"
    assert w.clusters.select_spark_version(long_term_support=True, spark_version="3.4.1") == "13.3.x-scala2.12"
    assert w.clusters.select_node_type() == "m5d.large"
    assert w.clusters.select_node_type(min_memory_gb=16, min_cores=4) in {"i3.xlarge", "r5d.xlarge"}
