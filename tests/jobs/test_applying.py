"""A job is applied by its name, once and only where something differs, and nobody else's job is touched."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from prefect_databricks_runs import (
    BadRequest,
    DatabricksConnectionError,
    InvalidPayload,
    JobNameError,
    JobProtected,
)
from prefect_databricks_runs._connect.call import plain_call
from prefect_databricks_runs._jobs.applying import Applying
from prefect_databricks_runs._jobs.wanted import TAG, Wanted
from prefect_databricks_runs._prefect import portal
from tests.jobs.bodies import RICH, at, leaves
from tests.support.processes import PATIENCE

CREATE, RESET, UPDATE = "POST 2.2/jobs/create", "POST 2.2/jobs/reset", "POST 2.2/jobs/update"
TASK = {"task_key": "main", "notebook_task": {"notebook_path": "/Shared/nightly"}}
JOB: dict[str, Any] = {"name": "nightly", "tasks": [TASK]}


CREATOR = f"""
import logging, sys
from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._connect.call import plain_call
from prefect_databricks_runs._jobs.applying import Applying
from prefect_databricks_runs._jobs.wanted import Wanted
from prefect_databricks_runs._prefect import portal
call = plain_call(DatabricksCredentials(host=sys.argv[1], token=sys.argv[2]), logging.getLogger("creator"))
wanted = Wanted.of({JOB!r})
print("ready", flush=True)
input()
print(portal.call(Applying(call, wanted, adopt=False).apply).job_id)
"""


def settings(api, job_id: int) -> dict[str, Any]:
    return api("jobs/get", job_id=job_id)["settings"]


def ids(api, name: str = "nightly") -> list[int]:
    return [each["job_id"] for each in api("jobs/list", name=name).get("jobs", [])]


@pytest.mark.parametrize("job", [JOB, RICH], ids=["small", "rich"])
def test_a_job_is_created_once_and_then_nothing_is_sent(job, apply, sent, api) -> None:
    first = apply(job)
    assert (first.action, sent()) == ("created", [CREATE])
    assert ids(api, job["name"]) == [first.job_id]
    sent()
    second = apply(job)
    assert (second.action, second.job_id, second.changes, sent()) == ("unchanged", first.job_id, (), [])


def test_a_difference_is_reset_and_named(apply, sent) -> None:
    job_id = apply(JOB).job_id
    sent()
    done = apply({**JOB, "max_concurrent_runs": 3, "tasks": [{**TASK, "max_retries": 2}]})
    assert (done.action, done.job_id, sent()) == ("updated", job_id, [RESET])
    assert [str(each) for each in done.changes] == ["+ tasks[main].max_retries: 2", "~ max_concurrent_runs: 1 -> 3"]


def test_a_key_that_is_removed_from_the_code_is_removed_from_the_job(apply, api) -> None:
    job_id = apply({**JOB, "description": "old", "tasks": [{**TASK, "max_retries": 2}]}).job_id
    done = apply(JOB)
    assert {str(each) for each in done.changes} == {'- description: "old"', "- tasks[main].max_retries: 2"}
    assert "description" not in settings(api, job_id)


def test_a_key_that_the_shape_of_the_api_does_not_have_is_removed_too(apply, workspace, sent) -> None:
    """Databricks may add such a key by itself; that it was wanted before is known by the hash in the tag."""
    apply(JOB)
    sent()
    added = workspace.fault("GET */jobs/get", merge={"settings": {"brand_new": "x"}})
    assert (apply(JOB).action, sent()) == ("unchanged", [])
    added.remove()
    before = Wanted.of({**JOB, "brand_new": "x"}).tagged()
    workspace.fault("GET */jobs/get", merge={"settings": before}, times=1)
    assert ([str(each) for each in apply(JOB).changes], sent()) == (['- brand_new: "x"'], [RESET])


def test_what_databricks_sets_by_itself_is_remembered_and_never_a_difference(apply, workspace, sent, api) -> None:
    """Such as the default of a workspace, or another form of a value: nobody can know all of them."""
    own = {"budget_policy_id": "of-the-workspace", "description": "every night."}
    workspace.fault("GET */jobs/get", merge={"settings": own})
    job_id = apply(RICH).job_id
    assert sent() == [CREATE, UPDATE]
    tag = settings(api, job_id)["tags"][TAG]
    assert re.fullmatch("[0-9a-f]{12}-[0-9a-f]{8}", tag)
    assert (apply(RICH).action, sent()) == ("unchanged", [])
    assert "~ timeout_seconds: 7200 -> 1" in map(str, apply({**RICH, "timeout_seconds": 1}).changes)
    assert apply({**RICH, "timeout_seconds": 1}).action == "unchanged"


FREE = {"description", "package", "jar", "notebook_path", "python_file", "default", "quartz_cron_expression"}
CHANGEABLE = [
    path
    for path in leaves(RICH)
    if isinstance(at(RICH, path), (int, bool)) or path[-1] in FREE or {"spark_conf", "custom_tags", "tags"} & {*path}
]


@given(path=st.sampled_from(CHANGEABLE))
@settings_of_hypothesis(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_thing_that_is_changed_is_one_reset_with_that_thing(path, apply, workspace, sent) -> None:
    apply(RICH)
    body, old = json.loads(json.dumps(RICH)), at(RICH, path)
    changed = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}x"
    at(body, path[:-1])[path[-1]] = changed
    sent()
    (change,) = apply(body).changes
    assert (change.sign, sent()) == ("~", [RESET])
    assert str(next(key for key in reversed(path) if isinstance(key, str))) in change.path
    assert (apply(body).action, sent()) == ("unchanged", [])


def test_a_job_with_more_tasks_than_a_page_is_compared_as_a_whole(apply, sent) -> None:
    tasks = [{**TASK, "task_key": f"t{number}"} for number in range(230)]
    apply({**JOB, "tasks": tasks})
    sent()
    assert (apply({**JOB, "tasks": tasks}).action, sent()) == ("unchanged", [])
    tasks[229] = {**tasks[229], "max_retries": 1}
    assert [str(each) for each in apply({**JOB, "tasks": tasks}).changes] == ["+ tasks[t229].max_retries: 1"]


def test_a_dry_run_says_what_would_be_done_and_sends_nothing(apply, sent) -> None:
    assert (apply(JOB, is_dry=True).action, sent()) == ("created", [])
    apply(JOB)
    sent()
    done = apply({**JOB, "timeout_seconds": 5}, is_dry=True)
    assert ([str(each) for each in done.changes], sent()) == (["~ timeout_seconds: 0 -> 5"], [])


def test_creators_at_once_make_one_job(workspace, databricks, api) -> None:
    """Each in a thread of its own, and all of them past the search for the name before the first one creates."""
    workspace.fault("POST */jobs/create", delay=0.3, times=3)

    async def all_at_once() -> list[Any]:
        call = plain_call(databricks, logging.getLogger("prefect_databricks_runs"))
        return await asyncio.gather(*(Applying(call, Wanted.of(JOB), adopt=False).apply() for _ in range(3)))

    done = portal.call(all_at_once)
    assert len([each for each in workspace.requests if each.path.endswith("/create")]) == 3
    (job_id,) = ids(api)
    assert {each.job_id for each in done} == {job_id}


@pytest.mark.parametrize("is_second", [False, True], ids=["alone", "after another one"])
def test_a_creator_that_is_interrupted_leaves_no_second_job(is_second, apply, workspace, databricks, api) -> None:
    slow = workspace.fault("POST */jobs/create", delay=0.5, times=1)

    async def interrupted() -> bool:
        call = plain_call(databricks, logging.getLogger("prefect_databricks_runs"))
        async with anyio.create_task_group() as group:
            group.start_soon(Applying(call, Wanted.of(JOB), adopt=False).apply)
            while not slow.met:
                await anyio.sleep(0.01)
            if is_second:
                await call.hook.create_job(Wanted.of(JOB).tagged())
            group.cancel_scope.cancel()
        return True

    assert portal.call(interrupted)
    (job_id,) = ids(api)
    assert (apply(JOB).job_id, apply(JOB).action) == (job_id, "unchanged")


@pytest.mark.long
def test_processes_that_create_at_once_make_one_job(workspace, databricks, api) -> None:
    workspace.fault("POST */jobs/create", delay=0.5, times=3)
    arguments = [sys.executable, "-c", CREATOR, workspace.url, workspace.token]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        creators = [stack.enter_context(subprocess.Popen(arguments, **pipes)) for _ in range(3)]
        for each in creators:
            assert each.stdout.readline() == "ready\n"
        for each in creators:
            each.stdin.write("\n")
            each.stdin.flush()
        done = [int(each.communicate(timeout=PATIENCE)[0]) for each in creators]
    assert set(done) == set(ids(api))
    assert len(set(done)) == 1


@pytest.mark.parametrize("loss", [{"reset": True}, {"status": 502, "html": True}, {"truncate": True}], ids=str)
@pytest.mark.parametrize("times", [1, 2])
def test_a_create_whose_answer_is_lost_makes_one_job(loss, times, apply, workspace, api) -> None:
    workspace.fault("POST */jobs/create", **loss, after_effect=True, times=times)
    done = apply(JOB)
    assert ids(api) == [done.job_id]


def test_a_create_that_was_not_done_is_tried_again(apply, workspace, api) -> None:
    workspace.fault("POST */jobs/create", status=503, times=2)
    assert [apply(JOB).job_id] == ids(api)


def test_a_create_that_is_refused_is_an_error_at_once(apply, workspace, api, sent) -> None:
    workspace.fault("POST */jobs/create", status=400, error_code="INVALID_PARAMETER_VALUE", message="no such node")
    with pytest.raises(BadRequest, match="no such node"):
        apply(JOB)
    assert (ids(api), sent()) == ([], [CREATE])


def test_a_job_that_is_deleted_between_two_calls_is_created_again(apply, workspace, api) -> None:
    first = apply(JOB).job_id
    gone = {"status": 400, "error_code": "INVALID_PARAMETER_VALUE", "message": f"Job {first} does not exist."}
    workspace.fault("GET */jobs/get", **gone, times=1)
    api("jobs/delete", {"job_id": first})
    workspace.fault("GET */jobs/list", merge={"jobs": [{"job_id": first}]}, times=1)
    done = apply(JOB)
    assert done.action == "created"
    assert ids(api) == [done.job_id] != [first]


def test_a_name_that_two_jobs_have_is_an_error_that_names_both(apply, api, sent) -> None:
    made = sorted(api("jobs/create", JOB)["job_id"] for _ in range(2))
    sent()
    with pytest.raises(JobNameError, match="Rename or delete all but one") as caught:
        apply(JOB)
    assert (list(caught.value.job_ids), sent()) == (made, [])


def test_a_job_of_others_is_reset_only_when_it_is_adopted(apply, api, sent) -> None:
    job_id = api("jobs/create", {**JOB, "description": "by hand"})["job_id"]
    sent()
    with pytest.raises(JobProtected, match=r"(?s)not made by `apply_job`.*1 setting differs.*adopt=True") as caught:
        apply(JOB)
    assert (caught.value.job_id, sent()) == (job_id, [])
    assert apply({**JOB, "description": "by hand"}).action == "unchanged"
    done = apply(JOB, adopt=True)
    assert (done.action, done.job_id, sent()) == ("updated", job_id, [RESET])
    assert apply({**JOB, "timeout_seconds": 9}).action == "updated"


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ({"deployment": {"kind": "BUNDLE", "metadata_file_path": "/x"}, "edit_mode": "UI_LOCKED"}, "bundle"),
        ({"edit_mode": "UI_LOCKED"}, "locked"),
    ],
)
def test_a_job_of_a_bundle_and_a_locked_one_are_refused(held, reason, apply, api, sent) -> None:
    api("jobs/create", {**JOB, **held})
    sent()
    for adopt in (False, True):
        with pytest.raises(JobProtected, match=reason):
            apply(JOB, adopt=adopt)
    assert sent() == []


def test_a_job_that_is_locked_by_its_own_settings_can_be_applied_again(apply) -> None:
    locked = {**JOB, "edit_mode": "UI_LOCKED"}
    apply(locked)
    assert apply({**locked, "timeout_seconds": 7}).action == "updated"


def grants(databricks, job_id: int) -> dict[str, str]:
    with databricks.get_client() as client:
        answer = client.get(f"/api/2.0/permissions/jobs/{job_id}").json()
    own = [each for each in answer["access_control_list"] if not each["all_permissions"][0]["inherited"]]
    return {each.get("user_name") or each["group_name"]: each["all_permissions"][0]["permission_level"] for each in own}


def acl(level: str) -> dict[str, Any]:
    return {**JOB, "access_control_list": [{"group_name": "users", "permission_level": level}]}


def test_permissions_are_set_when_they_are_given_and_only_then(apply, databricks, sent) -> None:
    job_id = apply(acl("CAN_VIEW")).job_id
    assert grants(databricks, job_id)["users"] == "CAN_VIEW"
    sent()
    assert (apply(acl("CAN_VIEW")).action, apply(JOB).action, sent()) == ("unchanged", "unchanged", [])
    done = apply(acl("CAN_MANAGE_RUN"))
    assert [str(each) for each in done.changes] == ["~ access_control_list[users]: CAN_VIEW -> CAN_MANAGE_RUN"]
    assert sent() == [f"PUT 2.0/permissions/jobs/{job_id}"]
    assert grants(databricks, job_id)["users"] == "CAN_MANAGE_RUN"
    assert "IS_OWNER" in grants(databricks, job_id).values()


def test_permissions_that_are_refused_leave_the_job_as_it_was(apply, workspace, api, sent) -> None:
    job_id = apply(JOB).job_id
    before = settings(api, job_id)
    workspace.fault(
        "PUT */permissions/jobs/*", status=400, error_code="INVALID_PARAMETER_VALUE", message="no such user"
    )
    sent()
    with pytest.raises(BadRequest, match="no such user"):
        apply({**acl("CAN_VIEW"), "timeout_seconds": 9})
    assert sent() == [f"PUT 2.0/permissions/jobs/{job_id}"]
    assert settings(api, job_id) == before
    workspace.clear_faults()
    assert len(apply({**acl("CAN_VIEW"), "timeout_seconds": 9}).changes) == 2


def cyclic() -> dict[str, Any]:
    tasks = [{**TASK, "task_key": key, "depends_on": [{"task_key": other}]} for key, other in ("ab", "ba")]
    return {**JOB, "tasks": tasks}


@pytest.mark.parametrize(
    ("job", "fault"),
    [
        (cyclic(), "these wait for each other"),
        ({**JOB, "tasks": [TASK, TASK]}, "is also the key of"),
        ({**JOB, "tasks": [{**TASK, "job_cluster_key": "shared"}]}, "'shared' is not defined"),
        ({"name": "nightly"}, "tasks: there is no task"),
        ({"tasks": [TASK]}, "name: is missing"),
        ({"anything": 1}, "name: is missing"),
        ([JOB], "must be a dict or an object with as_dict"),
        ({**JOB, "tags": {f"t{number}": "" for number in range(25)}}, "set at most 24"),
        ({**JOB, "deployment": {"kind": "BUNDLE"}}, "a bundle deploys its jobs itself"),
        ({**JOB, "description": "{{ prefect.flow_run.name }}"}, "make it a parameter of the job"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_job_with_a_fault_is_not_sent(job, fault, apply, workspace) -> None:
    with pytest.raises(InvalidPayload, match=fault):
        apply(job)
    assert workspace.requests == ()


def test_jobs_of_the_sdk_are_taken_as_they_are(apply, api, sent) -> None:
    from databricks.sdk.service import compute, jobs

    cluster = compute.ClusterSpec(spark_version="16.4.x-scala2.12", node_type_id="m5d.large", num_workers=1)
    job = jobs.JobSettings(
        name="nightly",
        job_clusters=[jobs.JobCluster(job_cluster_key="shared", new_cluster=cluster)],
        tasks=[
            jobs.Task(
                task_key="main",
                job_cluster_key="shared",
                notebook_task=jobs.NotebookTask(notebook_path="/Shared/nightly", source=jobs.Source.WORKSPACE),
            )
        ],
    )
    job_id = apply(job).job_id
    sent()
    assert (apply(job).job_id, sent()) == (job_id, [])


class OfBundle:
    """A job as the Python support of Databricks bundles has it; `permissions` and `lifecycle` are of bundles alone."""

    def __init__(self, **more: Any) -> None:
        self.more = more

    def as_dict(self) -> dict[str, Any]:
        permissions = [{"group_name": "users", "level": "CAN_VIEW"}]
        return {**JOB, "permissions": permissions, "lifecycle": {"prevent_destroy": True}, **self.more}


def test_jobs_of_bundles_in_python_are_taken_as_they_are(apply, databricks, sent) -> None:
    job_id = apply(OfBundle()).job_id
    assert grants(databricks, job_id)["users"] == "CAN_VIEW"
    sent()
    assert (apply(OfBundle()).action, sent()) == ("unchanged", [])


def test_a_variable_of_a_bundle_has_no_value_here(apply, workspace) -> None:
    with pytest.raises(InvalidPayload, match=r"`\$\{var.owner\}` is a variable of a bundle"):
        apply(OfBundle(description="of ${var.owner}"))
    assert workspace.requests == ()


def test_a_job_that_was_read_from_databricks_is_applied_as_it_is(apply, api, sent) -> None:
    job_id = apply(RICH).job_id
    sent()
    assert (apply(settings(api, job_id)).job_id, sent()) == (job_id, [])


def test_the_workspace_that_is_gone_is_an_error(apply, workspace) -> None:
    workspace.fault("GET */jobs/list", reset=True)
    with pytest.raises(DatabricksConnectionError):
        apply(JOB)
