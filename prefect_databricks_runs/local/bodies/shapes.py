"""The objects of the Jobs API as kinds of `schema`: from `api_shapes`, with corrections.

`api_shapes` is generated from databricks-sdk, which has the names of fields, their types and values. The corrections
are below.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from .api_shapes import ENUMS, OBJECTS
from .schema import BOOLEAN, FLOAT, INT32, INTEGER, STRING, TEXT, Choice, Kind, ListOf, MapOf, Object

# Integers of 64 bits; the SDK has one type for all integers.
_INT64 = frozenset(
    ("job_id", "run_id", "latest_repair_id", "dbt_cloud_job_id", "value", "start_time_from", "start_time_to")
)
# Enums whose values are not checked: their case does not matter, or Databricks adds values every few months.
_OPEN = frozenset(("GitProvider", "HardwareAcceleratorType", "ComputeSpecAcceleratorType", "JobDeploymentKind"))
# Fields that the SDK requires and Databricks does not: `job_id` and `git_provider` have their own message, and
# `enabled` is true by default.
_NOT_NEEDED = {"RunNow": {"job_id"}, "GitSource": {"git_provider"}, "QueueSettings": {"enabled"}}
# A condition may compare an empty string, and an empty path has its own error.
_MAY_BE_EMPTY = ("left", "right", "notebook_path", "python_file")
_SCALARS: Final = {"text": STRING, "float": FLOAT, "bool": BOOLEAN}


@cache
def shape(name: str) -> Object:
    """Return an object of the API by its name in databricks-sdk, such as `ClusterSpec`, or the name of a body."""
    fields = dict(_fields(name))
    optional = _NOT_NEEDED.get(name, set())
    required = tuple(key for key, kind in fields.items() if kind.endswith("!") and key not in optional)
    kinds = {key: _kind(key, kind.removesuffix("!")) for key, kind in fields.items()}
    if name == "ForEachTask":
        # A for-each task inside another is not read, or this would never end. The rules refuse it.
        nested = {key: kind.removesuffix("!") for key, kind in _fields("Task") if key != "for_each_task"}
        inner = {key: _kind(key, kind) for key, kind in nested.items()}
        kinds["task"] = Object({**inner, "for_each_task": Object()}, required=("task_key",))
    filled = tuple(key for key in required if key not in _MAY_BE_EMPTY) if name in _needing_text() else ()
    return Object(kinds, required, filled)


def values(name: str) -> tuple[str, ...]:
    """Return the values of an enum."""
    return tuple(ENUMS[name].split())


@cache
def _needing_text() -> frozenset[str]:
    """Return the objects whose required strings cannot be empty: task types, parts of SQL tasks, and Git sources."""
    task_types = {kind for key, kind in _fields("Task") if key.endswith("_task")}
    of_sql = {kind for _, kind in _fields("SqlTask") if kind in OBJECTS}
    return frozenset(("GitSource", *task_types, *of_sql))


def _fields(name: str) -> list[tuple[str, str]]:
    return [(key, kind) for key, _, kind in (field.partition(":") for field in OBJECTS[name].split())]


def _kind(key: str, kind: str) -> Kind:
    if kind.startswith("["):
        return ListOf(_kind(key, kind[1:-1]))
    if kind == "{text}":
        return MapOf(TEXT)
    if kind in OBJECTS:
        # `shape` makes the task of a for-each task; here it would never end.
        return Object() if kind == "Task" and key == "task" else shape(kind)
    if kind in ENUMS:
        return STRING if kind in _OPEN else Choice(values(kind))
    if kind == "int":
        return INTEGER if key in _INT64 else INT32
    return _SCALARS[kind]


# The fields of the task types; a task has exactly one of them.
TASK_TYPES: Final = tuple(key for key, _ in _fields("Task") if key.endswith("_task"))
# The parameters of `run-now` that are older than job parameters.
TASK_PARAMETERS: Final = tuple(key for key, _ in _fields("RunJobTask") if key not in ("job_id", "job_parameters"))
# The fields of the one task in a body of the old API, which has them at the top level.
SINGLE_TASK_FIELDS: Final = (
    *TASK_TYPES,
    "existing_cluster_id",
    "new_cluster",
    "libraries",
    "max_retries",
    "min_retry_interval_millis",
    "retry_on_timeout",
)
