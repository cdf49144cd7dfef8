"""Checks of a request body before it is sent: what Databricks would refuse, or silently read in another way.

Each fault is one sentence: where it is, what is wrong, what to do. What Databricks may accept is never a fault: new
fields and new kinds of tasks pass.
"""
# ruff: noqa: SIM905  -- as literals the long sets of names take a line a name

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from json import dumps
from typing import Any, Final, TypeVar

T = TypeVar("T")

UNREADABLE: Final = object()
"""Stands in a payload where a value has a fault of its own already; the checks pass over it."""

_TOKEN_CHARACTERS = 64
_RUN_NAME_BYTES = 4_096
_PARAMETERS_BYTES = 10_000
_BASE_PARAMETERS_BYTES = 1_048_576
_TASK_KEY = re.compile(r"[\w-]{1,100}", re.ASCII)

_PERFORMANCE_TARGETS = ("PERFORMANCE_OPTIMIZED", "STANDARD", "COST_OPTIMIZED")
_RUN_IF = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
_GIT_REFERENCES = ("git_branch", "git_tag", "git_commit")
_COMPUTE = ("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key")
_NEEDS_COMPUTE = ("spark_jar_task", "spark_python_task", "spark_submit_task", "python_wheel_task")
_LIMITED = ("notebook_params", "jar_params", "python_params", "spark_submit_params")
_ASCII_ONLY = ("python_params", "spark_submit_params")
# Those that are known to be refused beside `job_parameters`; of `sql_params` nobody says so.
_LEGACY = (*_LIMITED, "python_named_params", "dbt_commands")
_REQUIRED: dict[str, tuple[str, ...]] = {
    "notebook_task": ("notebook_path",),
    "spark_python_task": ("python_file",),
    "python_wheel_task": ("package_name", "entry_point"),
    "pipeline_task": ("pipeline_id",),
    "sql_task": ("warehouse_id",),
    "dbt_task": ("commands",),
    "run_job_task": ("job_id",),
    "condition_task": ("op", "left", "right"),
    "for_each_task": ("inputs", "task"),
    "clean_rooms_notebook_task": ("clean_room_name", "notebook_name"),
    "gen_ai_compute_task": ("dl_runtime_image",),
    "ai_runtime_task": ("experiment", "deployments"),
    "ai_function_task": ("output",),
}
_MAY_BE_EMPTY = ("left", "right")
_SQL_KINDS = {"query": "query_id", "file": "path", "dashboard": "dashboard_id", "alert": "alert_id"}

_LISTS = frozenset(
    "tasks access_control_list environments environment_variables depends_on libraries jar_params python_params "
    "spark_submit_params dbt_commands commands only".split()
)
_MAPS = frozenset(
    ("job_parameters", "notebook_params", "python_named_params", "sql_params", "base_parameters", "named_parameters")
)
_OBJECTS = _MAPS | frozenset(
    "git_source queue run_as health email_notifications webhook_notifications notification_settings new_cluster "
    "pipeline_params".split()
)
# What `parameters` is differs by the kind of task.
_PARAMETERS: dict[str, type[Any]] = {"sql_task": dict, **dict.fromkeys((*_NEEDS_COMPUTE, "python_operator_task"), list)}


def check_submit_run(payload: Mapping[str, Any]) -> list[str]:
    """Find the faults of a body of `POST /api/2.2/jobs/runs/submit`.

    Args:
        payload: The body, in plain JSON values. It is not changed.

    Returns:
        One sentence a fault; empty when there is none.
    """
    return [*_endpoint(payload), *_run_name(payload), *_git_source(payload), *_run_as(payload), *_tasks(payload)]


def check_run_now(payload: Mapping[str, Any]) -> list[str]:
    """Find the faults of a body of `POST /api/2.2/jobs/run-now`.

    Args:
        payload: The body, in plain JSON values. It is not changed.

    Returns:
        One sentence a fault; empty when there is none.
    """
    missing = (
        []
        if _given(payload, "job_id")
        else ["job_id: is missing; give the number of the job to run, or its `job_name`."]
    )
    return [*missing, *_endpoint(payload), *_job_parameters(payload), *_run_parameters(payload, "")]


def _endpoint(payload: Mapping[str, Any]) -> Iterator[str]:
    yield from _types(payload, "")
    token = _get(payload, "idempotency_token", str)
    if token is not None and not 1 <= len(token) <= _TOKEN_CHARACTERS:
        yield f"idempotency_token: has {len(token)} characters; give 1 to {_TOKEN_CHARACTERS}, or leave it out."
    yield from _one_of(payload, "", "performance_target", _PERFORMANCE_TARGETS)
    yield from _timeout(payload, "")


def _run_name(payload: Mapping[str, Any]) -> Iterator[str]:
    size = len((_get(payload, "run_name", str) or "").encode("utf-8", "replace"))
    if size > _RUN_NAME_BYTES:
        yield f"run_name: has {size} bytes; give a name of at most {_RUN_NAME_BYTES} bytes."


def _git_source(payload: Mapping[str, Any]) -> Iterator[str]:
    yield from _at_most_one(_get(payload, "git_source", dict), "git_source", _GIT_REFERENCES)


def _run_as(payload: Mapping[str, Any]) -> Iterator[str]:
    run_as = _get(payload, "run_as", dict)
    if run_as is not None and len(run_as) != 1:
        yield f"run_as: has {len(run_as)} keys; give one of user_name, service_principal_name and group_name."


def _tasks(payload: Mapping[str, Any]) -> Iterator[str]:
    if not _given(payload, "tasks"):
        yield "tasks: there is no task; give `tasks`, or the fields of one task such as `notebook_task`."
    environments = _environment_keys(payload)
    tasks = _get(payload, "tasks", list) or []
    for index, task in enumerate(tasks):
        path = f"tasks[{index}]"
        if isinstance(task, dict):
            yield from _task(task, path, environments)
        elif task is not UNREADABLE:
            yield f"{path}: must be an object, not {_kind(task)}."
    yield from _task_keys(tasks)
    yield from _dependencies(tasks)


def _environment_keys(payload: Mapping[str, Any]) -> set[str] | None:
    """Return the keys that `environments` defines, or None where it cannot be read."""
    environments = payload.get("environments") or []
    if not isinstance(environments, list) or any(_get(entry, "environment_key", str) is None for entry in environments):
        return None
    return {entry["environment_key"] for entry in environments}


def _task(task: dict[str, Any], path: str, environments: set[str] | None) -> Iterator[str]:
    """Return the faults of one task, apart from its place among the others; `environments` is None where unknown."""
    objects = [key for key, value in task.items() if _is_task_object(key) and value is not None]
    yield from _types(task, path)
    if not objects:
        yield f"{path}: has no task object; give one, such as `notebook_task`."
    yield from _at_most_one(task, path, tuple(objects))
    yield from _one_of(task, path, "run_if", _RUN_IF)
    yield from _timeout(task, path)
    yield from _compute(task, path, objects, environments)
    for key in objects:
        if isinstance(task[key], dict):
            yield from _task_object(key, task[key], f"{path}.{key}", environments)


def _compute(task: dict[str, Any], path: str, objects: list[str], environments: set[str] | None) -> Iterator[str]:
    yield from _at_most_one(task, path, _COMPUTE)
    needing = [key for key in objects if key in _NEEDS_COMPUTE]
    if needing and not any(_given(task, key) for key in (*_COMPUTE, "compute")):
        yield f"{path}: a {needing[0]} needs compute; give one of {_listed(_COMPUTE)}."
    environment = _get(task, "environment_key", str)
    if environment is not None and environments is not None and environment not in environments:
        yield f"{path}.environment_key: {environment!r} is not defined; define it in `environments`."


def _task_object(kind: str, task: dict[str, Any], path: str, environments: set[str] | None) -> Iterator[str]:
    yield from _types(task, path)
    yield from _required(kind, task, path)
    if kind in _PARAMETERS:
        yield from _type(task, path, "parameters", _PARAMETERS[kind])
    if kind == "notebook_task":
        yield from _size(task, path, "base_parameters", _BASE_PARAMETERS_BYTES)
    elif kind == "python_wheel_task":
        yield from _at_most_one(task, path, ("parameters", "named_parameters"))
    elif kind == "run_job_task":
        yield from _run_parameters(task, path)
    elif kind == "for_each_task":
        nested = _get(task, "task", dict)
        if nested is None:
            yield from _type(task, path, "task", dict)
        else:
            yield from _task_key(nested, f"{path}.task")
            yield from _task(nested, f"{path}.task", environments)


def _required(kind: str, task: dict[str, Any], path: str) -> Iterator[str]:
    for key in _REQUIRED.get(kind, ()):
        if not (_given(task, key) or (key in _MAY_BE_EMPTY and task.get(key) is not None)):
            yield f"{path}.{key}: is missing; a {kind} needs it."
    if kind != "sql_task":
        return
    if not any(_given(task, key) for key in task if key not in ("warehouse_id", "parameters")):
        yield f"{path}: does not say what to run; give one of {_listed(tuple(_SQL_KINDS))}."
    for key, needed in _SQL_KINDS.items():
        if isinstance(task.get(key), dict) and not _given(task[key], needed):
            yield f"{path}.{key}.{needed}: is missing; a {key} of a sql_task needs it."


def _task_keys(tasks: list[Any]) -> Iterator[str]:
    first: dict[str, int] = {}
    for index, task in enumerate(tasks):
        if not isinstance(task, dict):
            continue
        path = f"tasks[{index}]"
        key = _get(task, "task_key", str)
        if task.get("task_key") is None:
            yield f"{path}.task_key: is missing; give each task a key of its own."
        yield from _task_key(task, path)
        if key and first.setdefault(key, index) != index:
            yield f"{path}.task_key: {key!r} is the key of tasks[{first[key]}] too; give each task a key of its own."


def _task_key(task: dict[str, Any], path: str) -> Iterator[str]:
    key = _get(task, "task_key", str)
    if key is not None and not _TASK_KEY.fullmatch(key):
        yield f"{path}.task_key: {key[:100]!r} is no task key; use 1 to 100 ASCII letters, digits, `_` and `-`."


def _dependencies(tasks: list[Any]) -> Iterator[str]:
    """Faults of `depends_on`: no objects, unknown tasks, circles."""
    known = {_get(task, "task_key", str) for task in tasks}
    unsure = any(
        task is UNREADABLE or (isinstance(task, dict) and task.get("task_key") is UNREADABLE) for task in tasks
    )
    graph: dict[str | None, set[str]] = {}
    for index, task in enumerate(tasks):
        own = _get(task, "task_key", str)
        for place, dependency in enumerate(_get(task, "depends_on", list) or []):
            path = f"tasks[{index}].depends_on[{place}]"
            key = _get(dependency, "task_key", str)
            if key is None:
                if dependency is not UNREADABLE and not _given(dependency, "task_key"):
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
        yield f"tasks: these wait for each other, {' → '.join(cycle)}; take out one of their depends_on."
        graph = {key: needs.difference(cycle) for key, needs in graph.items() if key not in cycle}


def _cycle(graph: dict[str | None, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def _job_parameters(payload: Mapping[str, Any]) -> Iterator[str]:
    legacy = [key for key in _LEGACY if _given(payload, key)]
    if legacy and _given(payload, "job_parameters"):
        yield f"job_parameters: cannot go with {_listed(legacy, 'and')}; give job_parameters alone."


def _run_parameters(owner: Mapping[str, Any], path: str) -> Iterator[str]:
    """Faults of the parameter fields that run-now and a run_job_task share."""
    yield from _at_most_one(owner, path, ("notebook_params", "jar_params"))
    for key in _LIMITED:
        yield from _size(owner, path, key, _PARAMETERS_BYTES)
    for key in _ASCII_ONLY:
        for index, value in enumerate(_get(owner, key, list) or []):
            if isinstance(value, str) and not value.isascii():
                yield f"{_at(path, key)}[{index}]: has characters outside ASCII, which Databricks refuses; encode them."


def _size(owner: Mapping[str, Any], path: str, key: str, limit: int) -> Iterator[str]:
    if not _given(owner, key):
        return
    text = dumps({key: owner[key]}, ensure_ascii=False, separators=(",", ":"), skipkeys=True, default=str)
    size = len(text.encode("utf-8", "replace"))
    if size > limit:
        yield f"{_at(path, key)}: has {size:,} bytes as JSON, over the limit of {limit:,}; pass a file's path instead."


def _timeout(owner: Mapping[str, Any], path: str) -> Iterator[str]:
    seconds = owner.get("timeout_seconds")
    if isinstance(seconds, (int, float)) and seconds < 0:
        yield f"{_at(path, 'timeout_seconds')}: {seconds} is negative; give seconds, or 0 for no time-out."


def _one_of(owner: Mapping[str, Any], path: str, key: str, known: tuple[str, ...]) -> Iterator[str]:
    value = _get(owner, key, str)
    if value is not None and value not in known:
        yield f"{_at(path, key)}: {value[:100]!r} is not known; give one of {_listed(known)}."


def _at_most_one(owner: Mapping[str, Any] | None, path: str, keys: tuple[str, ...]) -> Iterator[str]:
    given = [key for key in keys if owner is not None and _given(owner, key)]
    if len(given) > 1:
        yield f"{path or given[0]}: {_listed(given, 'and')} exclude each other; give one of them."


def _types(owner: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in owner:
        if key in _LISTS:
            yield from _type(owner, path, key, list)
        elif key in _OBJECTS or _is_task_object(key):
            yield from _type(owner, path, key, dict)


def _type(owner: Mapping[str, Any], path: str, key: str, expected: type[Any]) -> Iterator[str]:
    value = owner.get(key)
    if value is not None and value is not UNREADABLE and not isinstance(value, expected):
        yield f"{_at(path, key)}: must be {_kind(expected())}, not {_kind(value)}."


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null" if value is None else type(value).__name__)


def _is_task_object(key: object) -> bool:
    return isinstance(key, str) and key.endswith("_task")


def _given(owner: object, key: str) -> bool:
    """Whether a field is set: to the Jobs API an empty text, list or map is not, but an empty object is."""
    value = owner.get(key) if isinstance(owner, Mapping) else None
    return value is not None and value not in ("", []) and not (value == {} and key in _MAPS)


def _get(owner: object, key: str, kind: type[T]) -> T | None:
    value = owner.get(key) if isinstance(owner, Mapping) else None
    return value if isinstance(value, kind) else None


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _listed(names: list[str] | tuple[str, ...], word: str = "or") -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
