"""Change a job's settings: `update` and `reset`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..web.errors import invalid

# The lists that are merged, and the field that is the key of an entry.
_KEYED = {"tasks": "task_key", "job_clusters": "job_cluster_key"}


def updated(
    settings: Mapping[str, Any], new_settings: Mapping[str, Any], fields_to_remove: Sequence[str]
) -> dict[str, Any]:
    """Return settings changed as `jobs/update` does.

    It is not known whether Databricks removes fields first or last. Here it removes them first, so a field that the
    request both removes and sets is set.

    Args:
        settings: The old settings.
        new_settings: Fields that replace fields of the same name, and tasks and job clusters of the same key.
        fields_to_remove: Names of fields, or `tasks/<key>` or `job_clusters/<key>`. Unknown names are ignored.

    Raises:
        ApiError: A field to remove is inside another.
    """
    changed = dict(settings)
    for field in fields_to_remove:
        _remove(changed, field)
    for name, value in new_settings.items():
        changed[name] = _merged(changed.get(name, []), value, _KEYED[name]) if name in _KEYED else value
    return changed


def replaced(settings: Mapping[str, Any], new_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings changed as `jobs/reset` does: all are new, but without a new `run_as` the old one stays."""
    kept = {name: settings[name] for name in ("run_as",) if name in settings}
    return {**kept, **new_settings}


def _remove(settings: dict[str, Any], field: str) -> None:
    name, slash, key = field.partition("/")
    if not slash:
        settings.pop(name, None)
        return
    if name not in _KEYED or "/" in key:
        raise invalid("nested_removal", field=field[:200])
    rest = [entry for entry in settings.get(name, []) if entry[_KEYED[name]] != key]
    if rest:
        settings[name] = rest
    else:
        settings.pop(name, None)


def _merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the old entries, each replaced by the new entry of its key if there is one, then all other new entries."""
    by_key = {entry[key]: entry for entry in new}
    kept = [by_key.pop(entry[key], entry) for entry in old]
    return [*kept, *(entry for entry in new if entry[key] in by_key)]
