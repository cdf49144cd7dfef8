"""Lays one part of a bundle over another, as bundles do."""

from __future__ import annotations

from .tree import Node

# What names an entry of these lists of a job; entries of one name become one.
_KEYED = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "parameters": "name",
    "environments": "environment_key",
}


def laid_over(below: Node | None, above: Node | None) -> Node | None:
    """Return two values as one: objects key by key, lists one after the other, else the upper one unless it is null."""
    if below is None or below.value is None:
        return above
    if above is None or above.value is None:
        return below
    if isinstance(below.value, dict) and isinstance(above.value, dict):
        merged = dict(below.value)
        for key, value in above.value.items():
            laid = laid_over(merged.get(key), value)
            if laid is not None:
                merged[key] = laid
        return below.with_value(merged)
    if isinstance(below.value, list) and isinstance(above.value, list):
        return below.with_value([*below.value, *above.value])
    return above


def with_merged_lists(job: Node) -> Node:
    """Return a job whose tasks, job clusters, parameters and environments of the same name are one each."""
    if not isinstance(job.value, dict):
        return job
    changed = dict(job.value)
    for field, name in _KEYED.items():
        if isinstance(entries := changed.get(field, job).value, list):
            changed[field] = changed[field].with_value(_by_name(entries, name))
    return job.with_value(changed)


def _by_name(entries: list[Node], name: str) -> list[Node]:
    named: dict[str, int] = {}
    merged: list[Node] = []
    for entry in entries:
        key = entry.text(name)
        if key is not None and key in named:
            merged[named[key]] = laid_over(merged[named[key]], entry) or entry
            continue
        if key is not None:
            named[key] = len(merged)
        merged.append(entry)
    return merged
