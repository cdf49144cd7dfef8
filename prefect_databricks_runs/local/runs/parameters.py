"""What a task is told: its own parameters, those of the job and those of `run-now`, with references resolved."""

from __future__ import annotations

from .records import RunRecord, TaskRecord
from .references import References


def notebook_parameters(run: RunRecord, task: TaskRecord, references: References) -> dict[str, str]:
    """Returns a notebook's widgets: its `base_parameters`, over them `notebook_params`, over them the job's parameters.

    Raises:
        UnresolvedReferenceError: a reference has no value.
    """
    own: dict[str, str] = task.settings["notebook_task"].get("base_parameters", {})
    given = {**own, **run.overrides.get("notebook_params", {}), **run.job_parameters}
    resolved: dict[str, str] = references.resolve(given)
    return resolved


def python_parameters(run: RunRecord, task: TaskRecord, references: References) -> list[str]:
    """Returns a Python file's arguments: `python_params` if `run-now` gave them, else its own `parameters`.

    Raises:
        UnresolvedReferenceError: a reference has no value.
    """
    own: list[str] = task.settings["spark_python_task"].get("parameters", [])
    resolved: list[str] = references.resolve(run.overrides.get("python_params") or own)
    return resolved
