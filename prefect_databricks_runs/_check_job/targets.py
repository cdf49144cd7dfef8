"""The targets of a bundle, and what each makes of it."""

from __future__ import annotations

from typing import NamedTuple

from .merging import laid_over
from .tree import ANYTHING, Node

_CLUSTERS = ("cluster_id", "compute_id")  # the second one is its name of old
_COMPUTE = ("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key")
_OF_VARIABLES = frozenset(("default", "lookup", "type", "description"))
_NOT_LAID_OVER = frozenset(("default", "mode", "variables"))


class Target(NamedTuple):
    """A target of a bundle, or the bundle itself if it has none.

    Attributes:
        name: Its name; None if the bundle has none.
        root: The bundle with the target laid over it.
        variables: The values of its variables.
    """

    name: str | None
    root: Node
    variables: dict[str, Node]


def names_of(root: Node) -> list[str]:
    """Return the names of a bundle's targets."""
    return list(_targets(root))


def default_of(root: Node) -> str | None:
    """Return the target that a deployment takes if none is named, or None if one must be named."""
    targets = _targets(root)
    defaults = [name for name, each in targets.items() if _is_true(each.get("default"))]
    if len(defaults) == 1:
        return defaults[0]
    return next(iter(targets)) if len(targets) == 1 else None


def with_target(root: Node, name: str | None) -> Target:
    """Lay a target over the bundle."""
    own = _targets(root).get(name) if name is not None else None
    variables = {key: _value(each, is_of_target=False) for key, each in root.object("variables").items()}
    if own is None or not isinstance(own.value, dict):
        return Target(name, root, variables)
    variables |= {
        key: _value(each, is_of_target=True)
        for key, each in own.object("variables").items()
        if _says_value(each) or key not in variables
    }
    upper = own.with_value({key: each for key, each in own.value.items() if key not in _NOT_LAID_OVER})
    return Target(name, laid_over(root, upper) or root, variables)


def with_cluster_of_target(job: Node, root: Node) -> Node:
    """Return a job whose tasks with compute of their own run on the cluster that the target names, if it names one.

    Args:
        job: The job, with its references filled in.
        root: The bundle with the target laid over it.
    """
    clusters = (owner.get(key) for owner in (root, root.get("bundle") or root) for key in _CLUSTERS)
    tasks = job.list("tasks")
    if not tasks or not any(each is not None and each.value for each in clusters):
        return job
    return job.with_value({**job.value, "tasks": job.value["tasks"].with_value([*map(_on_cluster, tasks)])})


def _on_cluster(task: Node) -> Node:
    if not isinstance(task.value, dict):
        return task
    repeated = task.get("for_each_task")
    if repeated and (nested := repeated.get("task")):
        inner = repeated.with_value({**repeated.value, "task": _on_cluster(nested)})
        return task.with_value({**task.value, "for_each_task": inner})
    own = next(filter(None, map(task.get, _COMPUTE)), None)
    if own is None:
        return task
    rest = {key: value for key, value in task.value.items() if key not in _COMPUTE}
    return task.with_value({**rest, "existing_cluster_id": own.with_value(ANYTHING)})


def _targets(root: Node) -> dict[str, Node]:
    return {**root.object("environments"), **root.object("targets")}


def _is_true(node: Node | None) -> bool:
    return node is not None and (node.value is True or node.value is ANYTHING)


def _value(variable: Node, *, is_of_target: bool) -> Node:
    """Return the value of a variable: its default, or itself if it is written without `default`.

    An empty default stands for a value that the deployment must set.
    """
    is_definition = isinstance(variable.value, dict) and (not is_of_target or _OF_VARIABLES & variable.value.keys())
    value = variable.get("default") if is_definition else variable
    is_known = (
        value is not None and value.value not in (None, "") and not (is_definition and "lookup" in variable.value)
    )
    return value if value is not None and is_known else variable.with_value(ANYTHING)


def _says_value(variable: Node) -> bool:
    """Whether what a target says of a variable is a value, and not its description alone."""
    is_description = isinstance(variable.value, dict) and variable.value.keys() <= {"type", "description"}
    return variable.value is not None and not (is_description and variable.value)
