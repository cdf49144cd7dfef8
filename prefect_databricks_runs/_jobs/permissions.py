"""The permissions of a job, as they are wanted and as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .difference import Change

_PRINCIPALS = ("user_name", "group_name", "service_principal_name")
_LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
_OWNER = "IS_OWNER"
_Grants = dict[tuple[str, str], str]


def new_permissions(
    wanted: Iterable[Mapping[str, Any]], there: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[Change]]:
    """Compare permissions, without inherited ones.

    Args:
        wanted: The `access_control_list` that is wanted. Without an owner, the owner stays: a job must have one.
        there: What Databricks has.

    Returns:
        The entries to send, and what is different in them.
    """
    new = _grants((entry, [entry.get("permission_level")]) for entry in wanted)
    old = _grants((entry, _own_levels(entry)) for entry in there)
    if _OWNER not in new.values():
        new.update((principal, level) for principal, level in old.items() if level == _OWNER)
    changes = [_change(principal, old.get(principal, ""), new.get(principal, "")) for principal in {**old, **new}]
    entries = [{kind: name, "permission_level": level} for (kind, name), level in new.items()]
    return entries, [each for each in changes if each.before != each.after]


def _own_levels(entry: Mapping[str, Any]) -> Sequence[Any]:
    levels = entry.get("all_permissions")
    return [
        each.get("permission_level")
        for each in (levels if isinstance(levels, list) else [])
        if isinstance(each, Mapping) and not each.get("inherited")
    ]


def _grants(entries: Iterable[tuple[Mapping[str, Any], Sequence[Any]]]) -> _Grants:
    """Return the level of each principal: of several, the highest."""
    grants: _Grants = {}
    for entry, levels in entries:
        kind = next((each for each in _PRINCIPALS if isinstance(entry.get(each), str)), None)
        for level in levels:
            if kind and isinstance(level, str):
                principal = (kind, entry[kind])
                grants[principal] = max(level, grants.get(principal, level), key=_rank)
    return grants


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else -1


def _change(principal: tuple[str, str], before: str, after: str) -> Change:
    path = f"access_control_list[{principal[1]}]"
    return Change("~" if before and after else "+" if after else "-", path, before, after, f"{before} {after}")
