"""How requests are tried and runs are waited for: the options of the tasks and flows, with their defaults and rules."""

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

# Strict: `True` is no number, and "3" is none either. The description of an option is its rule, for people.
_Tries = Annotated[int, Field(ge=1, strict=True)]
_Count = Annotated[int, Field(ge=0, strict=True)]
_Seconds = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
_SomeSeconds = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
_YesOrNo = Annotated[bool, Field(strict=True)]


class RequestOptions(TypedDict, total=False):
    """How requests to Databricks are tried."""

    databricks_retry_limit: Annotated[
        _Tries, Default(3), Field(description="the number of tries in all: a whole number, at least 1")
    ]
    """How often a request is tried in all, at least 1. A poll is tried once: the next poll is its retry."""
    databricks_retry_delay: Annotated[_Seconds, Default(1.0), Field(description="in seconds, 0 or more")]
    """Seconds before the second try; doubles with each further one."""


class StartOptions(RequestOptions, total=False):
    """How a run is started."""

    on_retry: Annotated[Literal["resubmit", "repair"], Default("resubmit"), Field(description='"resubmit" or "repair"')]
    """What a retried flow or task does when the run of its earlier attempt ended badly: `resubmit` starts another one,
    `repair` runs its failed tasks once more. A run that is going or ended well is found again in any case."""


class PollOptions(RequestOptions, total=False):
    """How long is waited, and how often is asked."""

    polling_period_seconds: Annotated[_SomeSeconds, Default(30.0), Field(description="in seconds, above 0")]
    """The longest time between two polls, in seconds; a young run is asked for more often, down to one second."""
    max_wait_seconds: Annotated[
        _SomeSeconds | None, Default(None), Field(description="in seconds, above 0, or None for no limit")
    ]
    """When to give up and cancel what is still going, in seconds; None for never."""
    max_outage_seconds: Annotated[_Seconds, Default(1800.0), Field(description="in seconds, 0 or more")]
    """How long polls may fail in a row, in seconds, before the wait is given up, whatever the cause."""
    fail_on_task_failures: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether a run that ends `SUCCESS_WITH_FAILURES` is a failure."""


class WaitOptions(PollOptions, total=False):
    """How a run is waited for."""

    fetch_output: Annotated[_YesOrNo, Default(True), Field(description="True or False")]
    """Whether to get each task's output; those of failed tasks are always got."""
    max_mirrored_tasks: Annotated[_Count, Default(250), Field(description="a whole number, 0 or more")]
    """A run with more tasks than this is summarised in its artifact; one with fewer is drawn, each task a task run."""


class StartAndWaitOptions(StartOptions, WaitOptions, total=False):
    """How a run is started and waited for."""


class WaitForRunsOptions(PollOptions, total=False):
    """How several runs are waited for in one flow run."""

    return_when: Annotated[Literal["all", "any_failure"], Default("all"), Field(description='"all" or "any_failure"')]
    """When the wait ends: `all` when every run is over, `any_failure` already when one has ended badly."""
    cancel_others: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether to cancel all other runs when one has ended badly. With `any_failure` and without this, they go on."""
    fetch_output: Annotated[_YesOrNo, Default(False), Field(description="True or False")]
    """Whether to get the output of every task, one request each; those of failed tasks are always got."""
    max_mirrored_runs: Annotated[_Count, Default(250), Field(description="a whole number, 0 or more")]
    """More runs than this are summarised in the artifact; fewer are drawn, each run a task run."""


O = TypeVar("O", bound=RequestOptions)  # noqa: E741 - for options


def options_of(parameters: Mapping[str, Any], kind: type[O]) -> O:
    """Check the options among what a task or flow was called with, before anything is sent.

    Args:
        parameters: What it was called with; other names than those of options are left out.
        kind: The options that it has.

    Returns:
        All of them, with the defaults of those that were not given; it cannot be changed.

    Raises:
        InvalidOption: Names every one that makes no sense.
    """
    fields: Any = kind
    defaults = defaults_of(fields)
    given = {name: parameters[name] for name in defaults if name in parameters}
    try:
        _adapter(fields).validate_python(given)
    except ValidationError as error:
        names = dict.fromkeys(str(each["loc"][0]) for each in error.errors(include_url=False, include_input=False))
        rules = _rules(fields)
        faults = [f"`{name}` is {rules[name]}; it is {safe_repr(given[name])}." for name in names]
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
    return found[-1] if found else "not what it must be"
