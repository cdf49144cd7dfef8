"""Valid bodies of requests, made by hypothesis from the shape of the API, and the places in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from prefect_databricks_runs._payload.api import Field, fields_of, needed_in, values_of

TASK_TYPES = sorted(key for key in fields_of("SubmitTask") if key.endswith("_task"))
MAP_KEY = "k"
"""The only key of the maps."""

# One of each of these, and no more.
_ONE_OF = [
    {"query", "file", "dashboard", "alert"},
    {"alert_id", "workspace_path"},
    {"jar", "egg", "whl", "requirements", "pypi", "maven", "cran"},
    {"parameters", "named_parameters"},
    {"notebook_params", "jar_params"},
    {"num_workers", "autoscale"},
    {"git_branch", "git_tag", "git_commit"},
    {"user_name", "service_principal_name", "group_name"},
    {"schedule", "trigger", "continuous", "triggers"},
    {*fields_of("TriggerSettings")} - {"pause_status"},
]
_GROUPED = set().union(*_ONE_OF)
# What has a form that the shape does not say, or goes with something else.
_BY_HAND: dict[str, Any] = {
    "notebook_path": "/n",
    "python_file": "/f.py",
    "commands": ["dbt run"],
    "inputs": "[1]",
    "concurrency": 2,
    "quartz_cron_expression": "0 0 6 * * ?",
    "task_key": "x",
    "job_cluster_key": "j",
    "environment_key": "e",
    "max_retries": 1,
    "job_id": "5",
    "name": "a",
    "source": "WORKSPACE",
    "performance_target": "STANDARD",
    "permission_level": "CAN_VIEW",
    "spark_conf": {MAP_KEY: "a"},
}
# Put together by `_tasks`.
_OF_TASKS = {
    *("depends_on", "existing_cluster_id", "new_cluster", "environment_key", "compute", "job_cluster_key", "libraries"),
    *TASK_TYPES,
}
_CLUSTER = ("existing_cluster_id", "new_cluster")
_COMPUTE = {
    "spark_submit_task": ("new_cluster",),
    "spark_jar_task": _CLUSTER,
    **dict.fromkeys(("spark_python_task", "python_wheel_task", "dbt_task"), (*_CLUSTER, "environment_key")),
}


@st.composite
def submissions(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies of `runs/submit` that Databricks takes, as far as the shape and the rules say."""
    return {**_object("SubmitRun", draw), **_tasks("SubmitTask", draw)}


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    """Bodies of `jobs/create`, likewise."""
    return {**_object("CreateJob", draw), **_tasks("Task", draw)}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all fields and entries in a body."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(item, (*path, key))


def broken(body: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The body with something of another type at a place."""
    key, *rest = path
    copy: Any = dict(body) if isinstance(body, dict) else list(body)
    if rest:
        copy[key] = broken(body[key], tuple(rest))
    else:
        copy[key] = 7 if isinstance(body[key], (dict, list)) else {"odd": [1]}
    return copy


def _tasks(kind: str, draw: st.DrawFn) -> dict[str, Any]:
    tasks: list[dict[str, Any]] = []
    for key in draw(st.sampled_from(["a", "ab", "abc"])):
        task_type = draw(st.sampled_from(TASK_TYPES))
        task = {**_object(kind, draw), "task_key": key, task_type: _object(fields_of(kind)[task_type].kind, draw)}
        task |= _compute(task_type, draw)
        if task_type == "for_each_task":
            task[task_type]["task"]["task_key"] = f"{key}-inner"
        others = [other for other in tasks if draw(st.booleans())]
        if others:
            task["depends_on"] = [_dependency(other, draw) for other in others]
        tasks.append(task)
    return {"tasks": tasks, "environments": [{"environment_key": "e", "spec": _object("Environment", draw)}]}


def _dependency(task: dict[str, Any], draw: st.DrawFn) -> dict[str, Any]:
    outcome = {"outcome": draw(st.sampled_from(values_of("Outcome")))} if "condition_task" in task else {}
    return {"task_key": task["task_key"], **outcome}


def _compute(task_type: str, draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(_COMPUTE.get(task_type, ("", "existing_cluster_id"))))
    if field == "new_cluster":
        cluster = _object("ClusterSpec", draw)
        if task_type == "spark_submit_task":
            cluster.pop("spark_conf", None)
            return {"new_cluster": cluster}
        return {"new_cluster": cluster, "libraries": [_object("Library", draw)]}
    return {field: "e"} if field else {}


def _object(name: str, draw: st.DrawFn) -> dict[str, Any]:
    """An object with what it needs, and some of what it may have."""
    left_out = _OF_TASKS if name in ("SubmitTask", "Task") else {"tasks", "environments"}
    fields = {key: field for key, field in fields_of(name).items() if key not in left_out}
    for group in _ONE_OF:
        present = sorted(group & fields.keys())
        for key in set(present) - {draw(st.sampled_from(present))} if present else ():
            del fields[key]
    if "job_parameters" in fields:
        for key in [key for key in fields if key.endswith(("_params", "_commands"))]:
            del fields[key]
    needed = set(needed_in(name)) | _GROUPED
    return {
        key: _value(key, field, draw) for key, field in fields.items() if key in needed or draw(st.integers(0, 3)) == 0
    }


def _value(key: str, field: Field, draw: st.DrawFn) -> Any:
    if key in _BY_HAND:
        return _BY_HAND[key]
    value = _one(field, draw)
    return {MAP_KEY: value} if field.container == "{" else [value] if field.container == "[" else value


def _one(field: Field, draw: st.DrawFn) -> Any:
    if field.kind == "Task":  # the one inside of a for-each task
        return {"task_key": "inner", "notebook_task": {"notebook_path": "/n"}}
    if fields_of(field.kind):
        return _object(field.kind, draw)
    if values_of(field.kind):
        return draw(st.sampled_from(values_of(field.kind)))
    return draw(
        {"text": st.sampled_from(["a", "{{job.id}}"]), "bool": st.booleans()}.get(field.kind, st.integers(1, 3))
    )
