"""Jobs and runs in the form of version 2.0: one task, whose fields stand at the top level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import bodies
from .schema import Object, read
from .task_bodies import SINGLE_TASK_FIELDS

SINGLE_TASK = "SINGLE_TASK"
MULTI_TASK = "MULTI_TASK"


def read_settings(fields: dict[str, Any], kind: Object, version: str) -> dict[str, Any]:
    """Return the settings of a job or of a submitted run with `tasks`, and with the `format` that they came in.

    Args:
        fields: the settings as they came.
        kind: what they should be.
        version: the API's version. Only 2.0 keeps the old form; in newer ones it is only another spelling.

    Raises:
        ApiError: a field is wrong.
    """
    settings: dict[str, Any] = read(bodies.with_tasks(fields), kind)
    # What a client says about the form does not change it.
    settings.pop("format", None)
    if "tasks" in settings:
        is_old = version == "2.0" and fields.get("tasks") is None
        settings["format"] = SINGLE_TASK if is_old else MULTI_TASK
    return settings


def has_old_form(settings: Mapping[str, Any]) -> bool:
    """Return whether these settings came in the old form, and have not got more tasks since."""
    return settings.get("format") == SINGLE_TASK and len(settings.get("tasks", ())) == 1


def in_old_form(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the fields of their only task at the top level."""
    (task,) = settings["tasks"]
    rest = {name: value for name, value in settings.items() if name != "tasks"}
    top = {name: task[name] for name in SINGLE_TASK_FIELDS if name in task}
    return {**rest, **top, "format": SINGLE_TASK}
