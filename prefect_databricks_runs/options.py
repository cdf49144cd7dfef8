"""The options of the tasks and flows for requests and waits, with their defaults and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, cast, get_args

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict, get_type_hints

from ._prefect.signature import Default, defaults_of
from ._text import safe_repr
from .errors import InvalidOption

# Strict: neither `True` nor "3" is accepted as a number. The description of an option is its rule in an error message.
_Tries = Annotated[int, Field(ge=1, strict=True)]
_Count = Annotated[int, Field(ge=0, strict=True)]
_Seconds = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
_SomeSeconds = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
_YesOrNo = Annotated[bool, Field(strict=True)]


class RequestOptions(TypedDict, total=False):
    """Options for requests to Databricks."""

    databricks_retry_limit: Annotated[
        _Tries, Default(3), Field(description="a whole number of at least 1, the total number of tries")
    ]
    """Total number of tries for a request, at least 1. A poll is tried once: the next poll is its retry."""
    databricks_retry_delay: Annotated[_Seconds, Default(1.0), Field(description="a number of seconds, 0 or more")]
    """Seconds before the second try of a request. The delay doubles with each further try."""


class StartOptions(RequestOptions, total=False):
    """Options for starting a run."""

    on_retry: Annotated[Literal["resubmit", "repair"], Default("resubmit"), Field(description='"resubmit" or "repair"')]
    """Action of a retried flow or task when the run of its earlier attempt failed: `resubmit` starts another run,
    `repair` reruns its failed tasks. A run that is active or succeeded is reused in both cases."""


class ApplyOptions(RequestOptions, total=False):
    """Options for applying a job."""

    adopt: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether to take over an existing job of that name that was not created by `apply_job`."""


class PollOptions(RequestOptions, total=False):
    """Options for the length of a wait and the frequency of polls."""

    max_wait_seconds: Annotated[
        _SomeSeconds | None, Default(None), Field(description="a number of seconds above 0, or None for no limit")
    ]
    """Seconds after which the wait ends with an error and active runs are cancelled. Default: no limit."""
    fail_on_task_failures: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether a run that ends `SUCCESS_WITH_FAILURES` is a failure."""
    polling_period_seconds: Annotated[_SomeSeconds, Default(30.0), Field(description="a number of seconds above 0")]
    """Maximum time between two polls, in seconds. A new run is polled more often, up to once a second."""
    max_outage_seconds: Annotated[_Seconds, Default(1800.0), Field(description="a number of seconds, 0 or more")]
    """Seconds for which polls may fail in a row, for any reason, before the wait ends with an error."""


class WaitOptions(PollOptions, total=False):
    """Options for waiting for a run."""

    fetch_output: Annotated[_YesOrNo, Default(True), Field(description="True or False")]
    """Whether to fetch every task's output. Outputs of failed tasks are always fetched."""
    max_mirrored_tasks: Annotated[_Count, Default(250), Field(description="a whole number, 0 or more")]
    """Maximum number of tasks for which each is shown as a task run. A larger run is summarized in its artifact."""


class SuspendOptions(TypedDict, total=False):
    """Options for suspending a flow run that waits."""

    suspend_after_seconds: Annotated[_Seconds, Default(60.0), Field(description="a number of seconds, 0 or more")]
    """Seconds that the process waits before the flow run is suspended: a new process costs more than a short wait."""


class MaySuspend(SuspendOptions, total=False):
    """Options of the flows that can wait without a process."""

    suspend: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether to suspend the flow run while it waits, if possible: see `suspend_for_run`."""


class StartAndWaitOptions(StartOptions, MaySuspend, WaitOptions, total=False):
    """Options for starting a run and waiting for it."""


class WaitForRunOptions(MaySuspend, WaitOptions, total=False):
    """Options of the flow `wait_for_run`."""


class SuspendForRunOptions(SuspendOptions, WaitOptions, total=False):
    """Options for waiting for a run without a process."""


class WaitForRunsOptions(PollOptions, total=False):
    """Options for waiting for several runs in one flow run."""

    return_when: Annotated[Literal["all", "any_failure"], Default("all"), Field(description='"all" or "any_failure"')]
    """End of the wait: `all` waits until every run has finished, `any_failure` until the first run has failed."""
    cancel_others: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether to cancel all other runs when one has failed. If not, they keep running, also with `any_failure`."""
    fetch_output: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether to fetch every task's output, with one request each. Outputs of failed tasks are always fetched."""
    max_mirrored_runs: Annotated[_Count, Default(250), Field(description="a whole number, 0 or more")]
    """Maximum number of runs for which each is shown as a task run. More runs are summarized in the artifact."""


class WaitForRunsFlowOptions(MaySuspend, WaitForRunsOptions, total=False):
    """Options of the flow `wait_for_runs`."""


class SuspendForRunsOptions(SuspendOptions, WaitForRunsOptions, total=False):
    """Options for waiting for several runs without a process."""


O = TypeVar("O", bound=RequestOptions)  # noqa: E741 - for options


def options_of(parameters: Mapping[str, Any], kind: type[O]) -> O:
    """Check the options among the parameters of a task or flow, before anything is sent.

    Args:
        parameters: The parameters of the call; names that are not options are ignored.
        kind: The options that the task or flow has.

    Returns:
        All options, including the defaults; read-only.

    Raises:
        InvalidOption: Names every invalid option.
    """
    fields: Any = kind
    defaults = defaults_of(fields)
    given = {name: parameters[name] for name in defaults if name in parameters}
    try:
        _adapter(fields).validate_python(given)
    except ValidationError as error:
        names = dict.fromkeys(str(each["loc"][0]) for each in error.errors(include_url=False, include_input=False))
        rules = _rules(fields)
        faults = [f"`{name}` must be {rules[name]}; it is {safe_repr(given[name])}." for name in names]
        raise InvalidOption(faults) from None
    return cast(O, MappingProxyType({**defaults, **given}))


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@cache
def _rules(kind: type[Any]) -> dict[str, str]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _description(get_args(hint)) for name, hint in hints.items()}


def _description(extras: Iterable[Any]) -> str:
    found = [each.description for each in extras if isinstance(each, FieldInfo) and each.description]
    return found[-1] if found else "a valid value"
