"""The parameters of a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from .._payload.placeholders import as_text
from ._compute import entry_of
from ._lines import fault


def defaults_of(given: Any) -> dict[str, str]:
    """Return the defaults of a job's parameters by their names, as text.

    Args:
        given: A mapping of names and defaults, or a list of objects as the Jobs API has it.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise fault(f"`parameters` of a job is a dict of names and defaults, not {type(given).__name__}.")
        entries = [entry_of(each) for each in given]
        if not all("name" in each and "default" in each for each in entries):
            raise fault("Each entry of the list `parameters` must be an object with `name` and `default`.")
        found: dict[Any, Any] = {}
        for each in entries:
            if each["name"] in found:
                raise fault(f"The parameter {each['name']!r} is defined twice in `parameters`; leave one of them.")
            found[each["name"]] = each["default"]
        given = found
    return {str(name): "" if value is None else as_text(value) for name, value in given.items()}


def check_names(names: Iterable[Any], known: Mapping[str, Any], job: str) -> None:
    """Check that a job has parameters of these names.

    Args:
        names: The names.
        known: The parameters that it has.
        job: The name of the job.
    """
    for name in names:
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            advice = f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(known) or 'none'}."
            raise fault(f"The job {job!r} has no parameter {name!r}; define it in `parameters` of the job. {advice}")
