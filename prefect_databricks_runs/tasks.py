"""The Prefect tasks that start a run (`submit_run`, `run_now`) or save a job (`apply_job`), and their async twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from prefect import task
from typing_extensions import ParamSpec, Unpack

from ._connect.call import Call, called_with
from ._jobs.applying import Applying
from ._jobs.schedules import warn_of_two_schedules
from ._jobs.showing import show
from ._jobs.wanted import Wanted
from ._payload.build import run_now_template, submit_run_template
from ._payload.hints import hints_of, log_hints
from ._payload.placeholders import placeholder_values
from ._payload.rules import Hint
from ._payload.template import Template
from ._prefect import portal
from ._prefect.docstrings import documented_as
from ._prefect.own_faults import OwnFaults
from ._prefect.signature import named_parameters
from ._report import show_started
from ._start.earlier_attempts import take_over
from ._start.in_flight import handing_over
from ._start.marker import with_marker
from ._start.starter import Found, Starter
from ._text import safe_repr
from .credentials import DatabricksCredentials
from .errors import InvalidPayload
from .fields import RunNowFields, SubmitRunFields
from .hook import DatabricksHook
from .options import ApplyOptions, StartOptions
from .runs import run_url

DEFAULT_RUN_NAME = "Run Submitted by Prefect"
_FLOW_RUN_NAME = "prefect.flow_run.name"
P = ParamSpec("P")
T = TypeVar("T")


class SubmitRunParameters(SubmitRunFields, StartOptions, total=False):
    """The named parameters of `submit_run`."""


class RunNowParameters(RunNowFields, StartOptions, total=False):
    """The named parameters of `run_now`."""

    job_name: str | None
    """Name of the job to run, instead of `job_id`. Upper and lower case do not matter."""


# Starting something is never cached: a retried flow would be handed the old run's id.
@task(persist_result=False)
@named_parameters
def submit_run(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunParameters]
) -> int:
    """Start a one-time Databricks run, with `POST runs/submit`.

    When the task or its flow is retried, the run that was started before is found again: see `on_retry`.

    There is one named parameter for each top-level field of the endpoint. They win over the keys of `json`; None means
    "not given". A body with one task at the top level (`notebook_task`, `new_cluster`, …) becomes a job with a task
    `main`.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The request body: a dict, or anything with `as_dict()` or `model_dump()`. It is not changed.
        **parameters: The fields of the request, and how it is sent.

    Returns:
        The `run_id` of the job run.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: Databricks refused it, or could not be reached.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, submit_run

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            return submit_run(databricks, notebook_task={"notebook_path": "/Shared/nightly"})

        print(nightly())
        ```
    """
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return portal.call(_submit_run, call, json, parameters)


@task(persist_result=False)
@documented_as(submit_run)
@named_parameters
async def asubmit_run(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunParameters]
) -> int:
    """Async twin of `submit_run`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, asubmit_run

        @flow
        async def nightly(databricks: DatabricksCredentials):
            return await asubmit_run(databricks, notebook_task={"notebook_path": "/Shared/nightly"})

        print(asyncio.run(nightly(DatabricksCredentials.load("BLOCK_NAME"))))
        ```
    """
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return await portal.acall(_submit_run, call, json, parameters)


@task(persist_result=False)
@named_parameters
def run_now(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowParameters]
) -> int:
    """Start a run of a saved Databricks job, with `POST run-now`.

    When the task or its flow is retried, the run that was started before is found again: see `on_retry`.

    There is one named parameter for each top-level field of the endpoint. They win over the keys of `json`; None means
    "not given". `notebook_params` is merged with that of `json`, key by key.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The request body: a dict, or anything with `as_dict()` or `model_dump()`. It is not changed.
        **parameters: The fields of the request, and how it is sent.

    Returns:
        The `run_id` of the job run.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        JobNameError: No job has that `job_name`, or several have.
        DatabricksError: Databricks refused it, or could not be reached.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, run_now

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            return run_now(databricks, job_name="nightly", job_parameters={"day": "2026-11-27"})

        print(nightly())
        ```
    """
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return portal.call(_run_now, call, json, parameters)


@task(persist_result=False)
@documented_as(run_now)
@named_parameters
async def arun_now(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowParameters]
) -> int:
    """Async twin of `run_now`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, arun_now

        @flow
        async def nightly(databricks: DatabricksCredentials):
            return await arun_now(databricks, job_name="nightly")

        print(asyncio.run(nightly(DatabricksCredentials.load("BLOCK_NAME"))))
        ```
    """
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return await portal.acall(_run_now, call, json, parameters)


@task(persist_result=False)
@named_parameters
def apply_job(databricks_credentials: DatabricksCredentials, job: Any, **parameters: Unpack[ApplyOptions]) -> int:
    """Create a saved job, or reset the job with its name if a setting differs.

    The differences are in the log and on the flow run's page. If nothing differs, nothing is sent. Active runs of the
    job keep the settings that they were started with.

    The saved job gets the tag `prefect_settings`, which marks it as created here. A job with the name and without the
    tag is reset only with `adopt=True`. The job of a bundle and a locked job are never changed.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        job: A `Job`; or the body of `jobs/create`: a dict, or anything with `as_dict()` or `model_dump()`. With an
            `access_control_list`, the permissions of the job are set too.
        **parameters: `adopt`, `databricks_retry_limit` and `databricks_retry_delay`.

    Returns:
        The job's `job_id`.

    Raises:
        InvalidPayload: The settings have faults; nothing was sent.
        JobNameError: Several jobs have that name.
        JobProtected: The job must not be changed.
        DatabricksError: Databricks refused it, or could not be reached.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, Job, apply_job, run_now_and_wait

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            job = Job("nightly-report")
            job.notebook("/Shared/nightly")
            return run_now_and_wait(databricks, job_id=apply_job(databricks, job))

        nightly()
        ```
    """
    call = called_with(databricks_credentials, parameters, ApplyOptions)
    return portal.call(_apply_job, call, job)


@task(persist_result=False)
@documented_as(apply_job)
@named_parameters
async def aapply_job(
    databricks_credentials: DatabricksCredentials, job: Any, **parameters: Unpack[ApplyOptions]
) -> int:
    """Async twin of `apply_job`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, Job, aapply_job

        @flow
        async def nightly(databricks: DatabricksCredentials):
            job = Job("nightly-report")
            job.notebook("/Shared/nightly")
            return await aapply_job(databricks, job)

        print(asyncio.run(nightly(DatabricksCredentials.load("BLOCK_NAME"))))
        ```
    """
    call = called_with(databricks_credentials, parameters, ApplyOptions)
    return await portal.acall(_apply_job, call, job)


async def _apply_job(call: Call[ApplyOptions], job: Any) -> int:
    wanted = await _off_the_loop(Wanted.of, job)
    log_hints(wanted.hints, call.logger)
    with OwnFaults(call.logger).caught("looking for two schedules"):
        await warn_of_two_schedules(wanted.settings, call.logger)
    applied = await Applying(call, wanted, adopt=call.options["adopt"]).apply()
    with OwnFaults(call.logger).caught(f"showing what was done to Databricks job {applied.job_id}"):
        show(applied, call.logger)
    return applied.job_id


async def _submit_run(call: Call[StartOptions], json: Any, parameters: Mapping[str, Any]) -> int:
    template = await _off_the_loop(submit_run_template, json, _only_fields(parameters))
    values = await placeholder_values({*template.placeholders, _FLOW_RUN_NAME})
    request = await _off_the_loop(_Request.of, template, values)
    request.payload.setdefault("run_name", values.get(_FLOW_RUN_NAME) or DEFAULT_RUN_NAME)
    return await _start(call, replace(request, payload=with_marker(request.payload)))


async def _run_now(call: Call[StartOptions], json: Any, parameters: Mapping[str, Any]) -> int:
    fields = _only_fields(parameters)
    job_name = fields.pop("job_name", None)
    if job_name is not None:
        fields["job_id"] = await _job_named(call.hook, job_name, json, fields)
    template = await _off_the_loop(run_now_template, json, fields)
    values = await placeholder_values(template.placeholders)
    return await _start(call, await _off_the_loop(_Request.of, template, values))


async def _off_the_loop(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call in a thread: a body of a thousand tasks would hold up the loop in which all waits of the process live."""
    return await to_thread.run_sync(partial(function, *args, **kwargs))


@dataclass(frozen=True)
class _Request:
    """A request to start a run.

    Attributes:
        endpoint: `runs/submit` or `run-now`.
        payload: The body.
        lasting: The part of the body that is the same in each attempt.
        hints: What the shape of the API does not have.
    """

    endpoint: str
    payload: dict[str, Any]
    lasting: dict[str, Any]
    hints: list[Hint]

    @classmethod
    def of(cls, template: Template, values: Mapping[str, Any]) -> _Request:
        payload = template.fill(values)
        lasting = template.lasting(values, payload)
        return cls(template.endpoint, payload, lasting, hints_of(payload, template.endpoint))


async def _job_named(hook: DatabricksHook, job_name: Any, json: Any, fields: Mapping[str, Any]) -> int:
    if fields.get("job_id") is not None or (isinstance(json, Mapping) and json.get("job_id") is not None):
        raise InvalidPayload(["`job_id` and `job_name` both name the job; pass one of them."], "run-now")
    if not isinstance(job_name, str) or not job_name:
        raise InvalidPayload([f"`job_name` must be the name of a job, not {safe_repr(job_name)}."], "run-now")
    return await hook.find_job(str.__str__(job_name))


async def _start(call: Call[StartOptions], request: _Request) -> int:
    """Start the run, and report it in the log and on the flow run's page."""
    logger = call.logger
    log_hints(request.hints, logger)
    found = await Starter(call).start(request.endpoint, request.payload, request.lasting)
    with OwnFaults(logger).caught(f"showing that Databricks run {found.run_id} was started"):
        await _show(call, found, request.payload)
    return found.run_id


async def _show(call: Call[StartOptions], found: Found, payload: Mapping[str, Any]) -> None:
    if found.past:
        await take_over(found.past, call.logger)
    name = found.run.run_name if found.run else str(payload.get("run_name") or "")
    url = found.run.url if found.run else run_url(call.host, payload.get("job_id"), found.run_id)
    if not found.note:
        call.logger.info("Started Databricks run %d %r: %s", found.run_id, name, url)
    show_started(call.host, found.run_id, name, url, call.logger, note=found.note)


def _only_fields(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of the parameters without the options: the fields of the request."""
    return {key: value for key, value in parameters.items() if key not in StartOptions.__annotations__}
