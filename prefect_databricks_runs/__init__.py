"""Run work on Databricks from Prefect.

The public names are imported when they are first used: `prefect_databricks_runs.local` and the pytest plugin, which
every run of pytest loads, then come without Prefect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import names_of
from ._version import __version__

if TYPE_CHECKING:
    from .credentials import DatabricksCredentials
    from .errors import (
        BadRequest,
        Conflict,
        DatabricksApiError,
        DatabricksConnectionError,
        DatabricksError,
        DatabricksUnreachable,
        InvalidCredentials,
        InvalidOption,
        InvalidPayload,
        InvalidResponse,
        JobNameError,
        NotFound,
        PermissionDenied,
        RateLimited,
        RunCanceled,
        RunFailed,
        RunInternalError,
        RunsFailed,
        RunSkipped,
        RunTimedOut,
        ServerError,
        SignInFailed,
        SignInUnavailable,
        Unauthenticated,
        WaitTimeout,
    )
    from .flows import (
        arun_now_and_wait,
        asubmit_run_and_wait,
        await_for_run,
        await_for_runs,
        run_now_and_wait,
        submit_run_and_wait,
        wait_for_run,
        wait_for_runs,
    )
    from .hook import DatabricksHook
    from .retry_advice import retry_on_platform_failure
    from .run_states import Outcome, RunState
    from .runs import Run, RunOutput, RunTask
    from .state_hooks import cancel_databricks_runs
    from .tasks import arun_now, asubmit_run, run_now, submit_run

__all__ = [
    "BadRequest",
    "Conflict",
    "DatabricksApiError",
    "DatabricksConnectionError",
    "DatabricksCredentials",
    "DatabricksError",
    "DatabricksHook",
    "DatabricksUnreachable",
    "InvalidCredentials",
    "InvalidOption",
    "InvalidPayload",
    "InvalidResponse",
    "JobNameError",
    "NotFound",
    "Outcome",
    "PermissionDenied",
    "RateLimited",
    "Run",
    "RunCanceled",
    "RunFailed",
    "RunInternalError",
    "RunOutput",
    "RunSkipped",
    "RunState",
    "RunTask",
    "RunTimedOut",
    "RunsFailed",
    "ServerError",
    "SignInFailed",
    "SignInUnavailable",
    "Unauthenticated",
    "WaitTimeout",
    "__version__",
    "arun_now",
    "arun_now_and_wait",
    "asubmit_run",
    "asubmit_run_and_wait",
    "await_for_run",
    "await_for_runs",
    "cancel_databricks_runs",
    "retry_on_platform_failure",
    "run_now",
    "run_now_and_wait",
    "submit_run",
    "submit_run_and_wait",
    "wait_for_run",
    "wait_for_runs",
]

# Where each public name comes from.
_HOMES = {
    "credentials": ("DatabricksCredentials",),
    "errors": (
        "BadRequest",
        "Conflict",
        "DatabricksApiError",
        "DatabricksConnectionError",
        "DatabricksError",
        "DatabricksUnreachable",
        "InvalidCredentials",
        "InvalidOption",
        "InvalidPayload",
        "InvalidResponse",
        "JobNameError",
        "NotFound",
        "PermissionDenied",
        "RateLimited",
        "RunCanceled",
        "RunFailed",
        "RunInternalError",
        "RunSkipped",
        "RunTimedOut",
        "RunsFailed",
        "ServerError",
        "SignInFailed",
        "SignInUnavailable",
        "Unauthenticated",
        "WaitTimeout",
    ),
    "flows": (
        "arun_now_and_wait",
        "asubmit_run_and_wait",
        "await_for_run",
        "await_for_runs",
        "run_now_and_wait",
        "submit_run_and_wait",
        "wait_for_run",
        "wait_for_runs",
    ),
    "hook": ("DatabricksHook",),
    "retry_advice": ("retry_on_platform_failure",),
    "run_states": (
        "Outcome",
        "RunState",
    ),
    "runs": (
        "Run",
        "RunOutput",
        "RunTask",
    ),
    "state_hooks": ("cancel_databricks_runs",),
    "tasks": (
        "arun_now",
        "asubmit_run",
        "run_now",
        "submit_run",
    ),
}

if not TYPE_CHECKING:  # a type checker would take any name for one of ours
    __getattr__, __dir__ = names_of(__name__, _HOMES)
