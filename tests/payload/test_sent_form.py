"""What is sent differs from what is given only where the API wants another form; the idempotency token never does."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials, submit_run
from prefect_databricks_runs._payload.build import run_now_template, submit_run_template

NOTEBOOK = {"task_key": "b", "notebook_task": {"notebook_path": "/n"}}
VALUES = {
    "prefect.flow_run.parameters.days": ["mon", "tue"],
    "prefect.flow_run.name": "otter",
    "prefect.variables.n": 5,
}


def task(**fields: Any) -> dict[str, Any]:
    return {"tasks": [{"task_key": "a", **fields}]}


def for_each(inputs: Any) -> dict[str, Any]:
    return task(for_each_task={"inputs": inputs, "task": NOTEBOOK})


def both(body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body as it is sent, and as the token is made of it."""
    template = submit_run_template(body, {})
    sent = template.fill(VALUES)
    return sent, template.lasting(VALUES, sent)


@pytest.mark.parametrize(
    ("inputs", "sent"),
    [
        ([1, 2], "[1,2]"),
        ([], "[]"),
        ([{"day": date(2026, 1, 2)}, "é"], '[{"day":"2026-01-02"},"\\u00e9"]'),
        ("[1, 2]", "[1, 2]"),
        ("{{job.parameters.days}}", "{{job.parameters.days}}"),
        ("{{ prefect.flow_run.parameters.days }}", '["mon","tue"]'),
        (["{{ prefect.flow_run.name }}", "{{ prefect.variables.n }}"], '["otter",5]'),
    ],
)
def test_the_inputs_of_a_for_each_task_are_sent_as_json_text(inputs: Any, sent: str) -> None:
    built, _ = both(for_each(inputs))
    assert built["tasks"][0]["for_each_task"]["inputs"] == sent


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"dashboard_task": {"filters": {"a": ["x", "y"], "b": "z"}}}, {"filters": {"a": '["x","y"]', "b": "z"}}),
        (
            {"condition_task": {"op": "EQUAL_TO", "left": 5, "right": True}},
            {"op": "EQUAL_TO", "left": "5", "right": "true"},
        ),
        ({"dbt_cloud_task": {"dbt_cloud_job_id": 123.0}}, {"dbt_cloud_job_id": 123}),
        ({"dbt_platform_task": {"dbt_platform_job_id": 123.0}}, {"dbt_platform_job_id": "123"}),
        (
            {"sql_task": {"warehouse_id": 5, "query": {"query_id": "q"}}},
            {"warehouse_id": "5", "query": {"query_id": "q"}},
        ),
        (
            {"pipeline_task": {"pipeline_id": "p", "parameters": {"a": {"b": 1}}}},
            {"pipeline_id": "p", "parameters": {"a": '{"b":1}'}},
        ),
    ],
)
def test_what_the_api_wants_in_another_form_is_sent_in_it_and_the_token_stays(fields: Any, sent: Any) -> None:
    built, lasting = both(task(**fields))
    ((kind, given),) = fields.items()
    assert built["tasks"][0][kind] == sent
    assert lasting["tasks"][0][kind] == given
    assert type(next(iter(lasting["tasks"][0][kind].values()))) is type(next(iter(given.values())))


def test_numbers_and_truth_values_are_sent_as_text_where_the_api_wants_text() -> None:
    """As YAML has them: `client: 1`, `outcome: true`."""
    tasks = [
        {"task_key": 1, "condition_task": {"op": "EQUAL_TO", "left": 1, "right": 1}},
        {**NOTEBOOK, "depends_on": [{"task_key": 1, "outcome": True}]},
    ]
    environments = [{"environment_key": 2, "spec": {"client": 1.0, "environment_version": 4}}]
    built, lasting = both({"run_name": "{{ prefect.variables.n }}", "tasks": tasks, "environments": environments})
    assert built["run_name"] == "5"
    assert built["tasks"][0]["task_key"] == "1"
    assert built["tasks"][1]["depends_on"] == [{"task_key": "1", "outcome": "true"}]
    assert built["environments"] == [{"environment_key": "2", "spec": {"client": "1", "environment_version": "4"}}]
    of_attempt = {"run_name": "{{ prefect.variables.n }}"}
    assert repr(lasting) == repr({**of_attempt, "tasks": tasks, "environments": environments})


def test_what_is_no_text_at_all_is_sent_as_it_is_where_the_api_wants_text() -> None:
    cluster = {"num_workers": 1, "spark_version": ["15.4"], "data_security_mode": {"a": 1}}
    assert (
        both(task(notebook_task={"notebook_path": "/n"}, new_cluster=cluster))[0]["tasks"][0]["new_cluster"] == cluster
    )


def test_scalars_in_maps_of_text_are_sent_as_they_are() -> None:
    conf = {"spark.sql.shuffle.partitions": 64, "spark.speculation": True}
    cluster = {"spark_conf": conf, "num_workers": 2.0}
    built, lasting = both(task(notebook_task={"notebook_path": "/n"}, new_cluster=cluster))
    assert built["tasks"][0]["new_cluster"] == {"spark_conf": conf, "num_workers": 2}
    assert repr(lasting["tasks"][0]["new_cluster"]["num_workers"]) == "2.0"


def test_the_name_of_a_job_is_sent_as_the_name_of_the_run() -> None:
    built, lasting = both({"name": "nightly {{ prefect.flow_run.name }}", **NOTEBOOK, "task_key": "a"})
    assert (built.get("run_name"), "name" in built) == ("nightly otter", False)
    assert (lasting.get("name"), "run_name" in lasting) == ("nightly {{ prefect.flow_run.name }}", False)
    built, _ = both({"name": "a", "run_name": "b", **NOTEBOOK})
    assert (built["name"], built["run_name"]) == ("a", "b")


def test_what_is_given_in_the_form_that_is_sent_is_not_copied() -> None:
    template = submit_run_template(task(notebook_task={"notebook_path": "/n"}, timeout_seconds=5), {})
    assert template.late == ()
    assert template.fill({})["tasks"] is template.body["tasks"]


def test_a_whole_float_is_a_job_id() -> None:
    assert run_now_template({"job_id": 12345678901234.0}, {}).fill({}) == {"job_id": 12345678901234}
    run_job = both(task(run_job_task={"job_id": 7.0}))[0]["tasks"][0]["run_job_task"]
    assert repr(run_job) == "{'job_id': 7}"


def test_a_submission_with_the_name_and_inputs_of_a_job_definition_runs(
    databricks: DatabricksCredentials, workspace, notebook, prefect_server
) -> None:
    notebook("/n", "pass")
    run_id = submit_run.fn(databricks, json={"name": "from a job", **for_each([1, 2])})
    assert run_id in workspace.runs
    (request,) = workspace.requests_to("POST */runs/submit")
    assert request.body["run_name"] == "from a job"
    assert request.body["tasks"][0]["for_each_task"]["inputs"] == "[1,2]"
