"""Reading the shape of the Jobs API: the fields of an object, their types, and the place of a key.

`api_shapes`, the shape itself, is imported at its first use. It comes from a release of databricks-sdk, and Databricks
extends the API earlier than the SDK: a field that the shape does not have may be valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

JOB: Final = "CreateJob"
"""The object of a job's settings."""
BODIES: Final = {"runs/submit": "SubmitRun", "run-now": "RunNow", "jobs/create": JOB}
"""The object that is the body of each endpoint that starts a run or saves a job."""
SCALARS: Final = frozenset(("text", "int", "float", "bool", "any"))


_NOT_NEEDED = {("QueueSettings", "enabled")}  # the SDK needs it; the API has a default


class Field(NamedTuple):
    """A field of an object of the API.

    Attributes:
        kind: `text`, `int`, `float`, `bool`, `any`, or the name of an object or of an enum.
        container: `[` for a list, `{` for a map, empty for a single value.
        is_needed: Whether the API requires it.
    """

    kind: str
    container: str
    is_needed: bool


@cache
def fields_of(name: str) -> Mapping[str, Field]:
    """Return the fields of an object by name; empty if `name` is not the name of an object."""
    from .api_shapes import OBJECTS

    return {key: _field(kind) for key, _, kind in (each.partition(":") for each in OBJECTS.get(name, "").split())}


@cache
def values_of(name: str) -> tuple[str, ...]:
    """Return the values of an enum; empty if `name` is not the name of an enum."""
    from .api_shapes import ENUMS

    return tuple(ENUMS.get(name, "").split())


@cache
def objects_in(name: str) -> Mapping[str, str]:
    """Return the fields of an object that are objects, or lists of objects, with the names of these objects."""
    fields = fields_of(name).items()
    return {key: each.kind for key, each in fields if each.container != "{" and fields_of(each.kind)}


def task_types() -> frozenset[str]:
    """Return the fields that hold a task object, such as `notebook_task`."""
    return frozenset(key for key in fields_of("SubmitTask") if key.endswith("_task"))


@cache
def task_fields() -> frozenset[str]:
    """Return the fields that only tasks have: neither a submitted run nor a job has a field of that name."""
    others = fields_of("SubmitRun").keys() | fields_of(JOB).keys()
    return frozenset(fields_of("Task").keys() - others)


@cache
def needed_in(name: str) -> tuple[str, ...]:
    """Return the required fields of an object."""
    fields = fields_of(name).items()
    return tuple(key for key, field in fields if field.is_needed and (name, key) not in _NOT_NEEDED)


def tree_of(name: str, leaf: Any) -> dict[str, Any]:
    """Return a dict of an object's fields, with nested objects as dicts; an object inside itself is the same dict.

    Args:
        name: The object.
        leaf: Called for each other field with the object's name, the field's name and the `Field`; None leaves the
            field out.
    """
    trees: dict[str, dict[str, Any]] = {}

    def tree(name: str) -> dict[str, Any]:
        if name not in trees:
            trees[name] = {}
            for key, field in fields_of(name).items():
                below = tree(field.kind) if key in objects_in(name) else leaf(name, key, field)
                if below:
                    trees[name][key] = below
        return trees[name]

    return tree(name)


def _field(kind: str) -> Field:
    is_needed = kind.endswith("!")
    kind = kind.removesuffix("!")
    container = kind[0] if kind[0] in "[{" else ""
    return Field(kind[1:-1] if container else kind, container, is_needed)
