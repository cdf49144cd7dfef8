"""Says what a document is: definitions of jobs or of runs, part of a bundle, or something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from .._payload.api import JOB as JOB_SHAPE
from .._payload.api import fields_of, task_types
from .one_job import JOB, LISTED_JOB, RUN_OF_A_JOB, SUBMITTED_RUN, Kind
from .tree import Node

OWN_FILES: Final = ("databricks.yml", "databricks.yaml")
"""The names that only the root file of a bundle has."""
BUNDLE_FILES: Final = (*OWN_FILES, "bundle.yml", "bundle.yaml")
"""The names that the root file of a bundle may have."""

# The top level of a bundle's files, and the keys that show that it is one.
_BUNDLE_KEYS = frozenset(
    (
        *("bundle", "include", "resources", "targets", "environments", "variables", "workspace", "artifacts", "sync"),
        *("permissions", "run_as", "presets", "python", "experimental", "scripts", "state", "engine"),
    )
)
# Keys that other programs do not have below a `resources` of theirs.
_RESOURCES = frozenset(("jobs", "pipelines", "models", "experiments", "registered_models", "model_serving_endpoints"))
_TELLING = frozenset(("bundle", "include", "resources", "targets", "variables"))
# What these are in files of other programs, such as Kustomize and Azure Pipelines.
_OF_OTHERS: dict[str, type[Any]] = {"resources": list, "variables": list, "targets": list, "include": dict}
_TELLING_OF_JOBS = frozenset(("job_clusters", "max_concurrent_runs", "continuous", "webhook_notifications"))
_OF_SUBMISSIONS = ("run_name", "idempotency_token")


class Definition(NamedTuple):
    """A definition in a document.

    Attributes:
        node: The definition.
        kind: What it is.
        name: What it is called, such as its name, or its place in a list.
    """

    node: Node
    kind: Kind
    name: str


def is_of_bundle(document: Node) -> bool:
    """Whether a document is a file of a bundle."""
    if not isinstance(document.value, dict):
        return False
    if document.value.keys() <= _BUNDLE_KEYS and document.value.keys() & _TELLING:
        parts = ((document.get(key), other) for key, other in _OF_OTHERS.items())
        return not any(part is not None and isinstance(part.value, other) for part, other in parts)
    return bool(document.object("bundle")) or bool(document.object("resources").keys() & _RESOURCES)


def definitions_in(document: Node, *, is_named: bool) -> list[Definition]:
    """Return the definitions in a document that is not of a bundle; none if it is something else.

    Args:
        document: The document.
        is_named: Whether the user has named the file, and so what is only half a job is meant to be one.
    """
    return list(_definitions(document, is_named, ""))


def _definitions(node: Node, is_named: bool, place: str) -> Iterator[Definition]:
    if isinstance(node.value, list):
        for index, each in enumerate(node.value):
            yield from _definitions(each, is_named, f"[{index}]")
        return
    if not isinstance(node.value, dict):
        return
    if node.object("settings") and ("job_id" in node.value or _is_job(node.object("settings"), is_named)):
        yield _definition(node.value["settings"], LISTED_JOB if place else JOB, place)
    elif not place and isinstance(node.value.get("jobs", node).value, list) and "tasks" not in node.value:
        yield from _definitions(node.value["jobs"], is_named, "jobs")
    elif _is_job(node.value, is_named):
        is_submission = any(key in node.value for key in _OF_SUBMISSIONS)
        yield _definition(node, SUBMITTED_RUN if is_submission else JOB, place)
    elif node.get("job_id") and node.value.keys() <= fields_of("RunNow").keys():
        yield _definition(node, RUN_OF_A_JOB, place)


def _definition(node: Node, kind: Kind, place: str) -> Definition:
    return Definition(node, kind, node.text("name") or node.text("run_name") or place)


def _is_job(fields: object, is_named: bool) -> bool:
    if not isinstance(fields, dict):
        return False
    if fields.keys() & task_types() or (is_named and "tasks" in fields):
        return True
    tasks = fields["tasks"].value if "tasks" in fields else None
    if isinstance(tasks, list) and tasks:
        return any(isinstance(each.value, dict) and _is_task(each.value) for each in tasks)
    return bool(fields.keys() & _TELLING_OF_JOBS) and fields.keys() <= fields_of(JOB_SHAPE).keys()


def _is_task(fields: dict[str, Node]) -> bool:
    return bool(fields.keys() & task_types()) or "task_key" in fields
