"""What a task is told: its own parameters, those of the job and those of `run-now`, with references resolved."""

from __future__ import annotations

from typing import Any

from .records import RunRecord, TaskRecord
from .references import References


def notebook_parameters(run: RunRecord, task: TaskRecord, references: References) -> dict[str, str]:
    """Returns a notebook's widgets: its `base_parameters`, over them `notebook_params`, over them the job's parameters.

    Raises:
        UnresolvedReferenceError: a reference has no value.
    """
    own: dict[str, str] = task.settings["notebook_task"].get("base_parameters", {})
    given = {**own, **run.overrides.get("notebook_params", {}), **run.job_parameters}
    return {name: references.resolve(value) for name, value in given.items()}


def python_parameters(run: RunRecord, task: TaskRecord, references: References) -> list[str]:
    """Returns a Python file's arguments: `python_params` if `run-now` gave them, else its own `parameters`.

    Raises:
        UnresolvedReferenceError: a reference has no value.
    """
    own: list[str] = task.settings["spark_python_task"].get("parameters", [])
    given: list[Any] = run.overrides.get("python_params") or own
    return [references.resolve(value) for value in given]
