"""Run work on Databricks from Prefect.

The public names are imported when they are first used: `prefect_databricks_runs.local` and the pytest plugin, which
every run of pytest loads, then come without Prefect.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from prefect_databricks_runs._version import __version__

if TYPE_CHECKING:
    from prefect_databricks_runs.credentials import DatabricksCredentials
    from prefect_databricks_runs.errors import (
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
        Unauthenticated,
        WaitTimeout,
    )
    from prefect_databricks_runs.flows import (
        arun_now_and_wait,
        asubmit_run_and_wait,
        await_for_run,
        run_now_and_wait,
        submit_run_and_wait,
        wait_for_run,
    )
    from prefect_databricks_runs.hook import DatabricksHook
    from prefect_databricks_runs.many_flows import await_for_runs, wait_for_runs
    from prefect_databricks_runs.retry_advice import retry_on_platform_failure
    from prefect_databricks_runs.run_states import Outcome, RunState
    from prefect_databricks_runs.runs import Run, RunOutput, RunTask
    from prefect_databricks_runs.state_hooks import cancel_databricks_runs
    from prefect_databricks_runs.tasks import arun_now, asubmit_run, run_now, submit_run

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
        "Unauthenticated",
        "WaitTimeout",
    ),
    "flows": (
        "arun_now_and_wait",
        "asubmit_run_and_wait",
        "await_for_run",
        "run_now_and_wait",
        "submit_run_and_wait",
        "wait_for_run",
    ),
    "hook": ("DatabricksHook",),
    "many_flows": (
        "await_for_runs",
        "wait_for_runs",
    ),
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
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """Imports a public name, or one of the modules that hold them."""
        if name in _HOMES:
            return importlib.import_module(f"{__name__}.{name}")
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Lists the public names too that were not used yet: Prefect looks for blocks among them."""
        return sorted({*globals(), *__all__})
