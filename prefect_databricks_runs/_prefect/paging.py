"""Reading all of something from Prefect's API, which answers at most 200 at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

PAGE = 200


async def read_all(read: Callable[..., Awaitable[list[T]]], **filters: Any) -> list[T]:
    """Read everything that one of the read calls of Prefect's client finds.

    Args:
        read: The call, such as `client.read_task_runs`.
        **filters: What it is asked for.
    """
    found: list[T] = []
    while True:
        page = await read(**filters, limit=PAGE, offset=len(found))
        found += page
        if len(page) < PAGE:
            return found
