"""Jobs and runs in the form of version 2.0: one task, with its fields at the top level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import bodies
from .schema import Object, read
from .shapes import SINGLE_TASK_FIELDS

SINGLE_TASK = "SINGLE_TASK"
MULTI_TASK = "MULTI_TASK"

# A submitted run with job clusters is known to be refused, so that field is not ignored.
_KNOWN = (bodies.SUBMIT.fields.keys() | bodies.CREATE.fields.keys()) - {"job_clusters"}


def read_settings(fields: dict[str, Any], kind: Object, version: str) -> dict[str, Any]:
    """Return the settings of a job or of a submitted run with `tasks`, and with their original `format`.

    Settings that only a job has are left out of a submitted run, and the other way round: Databricks ignores them.

    Args:
        fields: The settings in the request.
        kind: The shape that they should have.
        version: The API's version. Only 2.0 keeps the old form; in newer versions it is only another spelling.

    Raises:
        ApiError: A field is wrong.
    """
    body = bodies.with_tasks(fields)
    settings: dict[str, Any] = read({key: body[key] for key in body if key in kind.fields or key not in _KNOWN}, kind)
    # The `format` that a client sends has no effect.
    settings.pop("format", None)
    if "tasks" in settings:
        is_old = version == "2.0" and fields.get("tasks") is None
        settings["format"] = SINGLE_TASK if is_old else MULTI_TASK
    return settings


def has_old_form(settings: Mapping[str, Any]) -> bool:
    """Return whether these settings were sent in the old form and still have one task."""
    return settings.get("format") == SINGLE_TASK and len(settings.get("tasks", ())) == 1


def in_old_form(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the fields of their only task at the top level."""
    (task,) = settings["tasks"]
    rest = {name: value for name, value in settings.items() if name != "tasks"}
    top = {name: task[name] for name in SINGLE_TASK_FIELDS if name in task}
    return {**rest, **top, "format": SINGLE_TASK}
