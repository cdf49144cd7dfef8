"""How requests are tried and runs are waited for: the options of the tasks and flows, with defaults and checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from ._prefect.signature import Default, default_of
from .errors import InvalidOption


class RequestOptions(TypedDict, total=False):
    """How requests to Databricks are tried."""

    databricks_retry_limit: Annotated[int, Default(3)]
    """How often a request is tried in all, at least 1. A poll is tried once: the next poll is its retry."""
    databricks_retry_delay: Annotated[float, Default(1.0)]
    """Seconds before the second try; doubles with each further one."""


class StartOptions(RequestOptions, total=False):
    """How a run is started."""

    on_retry: Annotated[Literal["resubmit", "repair"], Default("resubmit")]
    """What a retried flow or task does when the run of its earlier attempt ended badly: `resubmit` starts another one,
    `repair` runs its failed tasks once more. A run that is going or ended well is found again in any case."""


class PollOptions(RequestOptions, total=False):
    """How long is waited, and how often is asked."""

    polling_period_seconds: Annotated[float, Default(30.0)]
    """The longest time between two polls, in seconds; a young run is asked for more often, down to one second."""
    max_wait_seconds: float | None
    """When to give up and cancel what is still going, in seconds; None for never."""
    max_outage_seconds: Annotated[float, Default(600.0)]
    """How long polls may fail on end, in seconds, before the wait is given up."""
    fail_on_task_failures: Annotated[bool, Default(False)]
    """Whether a run that ends `SUCCESS_WITH_FAILURES` is a failure."""


class WaitOptions(PollOptions, total=False):
    """How a run is waited for."""

    fetch_output: Annotated[bool, Default(True)]
    """Whether to get each task's output; those of failed tasks are always got."""
    max_mirrored_tasks: Annotated[int, Default(250)]
    """A run with more tasks than this is summarised in its artifact; one with fewer is drawn, each task a task run."""


class WaitForRunsOptions(PollOptions, total=False):
    """How several runs are waited for in one flow run."""

    return_when: Annotated[Literal["all", "any_failure"], Default("all")]
    """When the wait ends: `all` when every run is over, `any_failure` already when one has ended badly."""
    cancel_others: Annotated[bool, Default(False)]
    """Whether to cancel all other runs when one has ended badly. With `any_failure` and without this, they go on."""
    fetch_output: Annotated[bool, Default(False)]
    """Whether to get the output of every task, one request each; those of failed tasks are always got."""
    max_mirrored_runs: Annotated[int, Default(250)]
    """More runs than this are summarised in the artifact; fewer are drawn, each run a task run."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "databricks_retry_limit": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
        "is the number of tries in all: a whole number, at least 1",
    ),
    "databricks_retry_delay": (lambda value: _is_number(value) and value >= 0, "is in seconds, 0 or more"),
    "on_retry": (lambda value: value in ("resubmit", "repair"), 'is "resubmit" or "repair"'),
    "polling_period_seconds": (lambda value: _is_number(value) and value > 0, "is in seconds, above 0"),
    "max_wait_seconds": (lambda value: value is None or (_is_number(value) and value > 0), "is in seconds, above 0"),
    "max_mirrored_tasks": (_is_count, "is a whole number, 0 or more"),
    "max_mirrored_runs": (_is_count, "is a whole number, 0 or more"),
    "return_when": (lambda value: value in ("all", "any_failure"), 'is "all" or "any_failure"'),
    "max_outage_seconds": (lambda value: _is_number(value) and value >= 0, "is in seconds, 0 or more"),
}


def option(options: Mapping[str, Any], name: str, of: type = WaitOptions) -> Any:
    """The value of an option, or its default where it was not given.

    Args:
        options: Those that were given.
        name: Its name.
        of: Whose default holds.
    """
    if name in options:
        return options[name]
    return default_of(StartOptions if name in StartOptions.__annotations__ else of, name)


def check_options(options: Mapping[str, Any]) -> None:
    """Check whatever options are given, before anything is sent.

    Raises:
        InvalidOption: Names every one that makes no sense.
    """
    faults = [
        f"`{name}` {rule}; it is {options[name]!r}."
        for name, (is_good, rule) in _CHECKS.items()
        if name in options and not is_good(options[name])
    ]
    if faults:
        raise InvalidOption(faults)
