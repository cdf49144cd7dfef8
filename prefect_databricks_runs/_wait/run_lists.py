"""`runs/list` as a way to read many runs at once, and what it costs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container, Mapping, Sequence
from contextlib import aclosing
from enum import Enum
from typing import Any, NamedTuple

from .._clock import Clock
from ..hook import DatabricksHook

_FORGET_SECONDS = 60.0
# By how much a list has to be better: it is longer to read.
_BETTER = 0.8
# For how long no list is read after one that the workspace refused, or that failed.
_REFUSED_SECONDS, _FAILED_SECONDS = 600.0, 15.0


class Way(Enum):
    """What list to read."""

    NEWEST = "the newest runs of the workspace: for those of which not even the start is known"
    ALL = "the runs that started no later than those that are wanted, over or not"
    ACTIVE = "of these, those that are not over: for where many others are; who is missing is over, or gone"


class Page(NamedTuple):
    """A page of a list: the entries that are of use, and when its first and its last run started."""

    found: list[dict[str, Any]]
    newest: int
    oldest: int


class _Known(NamedTuple):
    """What lists were like lately: the time between the starts on a page, and the share of runs that were missing."""

    a_page: float
    missing: float
    at: float


async def run_list(
    hook: DatabricksHook, way: Way, newest: int | None, watched: Container[int], due: Mapping[int, int]
) -> AsyncGenerator[Page, None]:
    """Read pages of a list, as long as that is better than asking for one run after the other.

    Args:
        hook: Where to read.
        way: What list.
        newest: The latest start, in milliseconds UTC, from which the list goes back in time; None for now.
        watched: The job runs that are of use.
        due: Those of them for which the list is read, and when each started, 0 where that is not known.

    Yields:
        Each page.
    """
    left = dict(due)
    pages = hook.run_pages(active_only=way is Way.ACTIVE, start_time_to=newest)
    async with aclosing(pages):
        async for page in pages:
            found = [entry for entry in page if entry["run_id"] in watched]
            for entry in found:
                left.pop(entry["run_id"], None)
            starts = [entry.get("start_time") or 0 for entry in page] or [0]
            yield Page(found, max(starts), min(starts))
            # One found on a page is what one `runs/get` gives.
            if len(found) < 2 or all(started > min(starts) for started in left.values()):  # noqa: PLR2004
                return


class ListCosts:
    """Tells which list to read, by how much of it was on a page lately.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Way, _Known] = {}
        self._not_before = 0.0

    def best(self, worth: float, span: int, *, is_new: bool) -> Way | None:
        """Return the way that takes the fewest requests; None for asking for one run after the other.

        Args:
            worth: How many requests are saved.
            span: The time between the first and the last start of those that are due, in milliseconds.
            is_new: Whether nothing is known of the runs that are wanted.
        """
        if self._clock.monotonic() < self._not_before:
            return None
        if is_new:
            return Way.NEWEST
        way = min((Way.ALL, Way.ACTIVE), key=lambda way: self._cost(way, span, worth))
        return way if self._cost(way, span, worth) <= max(1.0, _BETTER * worth) else None

    def learned(self, way: Way, pages: Sequence[Page], missing: float) -> None:
        """Note that a list has been read.

        Args:
            way: What list.
            pages: Its pages.
            missing: The share of those that were wanted that should have been on these pages, and was not.
        """
        way = Way.ALL if way is Way.NEWEST else way
        a_page = sum(page.newest - page.oldest for page in pages) / max(1, len(pages))
        known = self._fresh(way)
        if known:
            a_page, missing = (a_page + known.a_page) / 2, (missing + known.missing) / 2
        self._known[way] = _Known(a_page, missing, self._clock.monotonic())

    def failed(self, *, is_for_good: bool) -> None:
        """Note that a list could not be read.

        Args:
            is_for_good: Whether the workspace has refused it.
        """
        self._not_before = self._clock.monotonic() + (_REFUSED_SECONDS if is_for_good else _FAILED_SECONDS)

    def _cost(self, way: Way, span: int, worth: float) -> float:
        known = self._fresh(way)
        if known is None:
            # One page is hoped for; first of the list that also has how runs ended.
            return 1.0 if way is Way.ALL else 1.5
        return 1.0 + span / max(1.0, known.a_page) + known.missing * worth

    def _fresh(self, way: Way) -> _Known | None:
        known = self._known.get(way)
        return known if known and self._clock.monotonic() < known.at + _FORGET_SECONDS else None
