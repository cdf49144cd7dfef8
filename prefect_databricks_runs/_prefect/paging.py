"""Read all items from Prefect's API, which returns at most 200 at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

PAGE = 200


async def read_all(read: Callable[..., Awaitable[list[T]]], **filters: Any) -> list[T]:
    """Read all items that a read method of Prefect's client finds.

    Args:
        read: The method, such as `client.read_task_runs`.
        **filters: Its filters.
    """
    found: list[T] = []
    while True:
        page = await read(**filters, limit=PAGE, offset=len(found))
        found += page
        if len(page) < PAGE:
            return found
