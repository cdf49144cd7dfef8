"""The Prefect tasks that start a Databricks run: `submit_run` and `run_now`, and their async twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from prefect import task
from typing_extensions import ParamSpec, Unpack

from ._connect.call import Call, called_with
from ._payload.build import run_now_template, submit_run_template
from ._payload.placeholders import placeholder_values
from ._payload.spelling import Misspelt, misspelt_keys
from ._payload.template import Template
from ._prefect import portal
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
from .options import StartOptions
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
    """Name of the job, instead of `job_id`; upper and lower case do not matter."""


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
        **parameters: The fields of the request, `on_retry`, `databricks_retry_limit` and `databricks_retry_delay`.

    Returns:
        The `run_id` of the job run.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: Databricks refused it, or could not be reached.
    """
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return portal.call(_submit_run, call, json, parameters)


@task(persist_result=False)
@named_parameters
async def asubmit_run(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunParameters]
) -> int:
    """Async twin of `submit_run`: the same parameters, result and errors."""
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
        **parameters: The fields of the request, `job_name` to find the job by its name, `on_retry`,
            `databricks_retry_limit` and `databricks_retry_delay`.

    Returns:
        The `run_id` of the job run.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        JobNameError: No job has that `job_name`, or several have.
        DatabricksError: Databricks refused it, or could not be reached.
    """
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return portal.call(_run_now, call, json, parameters)


@task(persist_result=False)
@named_parameters
async def arun_now(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowParameters]
) -> int:
    """Async twin of `run_now`: the same parameters, result and errors."""
    call = called_with(databricks_credentials, parameters, StartOptions)
    with handing_over(call):
        return await portal.acall(_run_now, call, json, parameters)


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
        lasting: The body as far as it is the same in each attempt.
        misspelt: Keys that are not known and look like others that are.
    """

    endpoint: str
    payload: dict[str, Any]
    lasting: dict[str, Any]
    misspelt: list[Misspelt]

    @classmethod
    def of(cls, template: Template, values: Mapping[str, Any]) -> _Request:
        payload = template.fill(values)
        lasting = template.lasting(values, payload)
        return cls(template.endpoint, payload, lasting, misspelt_keys(payload, template.endpoint))


async def _job_named(hook: DatabricksHook, job_name: Any, json: Any, fields: Mapping[str, Any]) -> int:
    if fields.get("job_id") is not None or (isinstance(json, Mapping) and json.get("job_id") is not None):
        raise InvalidPayload(["`job_id` and `job_name` both name the job; give one of them."], "run-now")
    if not isinstance(job_name, str) or not job_name:
        raise InvalidPayload([f"`job_name` must be the name of a job, not {safe_repr(job_name)}."], "run-now")
    return await hook.find_job(str.__str__(job_name))


async def _start(call: Call[StartOptions], request: _Request) -> int:
    """Start the run, and tell the log and the flow run's page of it."""
    logger = call.logger
    for place, key, meant in request.misspelt:
        where = place or "the request"
        logger.warning("Unknown key `%s` in %s is sent as it is; did you mean `%s`?", key, where, meant)
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
