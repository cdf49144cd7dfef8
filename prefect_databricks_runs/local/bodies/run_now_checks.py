"""The rules for the bodies of `run-now` and `runs/repair`: parameters, and the tasks to run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..web.errors import invalid

MAX_PARAMETERS_BYTES = 10_000

_LIMITED = ("notebook_params", "jar_params", "python_params", "spark_submit_params")
_ASCII = ("python_params", "spark_submit_params")
# The parameters that Databricks refuses together with job parameters.
_BEFORE_JOB_PARAMETERS = (*_LIMITED, "python_named_params", "dbt_commands")
_EXCLUSIVE = (("notebook_params", "jar_params"), *(("job_parameters", name) for name in _BEFORE_JOB_PARAMETERS))


def check_run_now(body: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Check a body of `run-now` against the settings of its job.

    Raises:
        ApiError: A rule is broken, or `only` names a task that the job does not have.
    """
    check_parameters(body)
    only_keys(body.get("only", ()), settings.get("tasks", ()))


def check_parameters(body: Mapping[str, Any]) -> None:
    """Check the parameters of `run-now` or `runs/repair`.

    Raises:
        ApiError: Two parameters cannot be used together, or a parameter is too long or has a character that it cannot
            have.
    """
    for first, second in _EXCLUSIVE:
        if body.get(first) and body.get(second):
            raise invalid("parameters_conflict", first=first, second=second)
    for name in _LIMITED:
        if name in body and _json_bytes({name: body[name]}) > MAX_PARAMETERS_BYTES:
            raise invalid("parameters_too_long", field=name, limit=MAX_PARAMETERS_BYTES)
    for name in _ASCII:
        if not all(item.isascii() for item in body.get(name, [])):
            raise invalid("not_ascii", field=name)
    if body.get("performance_target") == "COST_OPTIMIZED" and "duration_target" not in body:
        raise invalid("missing_field", field="duration_target")


def only_keys(only: Sequence[str], tasks: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the keys of the tasks that `only` selects; of all tasks if it is empty.

    Args:
        only: Task keys. `+key` also selects every task that the task depends on, `key+` every task that depends on
            it, `+key+` both.
        tasks: The tasks of the job.

    Raises:
        ApiError: A task does not exist.
    """
    upstream = {task["task_key"]: {other["task_key"] for other in task.get("depends_on", ())} for task in tasks}
    if not only:
        return set(upstream)
    downstream: dict[str, set[str]] = {key: set() for key in upstream}
    for key, others in upstream.items():
        for other in others:
            downstream[other].add(key)
    chosen: set[str] = set()
    for asked in only:
        key = asked.removeprefix("+").removesuffix("+")
        if key not in upstream:
            raise invalid("unknown_only", task_key=asked[:200])
        chosen.add(key)
        if asked.startswith("+"):
            chosen |= _reachable(key, upstream.__getitem__)
        if asked.endswith("+"):
            chosen |= _reachable(key, downstream.__getitem__)
    return chosen


def _reachable(key: str, neighbours: Callable[[str], set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [key]
    while waiting:
        new = neighbours(waiting.pop()) - found
        found |= new
        waiting.extend(new)
    return found


def _json_bytes(value: Any) -> int:
    """Return the length of the shortest JSON of `value` in UTF-8."""
    shortest = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(shortest.encode("utf-8", "surrogatepass"))
