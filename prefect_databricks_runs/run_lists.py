"""`runs/list` as a way to read many runs at once, and what it costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from enum import Enum
from typing import Any

from prefect_databricks_runs._clock import Clock
from prefect_databricks_runs.hook import DatabricksHook

_FORGET_SECONDS = 60.0
# By how much a list has to be better: it is longer to read.
_BETTER = 0.8
_REFUSED_SECONDS = 600.0


class Way(Enum):
    """What list to read."""

    NEWEST = "the newest runs of the workspace: for those of which not even the start is known"
    ALL = "the runs that started no later than those that are wanted, over or not"
    ACTIVE = "of these, those that are not over: for where many others are; who is missing is over, or gone"


async def run_list(
    hook: DatabricksHook, way: Way, newest: int | None, watched: Collection[int], due: Mapping[int, int]
) -> AsyncGenerator[list[dict[str, Any]], None]:
    """Read pages of a list, as long as that is better than asking for one run after the other.

    Args:
        hook: Where to read.
        way: What list.
        newest: The latest start, in milliseconds UTC, from which the list goes back in time; None for now.
        watched: The job runs that are of use.
        due: Those of them for which the list is read, and when each started, 0 where that is not known.

    Yields:
        The entries of one page that are of use.
    """
    left = dict(due)
    pages = hook.run_pages(active_only=way is Way.ACTIVE, start_time_to=newest)
    async with aclosing(pages):
        async for page in pages:
            found = [entry for entry in page if entry["run_id"] in watched]
            for entry in found:
                left.pop(entry["run_id"], None)
            yield found
            came_to = min((entry.get("start_time") or 0 for entry in page), default=0)
            # One found on a page is what one `runs/get` gives.
            if len(found) < 2 or all(started > came_to for started in left.values()):  # noqa: PLR2004
                return


class ListCosts:
    """Tells which list to read, by how many requests one has taken lately.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Way, tuple[float, float]] = {}
        self._refused_at: float | None = None

    def best(self, worth: float, *, is_new: bool) -> Way | None:
        """The way that takes the fewest requests; None for asking for one run after the other.

        Args:
            worth: How many requests are saved.
            is_new: Whether nothing is known of the runs that are wanted.
        """
        if self._refused_at is not None and self._clock.monotonic() < self._refused_at + _REFUSED_SECONDS:
            return None
        if is_new:
            return Way.NEWEST
        way = min((Way.ALL, Way.ACTIVE), key=self._cost)
        return way if self._cost(way) <= max(1.0, _BETTER * worth) else None

    def learned(self, way: Way, requests: int) -> None:
        """A list has been read.

        Args:
            way: What list.
            requests: Its pages, and the runs that have to be asked for all the same.
        """
        cost = max(requests, (self._cost(way) + requests) / 2)  # what got dearer is known at once
        self._known[way] = (cost, self._clock.monotonic())

    def refused(self) -> None:
        """The workspace does not give lists to who asks."""
        self._refused_at = self._clock.monotonic()

    def _cost(self, way: Way) -> float:
        # Where nothing is known of late, one page is hoped for; first of the list that also has how runs ended.
        cost, at = self._known.get(way, (0.0, 0.0))
        is_known = cost and self._clock.monotonic() < at + _FORGET_SECONDS
        return cost if is_known else 1.0 if way is Way.ALL else 1.5
