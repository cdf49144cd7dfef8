"""Checks that a submitted run and a saved job share: tasks, the definitions they refer to, and the source of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .api import needed_in
from .looks import UNREADABLE, at_most_one, get, given, kind_of, timeout_of, types_of
from .task_checks import Around, task_faults, task_key_of

NO_TASKS = "tasks: there is no task; set `tasks`, or the fields of a single task such as `notebook_task`."
"""The fault of a run, or of a job that is to be run, without tasks."""

_TASKS = 1_000
_NAME_BYTES = 4_096
_GIT_REFERENCES = ("git_branch", "git_tag", "git_commit")


def run_faults(payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of the fields that every body has."""
    yield from types_of(payload, "")
    if payload.get("performance_target") == "COST_OPTIMIZED" and payload.get("duration_target") is None:
        yield "duration_target: is missing; COST_OPTIMIZED needs it, such as NO_FLEXIBILITY or 4h."
    yield from timeout_of(payload, "")


def settings_faults(payload: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the faults of the settings around the tasks.

    Args:
        payload: The body.
        name: The field that has the name: `run_name` or `name`.
    """
    yield from run_faults(payload)
    size = len((get(payload, name, str) or "").encode("utf-8", "replace"))
    if size > _NAME_BYTES:
        yield f"{name}: has {size} bytes; use a name of at most {_NAME_BYTES} bytes."
    yield from _git_source(payload)
    yield from _run_as(payload)


def tasks_faults(payload: Mapping[str, Any], *, is_saved: bool) -> Iterator[str]:
    """Yield the faults of the tasks and of the environments that they refer to.

    Args:
        payload: The body.
        is_saved: Whether it is the body of a job, which may have job clusters.
    """
    yield from key_used_twice(payload, "environments", "environment_key")
    tasks = get(payload, "tasks", list) or []
    if len(tasks) > _TASKS:
        several = "jobs" if is_saved else "runs"
        yield f"tasks: there are {len(tasks):,}, over the limit of {_TASKS:,}; split them into several {several}."
    job = Around(
        environments=_keys_of(payload, "environments", "environment_key"),
        has_git_source=payload.get("git_source") is not None,
        is_saved=is_saved,
        job_clusters=_keys_of(payload, "job_clusters", "job_cluster_key"),
    )
    for index, task in enumerate(tasks):
        path = f"tasks[{index}]"
        if isinstance(task, dict):
            yield from task_faults(task, path, job)
        elif task is not UNREADABLE:
            yield f"{path}: must be an object, not {kind_of(task)}."
    yield from _task_keys(tasks)
    yield from _dependencies(tasks)


def key_used_twice(payload: Mapping[str, Any], field: str, name: str) -> Iterator[str]:
    """Yield the faults of entries of a list that have the key of an earlier one."""
    first: dict[str, int] = {}
    for index, entry in enumerate(get(payload, field, list) or []):
        key = get(entry, name, str)
        if key and first.setdefault(key, index) != index:
            place = f"{field}[{index}].{name}"
            yield f"{place}: {key!r} is also the key of {field}[{first[key]}]; use a different key for each."


def _keys_of(payload: Mapping[str, Any], field: str, name: str) -> set[str] | None:
    """Return the keys that a list of definitions has, or None if it cannot be read."""
    entries = payload.get(field) or []
    if not isinstance(entries, list) or any(get(entry, name, str) is None for entry in entries):
        return None
    return {entry[name] for entry in entries}


def _git_source(payload: Mapping[str, Any]) -> Iterator[str]:
    source = get(payload, "git_source", dict)
    yield from at_most_one(source, "git_source", _GIT_REFERENCES)
    if source is not None:
        for key in needed_in("GitSource"):
            if not given(source, key):
                yield f"git_source.{key}: is missing; a git_source needs it."


def _run_as(payload: Mapping[str, Any]) -> Iterator[str]:
    run_as = get(payload, "run_as", dict)
    found = [key for key in run_as or () if given(run_as, key)]
    if run_as is not None and len(found) != 1:
        yield f"run_as: has {len(found)} keys; set one of user_name, service_principal_name and group_name."


def _task_keys(tasks: list[Any]) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, task in enumerate(tasks):
        if not isinstance(task, dict):
            continue
        path = f"tasks[{index}]"
        key = get(task, "task_key", str)
        if task.get("task_key") is None:
            yield f"{path}.task_key: is missing; each task needs its own key."
        yield from task_key_of(task, path)
        if key and first.setdefault(key, index) != index:
            yield f"{path}.task_key: {key!r} is also the key of tasks[{first[key]}]; use a different key for each task."


def _dependencies(tasks: list[Any]) -> Iterator[str]:
    """Yield the faults of `depends_on`: entries that are not objects, unknown tasks, cycles."""
    known = {get(task, "task_key", str) for task in tasks}
    # A task whose key is not a string may be the intended task; its key already has a fault or a warning.
    unsure = any(
        task is UNREADABLE or (isinstance(task, dict) and not isinstance(task.get("task_key"), (str, type(None))))
        for task in tasks
    )
    graph: dict[str | None, set[str]] = {}
    for index, task in enumerate(tasks):
        own = get(task, "task_key", str)
        for place, dependency in enumerate(get(task, "depends_on", list) or []):
            path = f"tasks[{index}].depends_on[{place}]"
            key = get(dependency, "task_key", str)
            if key is None:
                if dependency is not UNREADABLE and not given(dependency, "task_key"):
                    yield f'{path}: names no task; write it as {{"task_key": "…"}}.'
            elif key == own:
                yield f"{path}: task {key!r} depends on itself; leave this out."
            elif key in known:
                graph.setdefault(own, set()).add(key)
            elif not unsure:
                yield f"{path}: there is no task {key!r}; name the task_key of another task."
    yield from _cycles(graph)


def _cycles(graph: dict[str | None, set[str]]) -> Iterator[str]:
    while cycle := _cycle(graph):
        yield f"tasks: these wait for each other, {' → '.join(cycle)}; remove one of their depends_on."
        graph = {key: needs.difference(cycle) for key, needs in graph.items() if key not in cycle}


def _cycle(graph: dict[str | None, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []
