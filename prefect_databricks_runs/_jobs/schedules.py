"""A schedule of the job beside one of the Prefect deployment: the job would start twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException

from .._prefect.compat import run_contexts
from .._prefect.logging import Logger
from .._text import quoted

_STARTERS = ("schedule", "trigger", "continuous", "triggers")


async def warn_of_two_schedules(settings: Mapping[str, Any], logger: Logger) -> None:
    """Warn if both Databricks and Prefect start the job by a schedule.

    Args:
        settings: The job's settings.
        logger: Of the task run.
    """
    starters = list(active_starters(settings))
    flows, _ = run_contexts()
    flow_run = flows[0].flow_run if starters and flows else None
    if flow_run is None or flow_run.deployment_id is None:
        return
    try:
        async with get_client() as client:
            deployment = await client.read_deployment(flow_run.deployment_id)
    except (httpx.HTTPError, PrefectException):  # a warning is worth no failure
        return
    if not deployment.paused and any(each.active for each in deployment.schedules):
        logger.warning(
            "The job has a `%s` that is active, and the deployment %s has an active schedule too: both start the job."
            " Keep one of them; a paused one has `pause_status` PAUSED in the job.",
            starters[0],
            quoted(deployment.name),
        )


def active_starters(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings by which Databricks starts a job on its own."""
    for key in _STARTERS:
        value = settings.get(key)
        entries = value if isinstance(value, list) else [value] if value else []
        if any(isinstance(each, Mapping) and each.get("pause_status") != "PAUSED" for each in entries):
            yield key
