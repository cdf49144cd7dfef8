"""The permissions of jobs: as databricks-sdk and others read and change them."""

from __future__ import annotations

from typing import Any

import pytest
from databricks.sdk.errors import InvalidParameterValue, PermissionDenied, ResourceDoesNotExist
from databricks.sdk.service.jobs import JobAccessControlRequest, JobPermissionLevel, JobPermissions, JobSettings

from tests.local.client import Client, error, notebook_task
from tests.local.jobs import INVALID, create
from tests.local.sdk import job_tasks, simulated_sdk, submit_tasks
from tests.local.test_sdk_fields import lost

ME = "someone@localhost"
OWNS = {"user_name": ME, "permission_level": "IS_OWNER"}
VIEWS = {"group_name": "users", "permission_level": "CAN_VIEW"}

pytestmark = pytest.mark.usefixtures("sdk_time")


def levels(permissions: JobPermissions) -> dict[str, str]:
    """The levels that were set for this job, by the name of who has them."""
    return {
        each.user_name or each.group_name or each.service_principal_name: level.permission_level.value
        for each in permissions.access_control_list
        for level in each.all_permissions
        if not level.inherited
    }


def request(level: str, **principal: str) -> JobAccessControlRequest:
    return JobAccessControlRequest(permission_level=JobPermissionLevel(level), **principal)


def test_permissions_are_read_replaced_and_updated() -> None:
    with simulated_sdk() as (w, _):
        job_id = w.jobs.create(tasks=job_tasks(1)).job_id
        assert levels(w.jobs.get_permissions(str(job_id))) == {ME: "IS_OWNER"}

        update = [request("CAN_VIEW", group_name="users"), request("CAN_MANAGE_RUN", service_principal_name="app")]
        everything = {ME: "IS_OWNER", "users": "CAN_VIEW", "app": "CAN_MANAGE_RUN"}
        assert levels(w.jobs.update_permissions(str(job_id), access_control_list=update)) == everything
        assert levels(w.jobs.get_permissions(str(job_id))) == everything

        update = [request("CAN_MANAGE", group_name="users")]
        w.jobs.update_permissions(str(job_id), access_control_list=update)
        assert levels(w.jobs.get_permissions(str(job_id))) == {**everything, "users": "CAN_MANAGE"}

        new = [request("IS_OWNER", user_name="anna"), request("CAN_VIEW", user_name=ME)]
        replaced = w.jobs.set_permissions(str(job_id), access_control_list=new)
        assert (replaced.object_id, replaced.object_type) == (f"/jobs/{job_id}", "job")
        assert levels(w.jobs.get_permissions(str(job_id))) == {"anna": "IS_OWNER", ME: "CAN_VIEW"}


def test_permissions_are_read_whole_and_name_the_admins() -> None:
    with simulated_sdk() as (w, _):
        job_id = w.jobs.create(tasks=job_tasks(1)).job_id
        raw = w.api_client.do("GET", f"/api/2.0/permissions/jobs/{job_id}")
        assert list(lost(raw, w.jobs.get_permissions(str(job_id)).as_dict())) == []
        assert raw["access_control_list"][-1]["all_permissions"][0]["inherited_from_object"] == ["/jobs/"]
        levels = w.jobs.get_permission_levels(str(job_id)).permission_levels
        assert {each.permission_level.value for each in levels} == {each.value for each in JobPermissionLevel}


def test_permissions_given_with_a_new_job_are_its_permissions_and_a_reset_leaves_them() -> None:
    with simulated_sdk() as (w, _):
        given = [request("CAN_VIEW", group_name="users")]
        job_id = w.jobs.create(tasks=job_tasks(1), access_control_list=given).job_id
        for _ in range(2):
            assert levels(w.jobs.get_permissions(str(job_id))) == {ME: "IS_OWNER", "users": "CAN_VIEW"}
            w.jobs.reset(job_id, JobSettings(name="again", tasks=job_tasks(1)))
        other = [request("IS_OWNER", user_name="anna")]
        job_id = w.jobs.create(tasks=job_tasks(1), access_control_list=other).job_id
        assert levels(w.jobs.get_permissions(str(job_id))) == {"anna": "IS_OWNER"}


def test_a_submitted_run_has_permissions_by_its_job_id_until_it_is_deleted() -> None:
    """Dbt submits a run and then grants more with the permissions of its job."""
    with simulated_sdk() as (w, _):
        given = [request("IS_OWNER", user_name=ME), request("CAN_VIEW", group_name="users")]
        run = w.jobs.submit(tasks=submit_tasks(1), access_control_list=given).result()
        job_id = str(run.job_id)
        assert levels(w.jobs.get_permissions(job_id)) == {ME: "IS_OWNER", "users": "CAN_VIEW"}
        update = [request("CAN_MANAGE", user_name="anna")]
        changed = {ME: "IS_OWNER", "users": "CAN_VIEW", "anna": "CAN_MANAGE"}
        assert levels(w.jobs.update_permissions(job_id, access_control_list=update)) == changed
        assert levels(w.jobs.get_permissions(job_id)) == changed

        w.jobs.delete_run(run.run_id)
        with pytest.raises(ResourceDoesNotExist):
            w.jobs.get_permissions(job_id)


def test_a_service_principal_owns_the_job_that_it_makes() -> None:
    with simulated_sdk(client_id="my-app", client_secret="s") as (_, workspace):
        client = Client(workspace)
        token = workspace.issue_token(user="my-app")
        client.http.headers["Authorization"] = f"Bearer {token}"
        answer = client.http.get(f"/api/2.0/permissions/jobs/{create(client)}").json()
        assert answer["access_control_list"][0]["service_principal_name"] == "my-app"
        client.close()


def test_a_job_has_exactly_one_owner() -> None:
    with simulated_sdk() as (w, _):
        job_id = str(w.jobs.create(tasks=job_tasks(1)).job_id)
        owner, other = request("IS_OWNER", user_name=ME), request("IS_OWNER", user_name="anna")
        for change, entries in (
            (w.jobs.set_permissions, []),
            (w.jobs.set_permissions, [owner, other]),
            (w.jobs.update_permissions, [other]),
            (w.jobs.update_permissions, [request("CAN_MANAGE", user_name=ME)]),
        ):
            with pytest.raises(InvalidParameterValue, match=r"The job must have exactly one owner\."):
                change(job_id, access_control_list=entries)
        assert levels(w.jobs.get_permissions(job_id)) == {ME: "IS_OWNER"}


def test_of_two_levels_of_a_principal_the_higher_one_counts() -> None:
    with simulated_sdk() as (w, _):
        job_id = str(w.jobs.create(tasks=job_tasks(1)).job_id)
        both = [request("IS_OWNER", user_name=ME), request("CAN_VIEW", user_name=ME)]
        assert levels(w.jobs.set_permissions(job_id, access_control_list=both)) == {ME: "IS_OWNER"}


def test_a_job_that_does_not_exist_has_no_permissions() -> None:
    with simulated_sdk() as (w, _):
        for ask in (w.jobs.get_permissions, w.jobs.set_permissions, w.jobs.update_permissions):
            with pytest.raises(ResourceDoesNotExist, match=r"Job 5 does not exist\."):
                ask("5")


def test_a_fault_refuses_the_change_of_permissions_alone() -> None:
    with simulated_sdk() as (w, workspace):
        job_id = str(w.jobs.create(tasks=job_tasks(1)).job_id)
        workspace.fault("PUT */permissions/jobs/*", status=403)
        with pytest.raises(PermissionDenied):
            w.jobs.set_permissions(job_id, access_control_list=[request("IS_OWNER", user_name="anna")])
        assert levels(w.jobs.get_permissions(job_id)) == {ME: "IS_OWNER"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"permission_level": "CAN_VIEW"}, "access_control_list[1]"),
        ({"user_name": "a", "group_name": "b", "permission_level": "CAN_VIEW"}, "access_control_list[1]"),
        ({"user_name": "a"}, "access_control_list[1].permission_level"),
        ({"user_name": "a", "permission_level": "CAN_EDIT"}, "access_control_list[1].permission_level"),
        ({"group_name": "g", "permission_level": "IS_OWNER"}, "The group g cannot be the owner"),
    ],
)
def test_a_wrong_entry_is_refused_wherever_it_is_given(client: Client, entry: dict[str, Any], message: str) -> None:
    job_id = create(client)
    entries = [VIEWS, entry]
    for response in (
        client.http.put(f"/api/2.0/permissions/jobs/{job_id}", json={"access_control_list": [OWNS, entry]}),
        client.http.patch(f"/api/2.0/permissions/jobs/{job_id}", json={"access_control_list": entries}),
        client.http.post("/api/2.2/jobs/create", json={"name": "x", "access_control_list": entries}),
        client.http.post(
            "/api/2.2/jobs/runs/submit", json={"tasks": [notebook_task("/n")], "access_control_list": entries}
        ),
    ):
        assert error(response)[:2] == INVALID
        assert message in error(response)[2]


def test_the_path_must_name_a_job_in_version_2_0(client: Client) -> None:
    job_id = create(client)
    assert error(client.http.get("/api/2.0/permissions/jobs/abc"))[:2] == (400, "MALFORMED_REQUEST")
    assert client.http.get(f"/api/2.2/permissions/jobs/{job_id}").status_code == 404
    assert client.http.get(f"/api/2.0/permissions/clusters/{job_id}").status_code == 501
    body = {"job_id": 5, "access_control_list": [OWNS]}
    answer = client.http.put(f"/api/2.0/permissions/jobs/{job_id}", json=body).json()
    assert answer["object_id"] == f"/jobs/{job_id}"


def test_an_empty_name_names_nobody(client: Client) -> None:
    entry = {"user_name": "", "group_name": "users", "permission_level": "CAN_VIEW"}
    run_as = {"user_name": "", "service_principal_name": "sp"}
    job_id = client.post("create", access_control_list=[entry], run_as=run_as)["job_id"]
    given = client.answer(client.http.get(f"/api/2.0/permissions/jobs/{job_id}"))["access_control_list"]
    assert {"group_name": "users", "all_permissions": [{"permission_level": "CAN_VIEW", "inherited": False}]} in given
    assert not any(each.get("user_name") == "" for each in given)
    assert client.get("get", job_id=job_id)["run_as_user_name"] == "sp"
