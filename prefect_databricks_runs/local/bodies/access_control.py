"""The entries of an access control list: the permissions on a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..web.errors import invalid
from .limits import check_one_of, is_given

PRINCIPALS = ("user_name", "service_principal_name", "group_name")
# From the lowest to the highest: a principal with two levels has the higher one.
LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
OWNER = LEVELS[-1]

Grants = dict[tuple[str, str], str]
"""The permission level of each principal, which is a kind and a name."""


def read_grants(entries: Iterable[Mapping[str, Any]]) -> Grants:
    """Return the permissions that the entries of an `access_control_list` grant.

    Raises:
        ApiError: An entry does not name exactly one principal or has no level, or a group would be the owner.
    """
    grants: Grants = {}
    for index, entry in enumerate(entries):
        place = f"access_control_list[{index}]"
        check_one_of(entry, PRINCIPALS, place)
        if "permission_level" not in entry:
            raise invalid("missing_field", field=f"{place}.permission_level")
        kind = next(name for name in PRINCIPALS if is_given(entry, name))
        level = entry["permission_level"]
        if level == OWNER and kind == "group_name":
            raise invalid("group_as_owner", group=entry[kind][:200])
        principal = (kind, entry[kind])
        grants[principal] = max(level, grants.get(principal, level), key=LEVELS.index)
    return grants


def check_one_owner(grants: Grants) -> None:
    """Check that a job has exactly one owner.

    Raises:
        ApiError: It has no owner, or more than one.
    """
    if list(grants.values()).count(OWNER) != 1:
        raise invalid("not_one_owner")


def take_grants(body: dict[str, Any], creator: tuple[str, str]) -> Grants:
    """Take the `access_control_list` out of the body of a new job or run; without an owner, the creator is the owner.

    Raises:
        ApiError: An entry is wrong, or there is more than one owner.
    """
    grants = read_grants(body.pop("access_control_list", []))
    if OWNER not in grants.values():
        grants[creator] = OWNER
    check_one_owner(grants)
    return grants
