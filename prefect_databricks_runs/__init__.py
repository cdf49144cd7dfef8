"""Run work on Databricks from Prefect.

The public names are imported when they are first used. So `prefect_databricks_runs.local` and the pytest plugin, which
every run of pytest loads, work without importing Prefect.
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
        InvalidJob,
        InvalidOption,
        InvalidPayload,
        InvalidResponse,
        JobNameError,
        JobProtected,
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
        arun_databricks_job,
        arun_now_and_wait,
        asubmit_run_and_wait,
        await_for_run,
        await_for_runs,
        run_databricks_job,
        run_now_and_wait,
        submit_run_and_wait,
        wait_for_run,
        wait_for_runs,
    )
    from .flows.job_block import DatabricksJob
    from .flows.job_run import DatabricksJobRun
    from .hook import DatabricksHook
    from .jobs import Job
    from .retry_advice import retry_on_platform_failure
    from .run_states import Outcome, RunState
    from .runs import Run, RunOutput, RunTask
    from .state_hooks import cancel_databricks_runs
    from .suspending import asuspend_for_run, asuspend_for_runs, suspend_for_run, suspend_for_runs
    from .tasks import aapply_job, apply_job, arun_now, asubmit_run, run_now, submit_run

__all__ = [
    "BadRequest",
    "Conflict",
    "DatabricksApiError",
    "DatabricksConnectionError",
    "DatabricksCredentials",
    "DatabricksError",
    "DatabricksHook",
    "DatabricksJob",
    "DatabricksJobRun",
    "DatabricksUnreachable",
    "InvalidCredentials",
    "InvalidJob",
    "InvalidOption",
    "InvalidPayload",
    "InvalidResponse",
    "Job",
    "JobNameError",
    "JobProtected",
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
    "aapply_job",
    "apply_job",
    "arun_databricks_job",
    "arun_now",
    "arun_now_and_wait",
    "asubmit_run",
    "asubmit_run_and_wait",
    "asuspend_for_run",
    "asuspend_for_runs",
    "await_for_run",
    "await_for_runs",
    "cancel_databricks_runs",
    "retry_on_platform_failure",
    "run_databricks_job",
    "run_now",
    "run_now_and_wait",
    "submit_run",
    "submit_run_and_wait",
    "suspend_for_run",
    "suspend_for_runs",
    "wait_for_run",
    "wait_for_runs",
]

# The module of each public name.
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
        "InvalidJob",
        "InvalidOption",
        "InvalidPayload",
        "InvalidResponse",
        "JobNameError",
        "JobProtected",
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
        "arun_databricks_job",
        "arun_now_and_wait",
        "asubmit_run_and_wait",
        "await_for_run",
        "await_for_runs",
        "run_databricks_job",
        "run_now_and_wait",
        "submit_run_and_wait",
        "wait_for_run",
        "wait_for_runs",
    ),
    "flows.job_block": ("DatabricksJob",),
    "flows.job_run": ("DatabricksJobRun",),
    "hook": ("DatabricksHook",),
    "jobs": ("Job",),
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
    "suspending": (
        "asuspend_for_run",
        "asuspend_for_runs",
        "suspend_for_run",
        "suspend_for_runs",
    ),
    "tasks": (
        "aapply_job",
        "apply_job",
        "arun_now",
        "asubmit_run",
        "run_now",
        "submit_run",
    ),
}

if not TYPE_CHECKING:  # a type checker would accept any name
    __getattr__, __dir__ = names_of(__name__, _HOMES)
