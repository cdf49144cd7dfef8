"""Prefect's schedules: read the schedule that a person writes, and keep the schedules of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule

from .._text import quoted
from ..errors import InvalidOption

# What a schedule of a deployment has on either line beside its own id and times.
_KEPT = ("schedule", "active", "parameters", "slug", "max_scheduled_runs")


def cron_schedule(cron: str, timezone: str | None) -> DeploymentScheduleCreate:
    """Make a schedule of what a person writes.

    Args:
        cron: The times.
        timezone: The time zone of them; UTC if it is None.

    Raises:
        InvalidOption: Prefect does not know such times, or such a time zone.
    """
    try:
        CronSchedule(cron=cron)
    except ValueError:
        raise InvalidOption(
            [f"--cron {quoted(cron)} is not a cron expression, such as '0 3 * * *' for each night at 3:00."]
        ) from None
    try:
        schedule = CronSchedule(cron=cron, timezone=timezone or "UTC")
    except ValueError:
        raise InvalidOption(
            [f"--timezone {quoted(timezone or '')} is not the name of a time zone, such as Europe/Berlin."]
        ) from None
    return DeploymentScheduleCreate(schedule=schedule, active=True)


def kept(schedules: Sequence[Any]) -> list[DeploymentScheduleCreate]:
    """Return what makes the schedules of a deployment again: Prefect replaces them all when it is saved.

    Args:
        schedules: As Prefect has them.
    """
    found = [{name: getattr(each, name, None) for name in _KEPT} for each in schedules]
    return [
        DeploymentScheduleCreate(**{name: value for name, value in each.items() if value is not None}) for each in found
    ]


def in_words(each: Any) -> str:
    """Return a schedule as one line.

    Args:
        each: One of a deployment, or what makes one.
    """
    schedule = each.schedule
    cron, interval = getattr(schedule, "cron", None), getattr(schedule, "interval", None)
    text = cron or (f"every {interval}" if interval is not None else str(getattr(schedule, "rrule", schedule)))
    paused = "" if each.active else ", paused"
    return f"{text} ({getattr(schedule, 'timezone', None) or 'UTC'}{paused})"
