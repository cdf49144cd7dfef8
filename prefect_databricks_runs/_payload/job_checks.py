"""Checks of a job's settings before it is saved: faults that Databricks is known to refuse or misread.

As in `checks`, what Databricks may accept is never a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .looks import at, at_most_one, get, type_at
from .shared_checks import key_used_twice, settings_faults, tasks_faults

_KEY = re.compile(r"[\w-]{1,100}", re.ASCII)
_PARAMETER_NAME = re.compile(r"[\w.-]+", re.ASCII)
_CRON_FIELDS = (6, 7)
_LISTS = ("job_clusters", "parameters", "triggers")
_OBJECTS = ("schedule", "trigger", "continuous", "tags", "deployment")


def check_job(payload: Mapping[str, Any]) -> list[str]:
    """Find the faults of a job's settings, the body of `POST /api/2.2/jobs/create`.

    Args:
        payload: The body, in plain JSON values, with its tasks in `tasks`. It is not changed.

    Returns:
        One sentence a fault; empty when there is none.
    """
    settings = (*settings_faults(payload, "name"), *_types(payload), *_job_clusters(payload), *_parameters(payload))
    return [*settings, *_starters(payload), *tasks_faults(payload, is_saved=True)]


def _types(payload: Mapping[str, Any]) -> Iterator[str]:
    for key in _LISTS:
        yield from type_at(payload, "", key, list)
    for key in _OBJECTS:
        yield from type_at(payload, "", key, dict)


def _job_clusters(payload: Mapping[str, Any]) -> Iterator[str]:
    advice = "is not a key; use 1 to 100 ASCII letters, digits, `_` and `-`."
    yield from _names(payload, "job_clusters", "job_cluster_key", _KEY, advice)
    yield from key_used_twice(payload, "job_clusters", "job_cluster_key")


def _parameters(payload: Mapping[str, Any]) -> Iterator[str]:
    advice = "is not a parameter name; use ASCII letters, digits, `_`, `-` and `.`."
    yield from _names(payload, "parameters", "name", _PARAMETER_NAME, advice)


def _names(payload: Mapping[str, Any], field: str, key: str, pattern: re.Pattern[str], advice: str) -> Iterator[str]:
    """Yield the faults of entries of a list whose name does not match a pattern."""
    for index, entry in enumerate(get(payload, field, list) or []):
        name = get(entry, key, str)
        if name is not None and not pattern.fullmatch(name):
            yield f"{field}[{index}].{key}: {name[:100]!r} {advice}"


def _starters(payload: Mapping[str, Any]) -> Iterator[str]:
    yield from at_most_one(payload, "", ("schedule", "continuous"))
    schedules = {"schedule": payload.get("schedule")}
    for index, trigger in enumerate(get(payload, "triggers", list) or []):
        schedules[f"triggers[{index}].schedule"] = get(trigger, "schedule", dict)
    for path, schedule in schedules.items():
        cron = get(schedule, "quartz_cron_expression", str)
        if cron is not None and len(cron.split()) not in _CRON_FIELDS:
            yield (
                f"{at(path, 'quartz_cron_expression')}: {cron[:100]!r} has {len(cron.split())} fields; use 6 or 7, "
                "beginning with the seconds, such as `0 30 6 * * ?`."
            )
