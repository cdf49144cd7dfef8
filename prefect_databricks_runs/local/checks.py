"""The rules that a body must keep across its fields, and the features that are not there yet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .bodies import TASK_PARAMETERS, TASK_TYPES
from .errors import field_not_served, invalid

MAX_PARAMETERS_BYTES = 10_000

_TASK_KEY = re.compile(r"[\w-]{1,100}", re.ASCII)
_COMPUTE_FIELDS = ("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key")
_NEED_COMPUTE = ("spark_python_task", "spark_jar_task", "python_wheel_task")
_PATH_FIELDS = (("notebook_task", "notebook_path"), ("spark_python_task", "python_file"))
_EXCLUSIVE = (("notebook_params", "jar_params"), *(("job_parameters", name) for name in TASK_PARAMETERS))


def check_settings(settings: Mapping[str, Any]) -> None:
    """Checks the settings of a job or of a submitted run, with all its tasks.

    Raises:
        ApiError: a rule is broken (400), or a field asks for what is not done here (501).
    """
    _check_not_negative(settings, "timeout_seconds", "max_concurrent_runs")
    if "git_source" in settings:
        raise field_not_served("git_source", settings["git_source"])
    for name in ("schedule", "trigger", "continuous"):
        if name in settings and settings[name].get("pause_status", "UNPAUSED") != "PAUSED":
            raise field_not_served(name, settings[name])
    tasks = settings.get("tasks", [])
    environments = {environment["environment_key"] for environment in settings.get("environments", [])}
    for index, task in enumerate(tasks):
        _check_task(task, f"tasks[{index}]", environments)
    _check_dependencies(tasks)


def only_keys(only: list[str], tasks: list[dict[str, Any]]) -> set[str]:
    return set(only)


def check_run_now(body: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Checks the parameters of `run-now`.

    Raises:
        ApiError: a rule is broken (400), or a field asks for what is not done here (501).
    """
    for first, second in _EXCLUSIVE:
        if body.get(first) and body.get(second):
            raise invalid("parameters_conflict", first=first, second=second)
    for name in TASK_PARAMETERS:
        if len(json.dumps(body.get(name, ""))) > MAX_PARAMETERS_BYTES:
            raise invalid("parameters_too_long", field=name, limit=MAX_PARAMETERS_BYTES)
    for name in ("python_params", "spark_submit_params"):
        if not all(item.isascii() for item in body.get(name, [])):
            raise invalid("not_ascii", field=name)


def _check_task(task: Mapping[str, Any], name: str, environments: set[str]) -> None:
    task_key = task["task_key"]
    if not _TASK_KEY.fullmatch(task_key):
        raise invalid("bad_task_key", task_key=task_key)
    types = [task_type for task_type in TASK_TYPES if task_type in task]
    if len(types) != 1:
        raise invalid("no_task_type", task_key=task_key, found=" and ".join(types) or "none")
    _check_not_negative(task, "timeout_seconds")
    _check_served(task, name)
    _check_compute(task, types[0], environments)
    for task_type, path_field in _PATH_FIELDS:
        if task_type in task:
            _check_path(task[task_type][path_field], f"{name}.{task_type}.{path_field}")


def _check_served(task: Mapping[str, Any], name: str) -> None:
    for task_type, _ in _PATH_FIELDS:
        if task.get(task_type, {}).get("source", "WORKSPACE") != "WORKSPACE":
            raise field_not_served(f"{name}.{task_type}.source", task[task_type]["source"])


def _check_compute(task: Mapping[str, Any], task_type: str, environments: set[str]) -> None:
    if task_type in _NEED_COMPUTE and not any(field in task for field in _COMPUTE_FIELDS):
        raise invalid("no_compute")
    environment_key = task.get("environment_key")
    if environment_key is not None and environment_key not in environments:
        raise invalid("unknown_environment", task_key=task["task_key"], environment_key=environment_key)


def _check_path(path: str, name: str) -> None:
    if re.match(r"\w+:/", path):
        raise field_not_served(name, path)
    if not path.startswith("/"):
        raise invalid("relative_path", path=path)
    if ".." in path.split("/") or "\0" in path:
        raise invalid("path_leaves_workspace", path=path)


def _check_dependencies(tasks: list[dict[str, Any]]) -> None:
    keys = [task["task_key"] for task in tasks]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise invalid("duplicate_task_key", task_key=key)
    waiting = {task["task_key"]: {other["task_key"] for other in task.get("depends_on", [])} for task in tasks}
    for key, upstream in waiting.items():
        for dependency in sorted(upstream - waiting.keys()):
            raise invalid("unknown_dependency", task_key=key, dependency=dependency)
    while ready := {key for key, upstream in waiting.items() if not upstream}:
        waiting = {key: upstream - ready for key, upstream in waiting.items() if key not in ready}
    if waiting:
        raise invalid("dependency_cycle", task_keys=", ".join(sorted(waiting)))


def _check_not_negative(fields: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if fields.get(name, 0) < 0:
            raise invalid("negative", field=name)
