"""Checks one definition with the checks that our own requests pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from .._payload.api import BODIES, fields_of, task_fields
from .._payload.checks import check_run_now, check_submit_run
from .._payload.hints import hints_of
from .._payload.job_checks import check_job
from .._payload.looks import at, is_task_object
from .findings import Finding, Severity
from .tree import MAX_DEPTH, Node, NotReadable, nearest, plain

_PATH = re.compile(r"([\w.\[\]-]+): (.*)", re.DOTALL)
_NAMED = re.compile(r"`([\w.\[\]-]+)`")
_ONE_TASK = "tasks[0]"


class Kind(NamedTuple):
    """A kind of definition.

    Attributes:
        says: What it is called.
        endpoint: The endpoint that takes it.
        check: Finds its faults.
        may_lack_tasks: Whether its tasks may have been left out, as `jobs/list` does.
    """

    says: str
    endpoint: str
    check: Callable[[dict[str, Any]], list[str]]
    may_lack_tasks: bool = False


JOB: Final = Kind("job", "jobs/create", check_job)
LISTED_JOB: Final = Kind("job", "jobs/create", check_job, may_lack_tasks=True)
SUBMITTED_RUN: Final = Kind("submitted run", "runs/submit", check_submit_run)
RUN_OF_A_JOB: Final = Kind("run of a job", "run-now", check_run_now)


def findings_of(definition: Node, job: str, kind: Kind) -> Iterator[Finding]:
    """Yield what is wrong with a definition.

    Args:
        definition: The definition, with its references filled in.
        job: Its name, as it is shown.
        kind: What it is.

    Raises:
        NotReadable: It is too large.
    """
    body, is_one_task = _as_sent(plain(definition), kind)

    def finding(path: str, severity: Severity, message: str, about: str = "") -> Finding:
        if is_one_task and path.startswith(_ONE_TASK):
            path = path.removeprefix(_ONE_TASK).removeprefix(".")
        place = nearest(definition, path)
        if about and (below := nearest(place, about)) is not place:
            path, place = at(path, about), below
        return Finding(place.file, place.line, job, path, severity, message)

    faulty: set[str] = set()
    for fault in kind.check(body):
        found = _PATH.fullmatch(fault)
        path, message = (found[1], found[2]) if found else ("", fault)
        faulty.add(path)
        yield finding(path, "fault", message)
    said = {*faulty}
    for hint in hints_of(body, kind.endpoint):
        if kind.may_lack_tasks and hint.what == "missing `tasks`":
            continue
        named = _NAMED.search(hint.what)
        about = named[1] if named else ""
        if about and at(hint.place, about) in faulty:
            continue
        said.add(at(hint.place, about))
        yield finding(hint.place, "warning", f"{hint.what}; {hint.advice}", about)
    for place, key in _unknown_keys(BODIES[kind.endpoint], body, ""):
        if at(place, key) not in said:
            yield finding(place, "warning", f"unknown key `{key[:100]}`; {_unknown_to()}", key)


def _as_sent(body: dict[str, Any], kind: Kind) -> tuple[dict[str, Any], bool]:
    """Return a body in the form that our own requests have, and whether its one task stands at its top level."""
    is_one_task = kind is not RUN_OF_A_JOB and "tasks" not in body and any(map(_is_of_task, body))
    if is_one_task:  # as API 2.0 has it
        task = {key: value for key, value in body.items() if _is_of_task(key)}
        rest = {key: value for key, value in body.items() if key not in task}
        body = {**rest, "tasks": [{"task_key": "main", **task}]}
    if kind is SUBMITTED_RUN and "run_name" not in body and "name" in body:  # as submit_run sends it
        body = {**body, "run_name": body["name"]}
        del body["name"]
    return body, is_one_task


def _unknown_keys(name: str, content: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """Yield the place and name of each key that the API does not have; `hints` names only keys that it can explain."""
    fields = fields_of(name)
    for key, value in content.items():
        field = fields.get(key)
        if field is None:
            yield place, key
        elif field.container != "{" and fields_of(field.kind) and isinstance(value, list) is (field.container == "["):
            for index, each in enumerate(value if field.container else [value]):
                if isinstance(each, dict):
                    below = at(place, f"{key}[{index}]" if field.container else key)
                    yield from _unknown_keys(field.kind, each, below)


def _unknown_to() -> str:
    from .._payload.api_shapes import SDK_VERSION

    return f"databricks-sdk {SDK_VERSION} does not have it here."


def not_checked(definition: Node, job: str, error: NotReadable | RecursionError) -> Finding:
    """Return the finding of a definition that could not be checked."""
    reason = str(error) if isinstance(error, NotReadable) else f"is more than {MAX_DEPTH} levels deep"
    return Finding(definition.file, definition.line, job, "", "error", f"The definition {reason}.")


def _is_of_task(key: str) -> bool:
    return key in task_fields() or is_task_object(key)
