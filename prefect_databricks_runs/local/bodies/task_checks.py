"""The rules for tasks: their keys, their order, their compute."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..web.errors import invalid
from .cluster_checks import check_new_cluster
from .limits import check_bytes, check_characters, check_one_of, check_range, check_unique, check_webhooks, is_given
from .shapes import TASK_TYPES
from .task_type_checks import check_task_type

MAX_DESCRIPTION_BYTES = 4096
MAX_KEY_LENGTH = 100

_COMPUTE_FIELDS = ("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key")
_NEED_CLUSTER = ("spark_jar_task", "spark_submit_task")
# These can run on serverless compute, in an environment.
_NEED_ENVIRONMENT = ("spark_python_task", "python_wheel_task", "dbt_task")
_TASK_KEY = re.compile(r"[\w-]*", re.ASCII)
_LIBRARY_KINDS = ("jar", "egg", "whl", "requirements", "pypi", "maven", "cran")


@dataclass(frozen=True)
class _Job:
    """The keys that the tasks of a job can refer to."""

    job_cluster_keys: frozenset[str]
    environment_keys: frozenset[str]
    has_git_source: bool


def check_tasks(settings: Mapping[str, Any]) -> None:
    """Check the tasks of a job or of a submitted run.

    Raises:
        ApiError: A rule is broken.
    """
    tasks = settings.get("tasks", [])
    job = _Job(
        frozenset(cluster["job_cluster_key"] for cluster in settings.get("job_clusters", [])),
        frozenset(environment["environment_key"] for environment in settings.get("environments", [])),
        "git_source" in settings,
    )
    for name, task in with_nested(tasks):
        _check_task(task, name, job)
    _check_unique_keys(tasks)
    _check_dependencies(tasks)


def with_nested(tasks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each task with its place in the body, and after a for-each task its nested task."""
    for index, task in enumerate(tasks):
        yield f"tasks[{index}]", task
        if "for_each_task" in task:
            nested = task["for_each_task"]["task"]
            if "for_each_task" in nested:
                raise invalid("nested_for_each", task_key=task["task_key"])
            if nested.get("depends_on"):
                raise invalid("nested_depends_on", task_key=nested["task_key"])
            yield f"tasks[{index}].for_each_task.task", nested


def _check_task(task: Mapping[str, Any], name: str, job: _Job) -> None:
    task_key = task["task_key"]
    if not _TASK_KEY.fullmatch(task_key):
        raise invalid("bad_task_key", task_key=task_key[:200])
    if not 1 <= len(task_key) <= MAX_KEY_LENGTH:
        raise invalid("bad_task_key_length", task_key=task_key[:200], length=len(task_key), limit=MAX_KEY_LENGTH)
    types = [task_type for task_type in TASK_TYPES if task_type in task]
    if len(types) != 1:
        raise invalid("no_task_type", task_key=task_key, found=" and ".join(types) or "none")
    _check_sizes(task, f"{name}.")
    _check_libraries(task, name)
    _check_compute(task, types[0], job)
    check_task_type(task, types[0], name, has_git_source=job.has_git_source)


def _check_sizes(task: Mapping[str, Any], prefix: str) -> None:
    check_bytes(task, "description", MAX_DESCRIPTION_BYTES, prefix=prefix)
    check_characters(task, "environment_key", MAX_KEY_LENGTH, prefix=prefix)
    check_range(task, "timeout_seconds", 0, prefix=prefix)
    check_range(task, "max_retries", -1, prefix=prefix)
    check_range(task, "min_retry_interval_millis", 0, prefix=prefix)
    check_webhooks(task, prefix=prefix)


def _check_libraries(task: Mapping[str, Any], name: str) -> None:
    for index, library in enumerate(task.get("libraries", [])):
        check_one_of(library, _LIBRARY_KINDS, f"{name}.libraries[{index}]")


def _check_compute(task: Mapping[str, Any], task_type: str, job: _Job) -> None:
    task_key = task["task_key"]
    if not any(is_given(task, field) for field in (*_COMPUTE_FIELDS, "compute")):
        if task_type in _NEED_CLUSTER:
            raise invalid("no_compute")
        if task_type in _NEED_ENVIRONMENT:
            raise invalid("no_environment", task_key=task_key)
    if "new_cluster" in task:
        check_new_cluster(task["new_cluster"])
    check_one_of(task, _COMPUTE_FIELDS, f"task {task_key}", at_least=0)
    environment_key = task.get("environment_key")
    if environment_key and environment_key not in job.environment_keys:
        raise invalid("unknown_environment", task_key=task_key, environment_key=environment_key)
    job_cluster_key = task.get("job_cluster_key")
    if job_cluster_key and job_cluster_key not in job.job_cluster_keys:
        raise invalid("unknown_job_cluster", task_key=task_key, job_cluster_key=job_cluster_key)


def _check_unique_keys(tasks: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for _, task in with_nested(tasks):
        if task["task_key"] in seen:
            raise invalid("duplicate_task_key", task_key=task["task_key"])
        seen.add(task["task_key"])


def _check_dependencies(tasks: Sequence[Mapping[str, Any]]) -> None:
    by_key = {task["task_key"]: task for task in tasks}
    upstream: dict[str, list[str]] = {}
    for key, task in by_key.items():
        upstream[key] = [dependency["task_key"] for dependency in task.get("depends_on", [])]
        for dependency in task.get("depends_on", []):
            _check_dependency(key, dependency, by_key)
        check_unique(upstream[key], f"depends_on of task {key}")
    try:
        graphlib.TopologicalSorter(upstream).prepare()
    except graphlib.CycleError as error:
        raise invalid("dependency_cycle", task_keys=", ".join(sorted(set(error.args[1])))) from None


def _check_dependency(key: str, dependency: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]]) -> None:
    other = dependency["task_key"]
    if other not in tasks:
        raise invalid("unknown_dependency", task_key=key, dependency=other[:200])
    if "outcome" in dependency and "condition_task" not in tasks[other]:
        raise invalid("outcome_of_no_condition", task_key=key, dependency=other)
