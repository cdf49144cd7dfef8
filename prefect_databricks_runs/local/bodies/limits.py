"""Checks that many fields share: length, count, range, one of several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..web.errors import invalid
from .shapes import shape

MAX_DESTINATIONS = 3
_EVENTS = tuple(shape("WebhookNotifications").fields)

KEY = re.compile(r"[\w-]{1,100}", re.ASCII)


def is_given(fields: Mapping[str, Any], name: str) -> bool:
    """Return whether a field has a value. To Databricks, an empty string or list is the same as a missing field."""
    return fields.get(name) not in (None, "", [])


def check_range(fields: Mapping[str, Any], name: str, low: int, high: int | None = None, *, prefix: str = "") -> None:
    """Check a number, if it is there.

    Args:
        fields: The fields.
        name: The name of the field.
        low: The lowest allowed value.
        high: The highest allowed value; None = no limit.
        prefix: The prefix of the name in the error, such as `tasks[0].`.

    Raises:
        ApiError: The number is out of range.
    """
    value = fields.get(name, low)
    if value < low and low == 0:
        raise invalid("negative", field=prefix + name)
    if value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        raise invalid("out_of_range", field=prefix + name, limits=limits, found=value)


def check_bytes(fields: Mapping[str, Any], name: str, limit: int, *, prefix: str = "") -> None:
    """Check the length of a string in bytes of UTF-8, if it is there.

    Raises:
        ApiError: The string is longer than `limit`.
    """
    if len(fields.get(name, "").encode("utf-8", "surrogatepass")) > limit:
        raise invalid("too_long", field=prefix + name, limit=limit, unit="bytes")


def check_characters(fields: Mapping[str, Any], name: str, limit: int, *, prefix: str = "") -> None:
    """Check the length of a string in characters, if it is there.

    Raises:
        ApiError: The string is longer than `limit`.
    """
    if len(fields.get(name, "")) > limit:
        raise invalid("too_long", field=prefix + name, limit=limit, unit="characters")


def check_count(fields: Mapping[str, Any], name: str, limit: int, *, prefix: str = "") -> None:
    """Check the number of entries of a list or map, if it is there.

    Raises:
        ApiError: There are more than `limit` entries.
    """
    count = len(fields.get(name, ()))
    if count > limit:
        raise invalid("too_many", field=prefix + name, limit=limit, count=count)


def check_unique(values: Iterable[str], field: str) -> None:
    """Check that all values are different.

    Raises:
        ApiError: A value is there twice.
    """
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise invalid("duplicate", field=field, value=value)
        seen.add(value)


def check_one_of(fields: Mapping[str, Any], names: Sequence[str], place: str, *, at_least: int = 1) -> None:
    """Check that exactly one of several fields has a value, or at most one with `at_least=0`.

    Raises:
        ApiError: No field has a value, or more than one.
    """
    found = [name for name in names if is_given(fields, name)]
    if not at_least <= len(found) <= 1:
        raise invalid("not_one_of", field=place, names=", ".join(names), found=" and ".join(found) or "none")


def check_webhooks(fields: Mapping[str, Any], *, prefix: str = "") -> None:
    """Check the number of destinations of each event of `webhook_notifications`.

    Raises:
        ApiError: An event has more than three destinations.
    """
    for event in _EVENTS:
        webhooks = fields.get("webhook_notifications", {})
        check_count(webhooks, event, MAX_DESTINATIONS, prefix=f"{prefix}webhook_notifications.")
