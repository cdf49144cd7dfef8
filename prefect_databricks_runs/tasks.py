"""The Prefect tasks that start a Databricks run: `submit_run` and `run_now`, and their async twins."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import anyio.lowlevel
from prefect import task
from typing_extensions import Unpack

from prefect_databricks_runs import _portal
from prefect_databricks_runs._signature import named_parameters
from prefect_databricks_runs._templates import template_values
from prefect_databricks_runs.credentials import DatabricksCredentials
from prefect_databricks_runs.errors import DatabricksError, InvalidCredentials, InvalidPayload
from prefect_databricks_runs.fields import RunNowFields, SubmitRunFields
from prefect_databricks_runs.hook import DatabricksHook
from prefect_databricks_runs.leaving import cancel
from prefect_databricks_runs.options import RequestOptions, check_options, option
from prefect_databricks_runs.payload import build_run_now, build_submit_run, placeholders
from prefect_databricks_runs.report import Logger, run_logger, show_started
from prefect_databricks_runs.runs import run_url
from prefect_databricks_runs.saved_credentials import remember

DEFAULT_RUN_NAME = "Run Submitted by Prefect"
_FLOW_RUN_NAME = "prefect.flow_run.name"
_LINK_SECONDS = 5.0


# What the tasks of a flow have started and not handed over yet, for a flow that is interrupted meanwhile.
started_runs: ContextVar[list[int] | None] = ContextVar("started_runs", default=None)


class SubmitRunParameters(SubmitRunFields, RequestOptions, total=False):
    """The named parameters of `submit_run`."""


class RunNowParameters(RunNowFields, RequestOptions, total=False):
    """The named parameters of `run_now`."""

    job_name: str | None
    """Name of the job, instead of `job_id`; upper and lower case do not matter."""


# Starting something is never cached: a retried flow would be handed the old run's id.
@task(persist_result=False)
@named_parameters
def submit_run(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunParameters]
) -> int:
    """Start a one-time Databricks run, with `POST runs/submit`.

    There is one named parameter for each top-level field of the endpoint. They win over the keys of `json`; None means
    "not given". A body with one task at the top level (`notebook_task`, `new_cluster`, …) becomes a job with a task
    `main`.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The request body: a dict, or anything with `as_dict()` or `model_dump()`. It is not changed.
        **parameters: The fields of the request, and `databricks_retry_limit` and `databricks_retry_delay`.

    Returns:
        The `run_id` of the job run, which has just begun.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: Databricks refused it, or could not be reached.
    """
    return _portal.call(_submit_run, databricks_credentials, json, parameters)


@task(persist_result=False)
@named_parameters
async def asubmit_run(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunParameters]
) -> int:
    """Async twin of `submit_run`: the same parameters, result and errors."""
    return await _portal.acall(_submit_run, databricks_credentials, json, parameters)


@task(persist_result=False)
@named_parameters
def run_now(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowParameters]
) -> int:
    """Start a run of a saved Databricks job, with `POST run-now`.

    There is one named parameter for each top-level field of the endpoint. They win over the keys of `json`; None means
    "not given". `notebook_params` is merged with that of `json`, key by key.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The request body: a dict, or anything with `as_dict()` or `model_dump()`. It is not changed.
        **parameters: The fields of the request, `job_name` to find the job by its name, and `databricks_retry_limit`
            and `databricks_retry_delay`.

    Returns:
        The `run_id` of the job run, which has just begun.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        JobNameError: No job has that `job_name`, or several have.
        DatabricksError: Databricks refused it, or could not be reached.
    """
    return _portal.call(_run_now, databricks_credentials, json, parameters)


@task(persist_result=False)
@named_parameters
async def arun_now(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowParameters]
) -> int:
    """Async twin of `run_now`: the same parameters, result and errors."""
    return await _portal.acall(_run_now, databricks_credentials, json, parameters)


def hook_for(credentials: DatabricksCredentials, options: Mapping[str, Any], logger: Logger) -> DatabricksHook:
    """The hook that a task or flow uses, with the retries it was asked for.

    Args:
        credentials: The workspace, and how to sign in.
        options: May have `databricks_retry_limit` and `databricks_retry_delay`.
        logger: Where retries are told.
    """
    remember(credentials)
    return DatabricksHook(
        credentials.host,
        credentials.get_auth(),
        retry_limit=option(options, "databricks_retry_limit"),
        retry_delay=option(options, "databricks_retry_delay"),
        timeout_seconds=credentials.request_timeout_seconds,
        shared=True,
        logger=logger,
    )


def check_call(credentials: Any, options: Mapping[str, Any]) -> None:
    """Check what every task and flow is given, before anything is sent.

    Raises:
        InvalidCredentials: It is no `DatabricksCredentials` block.
        InvalidOption: Options that make no sense.
    """
    if not isinstance(credentials, DatabricksCredentials):
        hint = " Await `DatabricksCredentials.load(…)` in async code." if inspect.isawaitable(credentials) else ""
        raise InvalidCredentials(
            f"`databricks_credentials` must be a DatabricksCredentials block, not {type(credentials).__name__}.{hint}"
        )
    check_options(options)


async def _submit_run(credentials: DatabricksCredentials, json: Any, parameters: Mapping[str, Any]) -> int:
    logger = run_logger()
    hook, fields = _open(credentials, parameters, logger)
    values = await template_values({*placeholders(json, fields), _FLOW_RUN_NAME})
    payload = build_submit_run(json, fields, values)
    payload.setdefault("run_name", values.get(_FLOW_RUN_NAME) or DEFAULT_RUN_NAME)
    run_id = await _start(hook, hook.submit_run(payload), logger)
    name = str(payload["run_name"])
    logger.info("Submitted Databricks run %d %r", run_id, name)
    url = run_url(hook.host, None, run_id)
    try:
        with anyio.move_on_after(_LINK_SECONDS), suppress(DatabricksError):  # only the run says which job it is of
            url = (await hook_for(credentials, {"databricks_retry_limit": 1}, logger).get_run(run_id)).url
            logger.info("See %s", url)
    finally:
        show_started(hook.host, run_id, name, url, logger)
    return run_id


async def _run_now(credentials: DatabricksCredentials, json: Any, parameters: Mapping[str, Any]) -> int:
    logger = run_logger()
    hook, fields = _open(credentials, parameters, logger)
    job_name = fields.pop("job_name", None)
    if job_name is not None:
        fields["job_id"] = await _job_named(hook, job_name, json, fields)
    payload = build_run_now(json, fields, await template_values(placeholders(json, fields)))
    run_id = await _start(hook, hook.run_now(payload), logger)
    url = run_url(hook.host, payload["job_id"], run_id)
    logger.info("Started Databricks run %d: %s", run_id, url)
    show_started(hook.host, run_id, str(job_name or ""), url, logger)
    return run_id


async def _job_named(hook: DatabricksHook, job_name: Any, json: Any, fields: Mapping[str, Any]) -> int:
    if fields.get("job_id") is not None or (isinstance(json, Mapping) and json.get("job_id") is not None):
        raise InvalidPayload(["`job_id` and `job_name` both name the job; give one of them."], "run-now")
    if not isinstance(job_name, str) or not job_name:
        raise InvalidPayload([f"`job_name` must be the name of a job, not {job_name!r}."], "run-now")
    return await hook.find_job(job_name)


async def _start(hook: DatabricksHook, post: Awaitable[int], logger: Logger) -> int:
    """Send the request that starts a run to its end, even when nobody waits any more, and cancel the run then.

    An answer that nobody reads would be a run that nobody knows.
    """
    with anyio.CancelScope(shield=True):
        run_id = await post
    try:
        await anyio.lowlevel.checkpoint()
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await cancel(hook, run_id, logger)
        raise
    runs = started_runs.get()
    if runs is not None:
        runs.append(run_id)
    return run_id


def _open(
    credentials: DatabricksCredentials, parameters: Mapping[str, Any], logger: Logger
) -> tuple[DatabricksHook, dict[str, Any]]:
    """The hook, and what is left of the parameters: the fields of the request."""
    check_call(credentials, parameters)
    fields = {key: value for key, value in parameters.items() if key not in RequestOptions.__annotations__}
    return hook_for(credentials, parameters, logger), fields
