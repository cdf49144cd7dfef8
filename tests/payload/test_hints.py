"""What the shape of the API does not have is a warning: misspelt and misplaced keys, values, types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, InvalidPayload, submit_run
from prefect_databricks_runs._payload.api import BODIES, fields_of
from prefect_databricks_runs._payload.hints import hints_of
from prefect_databricks_runs._payload.looks import UNREADABLE
from prefect_databricks_runs.local.bodies import bodies
from prefect_databricks_runs.local.bodies.schema import Kind, ListOf, MapOf, Object

NOTEBOOK = {"notebook_path": "/n"}


def found(body: dict[str, Any], endpoint: str = "runs/submit") -> list[str]:
    return [hint.as_warning() for hint in hints_of(body, endpoint)]


def of_task(**task: Any) -> dict[str, Any]:
    return {"tasks": [{"task_key": "a", **task}]}


MISSPELT = [
    ({"tasks": [{"task_key": "a"}, {"task_key": "b", "depend_on": []}]}, "tasks[1]", "depend_on", "depends_on"),
    (of_task(notebok_task=NOTEBOOK), "tasks[0]", "notebok_task", "notebook_task"),
    (
        of_task(notebook_task={**NOTEBOOK, "base_paramters": {}}),
        "tasks[0].notebook_task",
        "base_paramters",
        "base_parameters",
    ),
    (
        of_task(for_each_task={"inputs": "[]", "task": {"task_key": "b", "depend_on": []}}),
        "tasks[0].for_each_task.task",
        "depend_on",
        "depends_on",
    ),
    (of_task(new_cluster={"num_worker": 1, "policy_id": "p"}), "tasks[0].new_cluster", "num_worker", "num_workers"),
    (
        of_task(libraries=[{"jar": "/a"}, {"pypi": {"package": "x", "rep": "y"}}]),
        "tasks[0].libraries[1].pypi",
        "rep",
        "repo",
    ),
    ({"timeout_second": 60}, "", "timeout_second", "timeout_seconds"),
    (
        of_task(new_cluster={"num_workers": 1, "aws_attributes": {"zone_ids": 1}}),
        "tasks[0].new_cluster.aws_attributes",
        "zone_ids",
        "zone_id",
    ),
    (
        {"environments": [{"environment_key": "e", "spec": {"dependancies": []}}]},
        "environments[0].spec",
        "dependancies",
        "dependencies",
    ),
    ({"email_notifications": {"on_failures": []}}, "email_notifications", "on_failures", "on_failure"),
]


@pytest.mark.parametrize(("body", "place", "key", "meant"), MISSPELT, ids=[each[2] for each in MISSPELT])
def test_a_misspelt_key_is_found_with_its_place_and_what_was_meant(body, place, key, meant) -> None:
    where = place or "the request"
    assert found(body) == [f"Unknown key `{key}` in {where} is sent unchanged; did you mean `{meant}`?"]


def test_those_of_run_now_are_found_too() -> None:
    (says,) = found({"job_id": 1, "notebook_param": {}}, "run-now")
    assert says == "Unknown key `notebook_param` in the request is sent unchanged; did you mean `notebook_params`?"
    assert found({"job_id": 1, "notebook_params": {"notebook_param": "a"}}, "run-now") == []


MISPLACED = {
    "parameters of a run of a job": (
        of_task(notebook_task={**NOTEBOOK, "notebook_params": {}}),
        "Unknown key `notebook_params` in tasks[0].notebook_task is sent unchanged; did you mean `base_parameters`? "
        "`notebook_params` belongs in the request of run_now.",
    ),
    "of the task, in its cluster": (
        of_task(new_cluster={"num_workers": 1, "libraries": []}),
        "Unknown key `libraries` in tasks[0].new_cluster is sent unchanged; it belongs in tasks[0].",
    ),
    "of the request, in a task": (
        of_task(git_source={}),
        "Unknown key `git_source` in tasks[0] is sent unchanged; it belongs in the request.",
    ),
    "of the cluster, in its task": (
        of_task(num_workers=1),
        "Unknown key `num_workers` in tasks[0] is sent unchanged; it belongs in tasks[0].new_cluster.",
    ),
    "of the autoscaling, in the cluster": (
        of_task(new_cluster={"policy_id": "p", "max_workers": 8}),
        "Unknown key `max_workers` in tasks[0].new_cluster is sent unchanged; it belongs in "
        "tasks[0].new_cluster.autoscale.",
    ),
    "of the notebook, in its task": (
        of_task(notebook_task=NOTEBOOK, base_parameters={}),
        "Unknown key `base_parameters` in tasks[0] is sent unchanged; it belongs in tasks[0].notebook_task.",
    ),
    "of a job, in a task": (
        of_task(max_concurrent_runs=1),
        "Unknown key `max_concurrent_runs` in tasks[0] is sent unchanged; it belongs in the settings of a job.",
    ),
    "of a job": (
        {"schedule": {}},
        "Setting `schedule` of a job in the request is sent unchanged; a submitted run does not have it, and "
        "Databricks ignores it.",
    ),
}


@pytest.mark.parametrize(("body", "says"), MISPLACED.values(), ids=MISPLACED)
def test_a_right_key_at_a_wrong_place_is_found_with_the_place_it_belongs_into(body, says) -> None:
    assert found(body) == [says]


def test_each_setting_that_only_a_job_has_is_warned_of_in_a_submitted_run() -> None:
    only = fields_of("CreateJob").keys() - fields_of("SubmitRun").keys() - {"job_clusters"}
    assert {"schedule", "trigger", "continuous", "tags", "max_concurrent_runs", "parameters", "name"} <= only
    for key in only:
        (says,) = found({key: {}})
        assert says.startswith(f"Setting `{key}` of a job in the request")


ODD_VALUES = {
    "run_if": (
        of_task(run_if="NEVER"),
        "Unknown value 'NEVER' of `run_if` in tasks[0] is sent unchanged; known values are ALL_",
    ),
    "op": (
        of_task(condition_task={"op": "EQUALS_TO", "left": "a", "right": "b"}),
        "Unknown value 'EQUALS_TO' of `op` in tasks[0].condition_task is sent unchanged; did you mean EQUAL_TO?",
    ),
    "case": ({"performance_target": "standard"}, "Unknown value 'standard' of `performance_target` in the request"),
    "an object for a number": (
        of_task(max_retries={}),
        "`max_retries` in tasks[0] is sent unchanged; it should be a whole",
    ),
    "words for a number": (
        of_task(max_retries="many"),
        "`max_retries` in tasks[0] is sent unchanged; it should be a whole",
    ),
    "a list for text": (
        of_task(existing_cluster_id=["a"]),
        "`existing_cluster_id` in tasks[0] is sent unchanged; it should",
    ),
    "text for an object": (of_task(compute="gpu"), "`compute` in tasks[0] is sent unchanged; it should be an object"),
    "one for a list": (
        of_task(new_cluster={"num_workers": 1, "ssh_public_keys": "a"}),
        "`ssh_public_keys` in tasks[0].new_cluster is sent",
    ),
    "a part of a whole number": (
        of_task(timeout_seconds=1.5),
        "`timeout_seconds` in tasks[0] is sent unchanged; it should be a whole number, not 1.5.",
    ),
    "the same as text": (
        of_task(max_retries="1.5"),
        "`max_retries` in tasks[0] is sent unchanged; it should be a whole",
    ),
    "no number of JSON": (
        of_task(max_retries=float("inf")),
        "`max_retries` in tasks[0] is sent unchanged; it should be",
    ),
    "none as text": ({"timeout_seconds": "nan"}, "`timeout_seconds` in the request is sent unchanged; it should be"),
    "a number for a truth value": (
        of_task(disabled=1),
        "`disabled` in tasks[0] is sent unchanged; it should be true or",
    ),
    "a list for a choice": (
        of_task(run_if=["ALL_DONE"]),
        "`run_if` in tasks[0] is sent unchanged; it should be a string",
    ),
    "null in a list": (
        {"environments": [{"environment_key": "e", "spec": {"dependencies": [None]}}]},
        "`dependencies[0]` in environments[0].spec is sent unchanged; it should be a string, not null.",
    ),
    "a needed key": (
        {"environments": [{}]},
        "Missing key `environment_key` in environments[0]; Databricks requires it.",
    ),
    "many": (
        {"environments": [{"environment_key": str(key)} for key in range(11)]},
        "`environments` with 11 entries in the request is sent unchanged; Databricks accepts at most 10.",
    ),
    "relative Python file": (
        of_task(spark_python_task={"python_file": "etl.py"}),
        "Relative path 'etl.py' in `python_file` in tasks[0].spark_python_task is sent unchanged; begin it with `/`.",
    ),
}


@pytest.mark.parametrize(("body", "says"), ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_value_or_type_that_the_shape_does_not_have_is_a_warning(body, says) -> None:
    (hint,) = found(body)
    assert hint.startswith(says)


@pytest.mark.parametrize(
    "body",
    [
        of_task(brand_new_task={"pathe": 1}, quantum_entanglement=True),
        of_task(notebook_task={**NOTEBOOK, "base_parameters": {"base_paramters": "a", "task_ky": "b"}}),
        of_task(new_cluster={"num_workers": 1, "spark_conf": {"spark_con": 1, "a": True}, "custom_tags": {"tag": 1}}),
        {"environment_variables": [{"environment_variables_key": "e", "spec": {"variables": {"variable": "x"}}}]},
        {"tasks": "{{tasks.a.values.b}}", "queue": None},
        of_task(timeout_seconds="60", max_retries="{{ job.parameters.n }}", retry_on_timeout="true", run_if="{{a}}"),
        of_task(new_cluster={"num_workers": 2.0}, sql_task={"warehouse_id": 12345}),
        {"git_source": {"git_url": "u", "git_provider": "GITHUB"}},
        {
            "git_source": {"git_url": "u", "git_provider": "gitHub"},
            **of_task(spark_python_task={"python_file": "a.py"}),
        },
        of_task(spark_python_task={"python_file": "dbfs:/a.py"}),
        {"job_clusters": [], **of_task(job_cluster_key="")},
        of_task(depends_on=[{"task_key": "b", "outcome": True}]),  # as YAML has it
        of_task(timeout_seconds=60.0, max_retries="2.0"),
        {"queue": {}},  # it is on then
    ],
)
def test_what_may_be_right_is_no_hint(body) -> None:
    assert found(body) == []


@given(st.dictionaries(st.text(max_size=8), st.recursive(st.text(max_size=3), st.lists, max_leaves=5), max_size=5))
def test_whatever_a_body_is_nothing_is_raised(body) -> None:
    for endpoint in BODIES:
        hints = hints_of({**body, "tasks": [body, {"notebook_task": body}]}, endpoint)
        assert all(hint.as_fault() and hint.as_warning() for hint in hints)


def test_it_is_a_warning_in_the_log_and_is_sent_as_it_is(
    databricks: DatabricksCredentials, workspace, notebook, prefect_server, run_log
) -> None:
    notebook("/n", "pass")

    @flow
    def parent() -> int:
        return submit_run(databricks, notebook_task={**NOTEBOOK, "base_paramters": {"day": "monday"}})

    assert parent() in workspace.runs
    (line,) = [record for record in run_log.records if "base_paramters" in record.getMessage()]
    says = "Unknown key `base_paramters` in tasks[0].notebook_task is sent unchanged; did you mean `base_parameters`?"
    assert (line.levelname, line.getMessage()) == ("WARNING", says)
    (request,) = workspace.requests_to("POST */runs/submit")
    assert request.body["tasks"][0]["notebook_task"]["base_paramters"] == {"day": "monday"}


def test_a_request_that_is_refused_names_them_beside_its_faults(databricks: DatabricksCredentials) -> None:
    with pytest.raises(InvalidPayload) as caught:
        submit_run.fn(databricks, notebook_task={"notebok_path": "/n"})
    assert caught.value.faults == (
        "tasks[0].notebook_task.notebook_path: is missing; a notebook_task needs it.",
        "tasks[0].notebook_task: unknown key `notebok_path`; did you mean `notebook_path`?",
    )


def of_local(kind: Kind, place: str, depth: int = 9) -> Iterator[tuple[str, set[str]]]:
    """Each object of the local workspace's schema, by its place, with its fields."""
    if isinstance(kind, ListOf):
        yield from of_local(kind.item, place, depth)
    elif isinstance(kind, Object) and depth:
        yield place, set(kind.fields)
        for name, field in kind.fields.items():
            yield from of_local(field, f"{place}.{name}", depth - 1)


def object_at(endpoint: str, place: str) -> str:
    """The object of the API that stands at a place; empty where users choose the names, or there is none."""
    name = BODIES[endpoint]
    for key in place.split(".")[1:]:
        field = fields_of(name).get(key)
        name = field.kind if field and field.container != "{" and fields_of(field.kind) else ""
    return name


# A body of one task has the task's fields at its top level, until they are moved into `tasks`.
LOCAL_ONLY = fields_of("Task").keys() | {"job_clusters", "job_cluster_key", "local_course"}


@pytest.mark.parametrize(("endpoint", "kind"), [("runs/submit", bodies.SUBMIT), ("run-now", bodies.RUN_NOW)])
def test_no_field_that_the_local_workspace_knows_is_taken_for_an_unknown_one(endpoint: str, kind: Kind) -> None:
    places = list(of_local(kind, ""))
    assert len(places) > (20 if endpoint == "runs/submit" else 2)
    for place, fields in places:
        name = object_at(endpoint, place)
        assert not name or fields - LOCAL_ONLY <= fields_of(name).keys(), (place, fields - fields_of(name).keys())


def maps(kind: Kind, place: str, depth: int = 9) -> Iterator[str]:
    if isinstance(kind, MapOf):
        yield place
    elif isinstance(kind, ListOf):
        yield from maps(kind.item, place, depth)
    elif isinstance(kind, Object) and depth:
        for name, field in kind.fields.items():
            yield from maps(field, f"{place}.{name}", depth - 1)


@pytest.mark.parametrize(("endpoint", "kind"), [("runs/submit", bodies.SUBMIT), ("run-now", bodies.RUN_NOW)])
def test_nothing_is_looked_at_where_users_choose_the_names(endpoint: str, kind: Kind) -> None:
    places = list(maps(kind, ""))
    assert len(places) > 3
    assert [place for place in places if object_at(endpoint, place)] == []


def test_a_request_that_is_refused_names_its_unknown_values_too(databricks: DatabricksCredentials) -> None:
    with pytest.raises(InvalidPayload) as caught:
        submit_run.fn(databricks, notebook_task={}, performance_target="FASTEST")
    assert caught.value.faults == (
        "tasks[0].notebook_task.notebook_path: is missing; a notebook_task needs it.",
        "json: unknown value 'FASTEST' of `performance_target`; known values are PERFORMANCE_OPTIMIZED, STANDARD and "
        "COST_OPTIMIZED.",
    )


def test_a_request_logs_twenty_warnings_at_most(
    databricks: DatabricksCredentials, workspace, notebook, prefect_server, run_log
) -> None:
    notebook("/n", "pass")

    @flow
    def parent() -> int:
        tasks = [{"task_key": f"t{each}", "notebook_task": {**NOTEBOOK, "notebook_params": {}}} for each in range(25)]
        return submit_run(databricks, tasks=tasks)

    assert parent() in workspace.runs
    says = [record.getMessage() for record in run_log.records if record.levelname == "WARNING"]
    assert len([line for line in says if "`base_parameters`" in line]) == 20
    assert "5 more warnings about the request are not shown." in says


PROFILE = "spark.databricks.cluster.profile"
SINGLE_NODE = {PROFILE: "singleNode", "spark.master": "local[*, 4]"}


@pytest.mark.parametrize(
    "cluster",
    [{"num_workers": 0, "spark_conf": SINGLE_NODE}, {"spark_conf": UNREADABLE}, {"spark_conf": {PROFILE: UNREADABLE}}],
)
def test_a_cluster_that_is_or_may_be_of_a_single_node_needs_no_workers(cluster: dict[str, Any]) -> None:
    assert found(of_task(notebook_task=NOTEBOOK, new_cluster={"spark_version": "x", **cluster})) == []


def test_only_the_settings_of_the_application_are_warned_of_beside_spark_submit() -> None:
    cluster = {"spark_version": "x", "num_workers": 0}
    submit = {"spark_submit_task": {"parameters": ["a.py"]}}
    assert found(of_task(**submit, new_cluster={**cluster, "spark_conf": SINGLE_NODE})) == []
    conf = {**SINGLE_NODE, "spark.sql.shuffle.partitions": "8"}
    (warning,) = found(of_task(**submit, new_cluster={**cluster, "spark_conf": conf}))
    assert "`spark_conf` of a cluster beside `spark_submit_task`" in warning


def test_a_broken_number_is_no_whole_one() -> None:
    (warning,) = found({"tasks": [], "timeout_seconds": 5.9})
    assert "it should be a whole number, not 5.9." in warning
    assert found({"tasks": [], "timeout_seconds": 5.0}) == []


def test_misplaced_keys_of_a_trigger_are_no_triggers_beside_each_other() -> None:
    warnings = found({**of_task(notebook_task=NOTEBOOK), "trigger": {"interval": 1, "unit": "DAYS"}}, "jobs/create")
    assert [each.split("`")[1] for each in warnings] == ["interval", "unit"]
    assert all("it belongs in trigger.periodic" in each for each in warnings)
