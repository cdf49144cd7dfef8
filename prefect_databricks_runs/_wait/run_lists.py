"""`runs/list` as a way to read many runs at once, and its cost."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container, Mapping, Sequence
from contextlib import aclosing
from enum import Enum
from typing import Any, NamedTuple

from .._clock import Clock
from ..hook import DatabricksHook

_FORGET_SECONDS = 60.0
# The share of the other way's cost that a list may have: its answer takes longer to read.
_BETTER = 0.8
# How long no list is read after the workspace has refused a list, or after a list has failed.
_REFUSED_SECONDS, _FAILED_SECONDS = 600.0, 15.0


class Way(Enum):
    """The list to read."""

    NEWEST = "the newest runs of the workspace: for runs whose start is not even known"
    ALL = "the runs that started no later than the due ones, active or finished"
    ACTIVE = "only the active ones of these: for when many others have finished; a missing run has finished or is gone"


class Page(NamedTuple):
    """A page of a list: the entries of watched runs, and when its first and its last run started."""

    found: list[dict[str, Any]]
    newest: int
    oldest: int


class _Known(NamedTuple):
    """Recent lists: the time between the starts on a page, and the share of runs that were missing."""

    a_page: float
    missing: float
    at: float


async def run_list(
    hook: DatabricksHook, way: Way, newest: int | None, watched: Container[int], due: Mapping[int, int]
) -> AsyncGenerator[Page, None]:
    """Read pages of a list, as long as that takes fewer requests than reading one run after the other.

    Args:
        hook: The hook to read it with.
        way: The list.
        newest: The latest start, in milliseconds UTC, from which the list runs back in time; None for now.
        watched: The job runs that are watched.
        due: The watched runs for which the list is read, and when each started, 0 if that is not known.

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
            # A page with one watched run is worth no more than one `runs/get`.
            if len(found) < 2 or all(started > min(starts) for started in left.values()):  # noqa: PLR2004
                return


class ListCosts:
    """Choose which list to read, by how much the pages of recent lists covered.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Way, _Known] = {}
        self._not_before = 0.0

    def best(self, worth: float, span: int, *, is_new: bool) -> Way | None:
        """Return the way that takes the fewest requests; None to read one run after the other.

        Args:
            worth: How many requests are saved.
            span: The time between the first and the last start of the due runs, in milliseconds.
            is_new: Whether nothing is known of the due runs.
        """
        if self._clock.monotonic() < self._not_before:
            return None
        if is_new:
            return Way.NEWEST
        way = min((Way.ALL, Way.ACTIVE), key=lambda way: self._cost(way, span, worth))
        return way if self._cost(way, span, worth) <= max(1.0, _BETTER * worth) else None

    def learned(self, way: Way, pages: Sequence[Page], missing: float) -> None:
        """Record that a list has been read.

        Args:
            way: The list.
            pages: Its pages.
            missing: The share of the due runs that should have been on these pages but were not.
        """
        way = Way.ALL if way is Way.NEWEST else way
        a_page = sum(page.newest - page.oldest for page in pages) / max(1, len(pages))
        known = self._fresh(way)
        if known:
            a_page, missing = (a_page + known.a_page) / 2, (missing + known.missing) / 2
        self._known[way] = _Known(a_page, missing, self._clock.monotonic())

    def failed(self, *, is_for_good: bool) -> None:
        """Record that a list could not be read.

        Args:
            is_for_good: Whether the workspace has refused it.
        """
        self._not_before = self._clock.monotonic() + (_REFUSED_SECONDS if is_for_good else _FAILED_SECONDS)

    def _cost(self, way: Way, span: int, worth: float) -> float:
        known = self._fresh(way)
        if known is None:
            # The estimate is one page. The list that also has finished runs comes first.
            return 1.0 if way is Way.ALL else 1.5
        return 1.0 + span / max(1.0, known.a_page) + known.missing * worth

    def _fresh(self, way: Way) -> _Known | None:
        known = self._known.get(way)
        return known if known and self._clock.monotonic() < known.at + _FORGET_SECONDS else None
