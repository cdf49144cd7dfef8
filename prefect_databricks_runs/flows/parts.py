"""What the flows share that start a run and wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from .._start.in_flight import handing_over
from ..credentials import DatabricksCredentials
from ..options import option


def starting(credentials: DatabricksCredentials, parameters: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Leave the run that is started in this block, when the block is interrupted.

    Args:
        credentials: The workspace, and how to sign in.
        parameters: Of the flow.
    """
    fails = option(parameters, "fail_on_task_failures")
    return handing_over(credentials, parameters, fail_on_task_failures=fails)


def only(fields: type, parameters: Mapping[str, Any]) -> Any:
    """Pick those of a flow's parameters that the task takes.

    Args:
        fields: The named parameters of the task.
        parameters: Of the flow.
    """
    return {key: value for key, value in parameters.items() if key in fields.__annotations__}
