"""Checks that many fields share: how long, how many, how large, which of several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..web.errors import invalid
from .task_bodies import EVENTS

MAX_DESTINATIONS = 3

KEY = re.compile(r"[\w-]{1,100}", re.ASCII)


def check_range(fields: Mapping[str, Any], name: str, low: int, high: int | None = None, *, prefix: str = "") -> None:
    """Check a number, if it is there.

    Args:
        fields: where it is.
        name: its name.
        low: the lowest that it may be.
        high: the highest; None = no limit.
        prefix: what comes before its name in the error, such as `tasks[0].`.

    Raises:
        ApiError: it is out of range.
    """
    value = fields.get(name, low)
    if value < low and low == 0:
        raise invalid("negative", field=prefix + name)
    if value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        raise invalid("out_of_range", field=prefix + name, limits=limits, found=value)


def check_bytes(fields: Mapping[str, Any], name: str, limit: int, *, prefix: str = "") -> None:
    """Check a text's length in bytes of UTF-8, if it is there.

    Raises:
        ApiError: it is longer than `limit`.
    """
    if len(fields.get(name, "").encode("utf-8", "surrogatepass")) > limit:
        raise invalid("too_long", field=prefix + name, limit=limit, unit="bytes")


def check_characters(fields: Mapping[str, Any], name: str, limit: int, *, prefix: str = "") -> None:
    """Check a text's length in characters, if it is there.

    Raises:
        ApiError: it is longer than `limit`.
    """
    if len(fields.get(name, "")) > limit:
        raise invalid("too_long", field=prefix + name, limit=limit, unit="characters")


def check_count(fields: Mapping[str, Any], name: str, limit: int, *, prefix: str = "") -> None:
    """Check how many entries a list or map has, if it is there.

    Raises:
        ApiError: it has more than `limit`.
    """
    count = len(fields.get(name, ()))
    if count > limit:
        raise invalid("too_many", field=prefix + name, limit=limit, count=count)


def check_unique(values: Iterable[str], field: str) -> None:
    """Check that no value is there twice.

    Raises:
        ApiError: one is.
    """
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise invalid("duplicate", field=field, value=value)
        seen.add(value)


def check_one_of(fields: Mapping[str, Any], names: Sequence[str], place: str, *, at_least: int = 1) -> None:
    """Check that exactly one of several fields is there, or at most one when `at_least` is 0.

    Raises:
        ApiError: none is, or more than one.
    """
    found = [name for name in names if name in fields]
    if not at_least <= len(found) <= 1:
        raise invalid("not_one_of", field=place, names=", ".join(names), found=" and ".join(found) or "none")


def check_webhooks(fields: Mapping[str, Any], *, prefix: str = "") -> None:
    """Check how many destinations each event of `webhook_notifications` has.

    Raises:
        ApiError: one has more than three.
    """
    for event in EVENTS:
        webhooks = fields.get("webhook_notifications", {})
        check_count(webhooks, event, MAX_DESTINATIONS, prefix=f"{prefix}webhook_notifications.")
