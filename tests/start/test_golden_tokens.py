"""Idempotency tokens of typical requests, as they are on every release, Prefect line and Python.

An upgrade may come in the middle of a retry. Were a token another one after it, a second run would be started: whatever
is normalised in a request must be so behind the token, and none of these values may ever be changed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from prefect_databricks_runs import _runtime
from prefect_databricks_runs._payload.build import run_now_template, submit_run_template
from prefect_databricks_runs._start.identity import Caller, Step, Submission

WHO = Step(UUID(int=1), 1)
VALUES = {
    "prefect.flow_run.name": "quick-otter",
    "prefect.flow_run.id": "0f0e0d0c-0000-4000-8000-000000000001",
    "prefect.flow_run.run_count": 2,
    "prefect.flow_run.parameters.day": "2026-11-28",
    "prefect.flow_run.parameters.limits": {"rows": 10, "share": 0.5},
    "prefect.variables.cluster": "0123-456789-abc",
    "prefect.deployment.name": "nightly",
    "prefect.flow_run.tags": ["a", "b"],
}
CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 2}
PATH = "/Users/ada@example.com/etl"
NOTEBOOK = {"notebook_path": PATH}


def notebook(**parameters: Any) -> dict[str, Any]:
    """One task that runs a notebook."""
    task = {"task_key": "main", "existing_cluster_id": "1", "notebook_task": {**NOTEBOOK}}
    if parameters:
        task["notebook_task"]["base_parameters"] = parameters
    return {"tasks": [task]}


TWO_TASKS = {
    "tasks": [
        {
            "task_key": "a",
            "new_cluster": {**CLUSTER, "spark_conf": {"x": "1"}},
            "notebook_task": {**NOTEBOOK, "base_parameters": {"share": 0.25, "stadt": "Köln ☃", "n": None}},
        },
        {
            "task_key": "b",
            "existing_cluster_id": "1",
            "depends_on": [{"task_key": "a"}],
            "libraries": [{"pypi": {"package": "x==1.0"}}],
            "python_wheel_task": {"package_name": "p", "entry_point": "e", "named_parameters": {"day": "2026-11-28"}},
        },
    ]
}
SPARK_JAR = {
    "task_key": "a",
    "existing_cluster_id": "1",
    "spark_jar_task": {"main_class_name": "x.Y", "parameters": ["1", 2, True]},
}
OF_THE_ATTEMPT = {
    "run_name": "{{ prefect.flow_run.name }} {{ prefect.flow_run.run_count }}",
    "tasks": [
        {
            "task_key": "main",
            "existing_cluster_id": "{{ prefect.variables.cluster }}",
            "notebook_task": {
                **NOTEBOOK,
                "base_parameters": {"id": "{{ prefect.flow_run.id }}", "theirs": "{{job.run_id}}"},
            },
        }
    ],
}
LASTING = notebook(
    day="{{ prefect.flow_run.parameters.day }}",
    limits="{{prefect.flow_run.parameters.limits}}",
    of="{{ prefect.deployment.name }} x",
)
OLD_STYLE = {"new_cluster": CLUSTER, "notebook_task": NOTEBOOK, "run_name": "old", "timeout_seconds": 3600}
DAY = {"day": "{{ prefect.flow_run.parameters.day }}"}


@pytest.mark.parametrize(
    ("json", "fields", "token"),
    [
        pytest.param(
            notebook(), {}, "f8ccaceb0f0ab217581f508268a33fe02161b18020dc107b5420b0a1238882ed", id="one notebook"
        ),
        pytest.param(
            OLD_STYLE, {}, "123b6ec4d375d8118b45fa8ec25a872ce203f501ba30c592dc9da3adaba2cf3f", id="as the old task"
        ),
        pytest.param(
            {"run_name": "a", "tasks": [SPARK_JAR]},
            {"run_name": "b", "timeout_seconds": 60},
            "ae55e7523d53607435a7662ae3b08e47127d623f91959c221023710f3eab9956",
            id="named fields over json",
        ),
        pytest.param(
            TWO_TASKS, {}, "9dc99f547629e70708aa6727d784fb1405a3ba0f5ea79f67d00249cf9f3b42a9", id="floats, unicode"
        ),
        pytest.param(
            LASTING, {}, "3bdd41bb8b2c52dfe8578b9646b8a077dbc34a48f7e9f05da380229ea8e39460", id="lasting placeholders"
        ),
        pytest.param(
            OF_THE_ATTEMPT,
            {},
            "7f07a18ad303b347fd41a4b4983e4f0c431ae5d73a908ab0e843a4279368a0db",
            id="placeholders of the attempt",
        ),
    ],
)
def test_the_token_of_a_submission_stays(json: Any, fields: dict[str, Any], token: str) -> None:
    assert token_of(submit_run_template(json, fields)) == token


@pytest.mark.parametrize(
    ("json", "fields", "token"),
    [
        pytest.param(
            {"job_id": 42}, {}, "1f6fe4efdf1aa8d1541f755136daf04a68acaf8e1245f0b69ecb9162fa15c4e7", id="a job"
        ),
        pytest.param(
            {"job_id": "42", "notebook_params": {"a": 1, "b": "x"}},
            {"notebook_params": {"b": 2.5}},
            "1a6c35be7309dc16a3e11dec2819f473ae805a20e699c7bcef34d0d5d61bd9a5",
            id="merged",
        ),
        pytest.param(
            None,
            {"job_id": 7, "job_parameters": DAY},
            "0b52bf8f8804fe8cda35845cdd84b5a05947b372f5ca68b408054be866e3fdf9",
            id="job parameters",
        ),
        pytest.param(
            None,
            {"job_id": 7, "queue": {"enabled": True}, "python_params": ["a", "{{ prefect.flow_run.name }}"]},
            "a5eb1259c344d53738fdcd3ea3ae38b10f5b0c2182ecf73ace696f796386d25e",
            id="the attempt in a list",
        ),
    ],
)
def test_the_token_of_a_run_of_a_job_stays(json: Any, fields: dict[str, Any], token: str) -> None:
    assert token_of(run_now_template(json, fields)) == token


def token_of(template: Any) -> str:
    """The token of the first such request of a flow run."""
    _runtime.forget()
    lasting = template.lasting(VALUES, template.fill(VALUES))
    host = "https://adb-1.2.azuredatabricks.net"
    return Submission(Caller((WHO,), (WHO,), is_remote=False), host, template.endpoint, lasting).token(0)
