"""The clusters and environments that the tasks of a job share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from ._lines import fault

_OWN_COMPUTE = ("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key", "compute")
_ON_CLUSTERS = ("notebook_task", "spark_python_task", "python_wheel_task", "spark_jar_task", "dbt_task")
_IN_ENVIRONMENTS = ("spark_python_task", "python_wheel_task", "spark_jar_task", "dbt_task")
# They have no compute, and Databricks tries them once.
_WITHOUT_DEFAULTS = ("condition_task", "for_each_task")
_ENVIRONMENT_VERSION = "4"


def named(entries: Any, key: str, what: str, field: str) -> dict[str, dict[str, Any]]:
    """Return definitions by their keys.

    Args:
        entries: A mapping of what is defined by its key, or a list of objects as the Jobs API has it.
        key: What names an object of the list, such as `job_cluster_key`.
        what: What an entry of the mapping is, such as `new_cluster`.
        field: How the parameter is called.
    """
    if entries is None:
        return {}
    if isinstance(entries, Mapping):
        return {name: {key: name, what: _spec(value) if what == "spec" else value} for name, value in entries.items()}
    if isinstance(entries, str) or not isinstance(entries, Iterable):
        raise fault(f"`{field}` must be a dict of definitions by their keys, not {type(entries).__name__}.")
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        content = entry_of(entry)
        name = content.get(key)
        if not isinstance(name, str):
            raise fault(f"Each entry of the list `{field}` must be an object with `{key}`.")
        if name in found:
            raise fault(f"{name!r} is defined twice in `{field}`; use each key once.")
        found[name] = dict(content)
    return found


def entry_of(given: Any) -> Mapping[str, Any]:
    """Return an entry of a list as a mapping; empty for what is neither one nor an object of databricks-sdk."""
    found = given.as_dict() if callable(getattr(given, "as_dict", None)) else given
    return found if isinstance(found, Mapping) else {}


def _spec(value: Any) -> Any:
    """Return the specification of an environment; a list is its dependencies."""
    if isinstance(value, (list, tuple)):
        return {"environment_version": _ENVIRONMENT_VERSION, "dependencies": list(value)}
    return value


class Compute:
    """The compute that tasks can run on.

    Args:
        clusters: The job clusters, by their keys.
        environments: The environments, by their keys.
    """

    def __init__(self, clusters: dict[str, dict[str, Any]], environments: dict[str, dict[str, Any]]) -> None:
        self.clusters, self.environments = clusters, environments

    def read(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a task with `cluster` and `environment` as the Jobs API has them.

        Args:
            fields: As the user passes them.
        """
        rest = {key: value for key, value in fields.items() if key not in ("cluster", "environment")}
        cluster, environment = fields.get("cluster"), fields.get("environment")
        if cluster is not None and environment is not None:
            raise fault("A task runs on a `cluster` or in an `environment`; set one of them.")
        if isinstance(cluster, str):
            rest["job_cluster_key"] = cluster
        elif cluster is not None:
            rest["new_cluster"] = cluster
        if environment is not None:
            rest["environment_key"] = environment
        _check(rest.get("job_cluster_key"), self.clusters, "job cluster", "job_clusters")
        _check(rest.get("environment_key"), self.environments, "environment", "environments")
        return rest

    def chosen(self, task: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Return the compute of a task that names none: the default one, or the only one.

        Args:
            task: The task, as the Jobs API has it.
            defaults: The fields that tasks have by default.
        """
        notebook = task.get("notebook_task")
        is_in_warehouse = isinstance(notebook, Mapping) and notebook.get("warehouse_id") is not None
        if is_in_warehouse or any(task.get(key) is not None for key in _OWN_COMPUTE):
            return {}
        default = {key: defaults[key] for key in _OWN_COMPUTE if key in defaults}
        if default:
            return default if any(kind in task for kind in _ON_CLUSTERS) else {}
        if len(self.clusters) == 1 and not self.environments and any(kind in task for kind in _ON_CLUSTERS):
            return {"job_cluster_key": next(iter(self.clusters))}
        if len(self.environments) == 1 and not self.clusters and any(kind in task for kind in _IN_ENVIRONMENTS):
            return {"environment_key": next(iter(self.environments))}
        return {}

    def finished(self, task: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Return a task with the fields that it has by default.

        Args:
            task: The task, as the Jobs API has it.
            defaults: The fields that tasks have by default.
        """
        inner = task.get("for_each_task")
        if isinstance(inner, Mapping) and isinstance(inner.get("task"), Mapping):
            return {**task, "for_each_task": {**inner, "task": self.finished(inner["task"], defaults)}}
        if any(kind in task for kind in _WITHOUT_DEFAULTS):
            return dict(task)
        others = {key: value for key, value in defaults.items() if key not in _OWN_COMPUTE and key not in task}
        return {**task, **self.chosen(task, defaults), **others}


def _check(key: Any, known: Mapping[str, Any], what: str, field: str) -> None:
    if key is None or key in known:
        return
    close = get_close_matches(str(key), known, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known) or 'none'}."
    raise fault(f"The job has no {what} {key!r}; define it in `{field}` of the job. {advice}")
