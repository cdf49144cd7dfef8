"""The rules of each type of task."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..web.errors import invalid
from .limits import check_count, check_one_of, check_range

MAX_DBT_COMMANDS = 10
MAX_SUBSCRIBERS = 100
MAX_BASE_PARAMETERS_BYTES = 2**20
MAX_PIPELINE_PARAMETERS = 10_000

# A string that begins with a reference, such as `{{job.parameters.path}}`, has its value only when the task starts.
REFERENCE = "{{"
# The task types that really run here need their file.
PATH_FIELDS = {"notebook_task": "notebook_path", "spark_python_task": "python_file"}
# The places of a Python file on Databricks besides the workspace. `dbfs://` is a mistake, which Databricks refuses.
_SCHEME = re.compile(r"(dbfs:/(?!/)|(s3|s3a|s3n|abfss|abfs|wasbs|wasb|adl|gs)://|file:/)")


def comes_from_git(fields: Mapping[str, Any], *, has_git_source: bool) -> bool:
    """Return whether the fields of a task type place the task's file in the Git repository of its job."""
    return bool(fields.get("source", "GIT" if has_git_source else "WORKSPACE") == "GIT")


def is_stored_elsewhere(path: str) -> bool:
    """Return whether a path is outside of the workspace, such as `dbfs:/f.py`."""
    return _SCHEME.match(path) is not None


def check_task_type(task: Mapping[str, Any], task_type: str, name: str, *, has_git_source: bool) -> None:
    """Check the fields of a task's type.

    Args:
        task: The task, with each field read as its type.
        task_type: The name of the field of its type.
        name: The task's place in the body, for errors.
        has_git_source: Whether files come from Git unless the task has another source.

    Raises:
        ApiError: A rule is broken.
    """
    check = _CHECKS.get(task_type)
    if check:
        check(task[task_type], f"{name}.{task_type}")
    if task_type == "spark_submit_task":
        _check_spark_submit(task)
    if task_type in PATH_FIELDS:
        _check_file(task, task_type, has_git_source=has_git_source)


def _check_notebook(fields: Mapping[str, Any], name: str) -> None:
    if len(json.dumps(fields.get("base_parameters", {}))) > MAX_BASE_PARAMETERS_BYTES:
        raise invalid("parameters_too_long", field=f"{name}.base_parameters", limit=MAX_BASE_PARAMETERS_BYTES)


def _check_wheel(fields: Mapping[str, Any], name: str) -> None:
    given = {field: True for field in ("parameters", "named_parameters") if fields.get(field)}
    check_one_of(given, ("parameters", "named_parameters"), name, at_least=0)


def _check_pipeline(fields: Mapping[str, Any], name: str) -> None:
    if len(json.dumps(fields.get("parameters", {}))) > MAX_PIPELINE_PARAMETERS:
        raise invalid("parameters_too_long", field=f"{name}.parameters", limit=MAX_PIPELINE_PARAMETERS)


def _check_sql(fields: Mapping[str, Any], name: str) -> None:
    check_one_of(fields, ("query", "file", "dashboard", "alert"), name)


def _check_dbt(fields: Mapping[str, Any], name: str) -> None:
    check_count(fields, "commands", MAX_DBT_COMMANDS, prefix=f"{name}.")
    if not fields["commands"]:
        raise invalid("missing_field", field=f"{name}.commands")
    for index, command in enumerate(fields["commands"]):
        if command.split()[:1] != ["dbt"] and not command.startswith(REFERENCE):
            raise invalid("not_dbt", field=f"{name}.commands[{index}]", command=command[:100])


def _check_for_each(fields: Mapping[str, Any], name: str) -> None:
    check_range(fields, "concurrency", 1, prefix=f"{name}.")


def _check_ai_runtime(fields: Mapping[str, Any], name: str) -> None:
    if len(fields["deployments"]) != 1:
        raise invalid("not_one_deployment", field=f"{name}.deployments", count=len(fields["deployments"]))


def _check_alert(fields: Mapping[str, Any], name: str) -> None:
    check_one_of(fields, ("alert_id", "workspace_path"), name, at_least=0)
    check_count(fields, "subscribers", MAX_SUBSCRIBERS, prefix=f"{name}.")


_CHECKS = {
    "notebook_task": _check_notebook,
    "python_wheel_task": _check_wheel,
    "pipeline_task": _check_pipeline,
    "sql_task": _check_sql,
    "dbt_task": _check_dbt,
    "for_each_task": _check_for_each,
    "ai_runtime_task": _check_ai_runtime,
    "alert_task": _check_alert,
}


_OF_SINGLE_NODE = frozenset(("spark.databricks.cluster.profile", "spark.master"))


def _check_spark_submit(task: Mapping[str, Any]) -> None:
    """Check that the task makes its own cluster, and does not set Spark's settings there.

    The settings that make the cluster a single node are allowed.
    """
    for field in ("existing_cluster_id", "environment_key", "libraries"):
        if task.get(field):
            raise invalid("not_with_spark_submit", task_key=task["task_key"], field=field)
    if task.get("new_cluster", {}).get("spark_conf", {}).keys() - _OF_SINGLE_NODE:
        raise invalid("not_with_spark_submit", task_key=task["task_key"], field="new_cluster.spark_conf")


def _check_file(task: Mapping[str, Any], task_type: str, *, has_git_source: bool) -> None:
    fields = task[task_type]
    if not comes_from_git(fields, has_git_source=has_git_source):
        _check_path(fields[PATH_FIELDS[task_type]], task_type)
    elif not has_git_source:
        raise invalid("missing_field", field="git_source")


def _check_path(path: str, task_type: str) -> None:
    if task_type == "spark_python_task" and is_stored_elsewhere(path):
        return
    if not path.startswith(("/", REFERENCE)):
        text = "bad_python_file" if task_type == "spark_python_task" else "relative_path"
        raise invalid(text, path=path[:1000])
    if ".." in path.split("/") or "\0" in path:
        raise invalid("path_leaves_workspace", path=path[:1000])
