"""Checks of one task of a submitted run or of a job, and of the parameters of a run of a saved job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .api import needed_in, objects_in
from .looks import at, at_most_one, get, given, is_task_object, listed, size_of, timeout_of, type_at, types_of

LIMITED = ("notebook_params", "jar_params", "python_params", "spark_submit_params")
"""The parameters with a low limit of bytes per run."""
NO_SHARED_CLUSTERS = (
    "a shared job cluster needs a saved job; set `new_cluster` in the task, or save a job and start it with run_now."
)

_PARAMETERS_BYTES = 10_000
_BASE_PARAMETERS_BYTES = 1_048_576
_TASK_KEY = re.compile(r"[\w-]{1,100}", re.ASCII)
_COMPUTE = ("existing_cluster_id", "new_cluster", "environment_key")
_CODE_TASKS = ("spark_jar_task", "spark_python_task", "spark_submit_task", "python_wheel_task")
_NEEDS_COMPUTE = (*_CODE_TASKS, "dbt_task")
_ASCII_ONLY = ("python_params", "spark_submit_params")
_MAY_BE_EMPTY = ("left", "right")
_SQL_KINDS = {"query": "query_id", "file": "path", "dashboard": "dashboard_id", "alert": "alert_id"}
# The type of `parameters` depends on the kind of task.
_PARAMETERS: dict[str, type[Any]] = {"sql_task": dict, **dict.fromkeys((*_CODE_TASKS, "python_operator_task"), list)}
_FILES = {"notebook_task": "notebook_path", "spark_python_task": "python_file"}


class Around(NamedTuple):
    """The facts about the run or job around a task that the task's checks need.

    Attributes:
        environments: The keys that `environments` defines, or None if it cannot be read.
        has_git_source: Whether there is a `git_source`.
        is_saved: Whether it is a run of a saved job, which has job clusters.
        job_clusters: The keys that `job_clusters` defines, or None if it cannot be read.
    """

    environments: set[str] | None
    has_git_source: bool
    is_saved: bool
    job_clusters: set[str] | None


def task_key_of(task: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the fault of a task's key."""
    key = get(task, "task_key", str)
    if key is not None and not _TASK_KEY.fullmatch(key):
        yield f"{path}.task_key: {key[:100]!r} is not a task key; use 1 to 100 ASCII letters, digits, `_` and `-`."


def task_faults(task: dict[str, Any], path: str, job: Around) -> Iterator[str]:
    """Yield the faults of one task, apart from its place among the others."""
    objects = [key for key, value in task.items() if is_task_object(key) and value is not None]
    yield from types_of(task, path)
    if not objects:
        yield f"{path}: has no task object; add one, such as `notebook_task`."
    yield from at_most_one(task, path, tuple(objects))
    yield from timeout_of(task, path)
    yield from _compute(task, path, objects, job)
    for key in objects:
        if isinstance(task[key], dict):
            yield from _task_object(key, task[key], f"{path}.{key}", job)


def _compute(task: dict[str, Any], path: str, objects: list[str], job: Around) -> Iterator[str]:
    yield from at_most_one(task, path, (*_COMPUTE, "job_cluster_key"))
    needing = [key for key in objects if key in _NEEDS_COMPUTE]
    if given(task, "job_cluster_key"):
        yield from _job_cluster(task, path, job)
    elif needing and not any(given(task, key) for key in (*_COMPUTE, "compute")):
        computes = ("job_cluster_key", *_COMPUTE) if job.is_saved else _COMPUTE
        yield (
            f"{path}: a {needing[0]} needs compute; set one of {listed(computes)}, the last with a definition in "
            "`environments`."
        )
    environment = get(task, "environment_key", str)
    if environment and job.environments is not None and environment not in job.environments:
        yield f"{path}.environment_key: {environment!r} is not defined; define it in `environments`."


def _job_cluster(task: dict[str, Any], path: str, job: Around) -> Iterator[str]:
    key = get(task, "job_cluster_key", str)
    if not job.is_saved:
        yield f"{path}.job_cluster_key: {NO_SHARED_CLUSTERS}"
    elif key is not None and job.job_clusters is not None and key not in job.job_clusters:
        yield f"{path}.job_cluster_key: Job cluster {key!r} is not defined; define it in `job_clusters`."


def _file(task: dict[str, Any], path: str, kind: str, job: Around) -> Iterator[str]:
    """Yield the faults of the place of a task's file: relative paths belong to a Git repository."""
    key = _FILES[kind]
    file, source = get(task, key, str), task.get("source") or ("GIT" if job.has_git_source else "WORKSPACE")
    if source == "GIT" and not job.has_git_source:
        yield f"{path}.source: is GIT, but there is no repository; set `git_source`."
    elif kind == "notebook_task" and source == "WORKSPACE" and file and not file.startswith(("/", "{{")):
        yield f"{path}.{key}: {file[:100]!r} is relative; begin it with `/`, or set `git_source` for a repository."


def _task_object(kind: str, task: dict[str, Any], path: str, job: Around) -> Iterator[str]:
    yield from types_of(task, path)
    yield from _required(kind, task, path)
    if kind in _PARAMETERS:
        yield from type_at(task, path, "parameters", _PARAMETERS[kind])
    if kind in _FILES:
        yield from _file(task, path, kind, job)
    if kind == "notebook_task":
        yield from size_of(task, path, "base_parameters", _BASE_PARAMETERS_BYTES)
    elif kind == "python_wheel_task":
        yield from at_most_one(task, path, ("parameters", "named_parameters"))
    elif kind == "run_job_task":
        yield from run_parameters(task, path)
    elif kind == "for_each_task":
        nested = get(task, "task", dict)
        if nested is None:
            yield from type_at(task, path, "task", dict)
        else:
            yield from task_key_of(nested, f"{path}.task")
            if nested.get("for_each_task") is not None:
                yield f"{path}.task.for_each_task: is inside another one, which Databricks refuses; use another task."
            yield from task_faults(nested, f"{path}.task", job)


def _required(kind: str, task: dict[str, Any], path: str) -> Iterator[str]:
    for key in needed_in(objects_in("SubmitTask").get(kind, "")):
        if not (given(task, key) or (key in _MAY_BE_EMPTY and task.get(key) is not None)):
            yield f"{path}.{key}: is missing; a {kind} needs it."
    if kind != "sql_task":
        return
    if not any(given(task, key) for key in task if key not in ("warehouse_id", "parameters")):
        yield f"{path}: does not say what to run; set one of {listed(tuple(_SQL_KINDS))}."
    for key, needed in _SQL_KINDS.items():
        if isinstance(task.get(key), dict) and not given(task[key], needed):
            yield f"{path}.{key}.{needed}: is missing; a {key} of a sql_task needs it."


def run_parameters(owner: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the faults of the parameter fields that run-now and a run_job_task share."""
    yield from at_most_one(owner, path, ("notebook_params", "jar_params"))
    for key in LIMITED:
        yield from size_of(owner, path, key, _PARAMETERS_BYTES)
    for key in _ASCII_ONLY:
        for index, value in enumerate(get(owner, key, list) or []):
            if isinstance(value, str) and not value.isascii():
                yield f"{at(path, key)}[{index}]: has characters outside ASCII, which Databricks refuses; encode them."
