"""`runs/list`: the runs that a query asks for, in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..runs.records import RunRecord
from ..runs.store import Store
from ..web.calls import Fields
from ..web.errors import invalid
from ..web.paging import turn_to

MAX_OFFSET = 1000
# By the API's version: the default limit and the largest.
_LIMITS = {"2.0": (20, 1000), "2.1": (25, 25), "2.2": (20, 25)}


def list_runs(store: Store, asked: Mapping[str, Any], version: str, answer: Callable[[RunRecord], Fields]) -> Fields:
    """Return a page of runs, newest first.

    Args:
        store: The workspace's runs.
        asked: The query, checked for types.
        version: The API's version.
        answer: Turns a run into JSON.

    Returns:
        `runs` if there are any; `next_page_token` except on the last page, and `prev_page_token` except on the first;
        before 2.2, `has_more`.

    Raises:
        ApiError: The query is not valid.
    """
    page = turn_to(
        _chosen(store, asked),
        lambda run: run.sequence,
        limit=_limit(asked, version),
        offset=_offset(asked, version),
        page_token=asked.get("page_token", ""),
    )
    found: Fields = {"runs": [answer(run) for run in page.items]} if page.items else {}
    if version != "2.2":
        found["has_more"] = page.next_page_token is not None
    return {**found, **page.tokens}


def _limit(asked: Mapping[str, Any], version: str) -> int:
    default, largest = _LIMITS[version]
    limit = int(asked.get("limit", default))
    if not 0 <= limit <= largest:
        raise invalid("bad_limit", limit=largest)
    return limit or largest


def _offset(asked: Mapping[str, Any], version: str) -> int:
    offset = max(0, int(asked.get("offset", 0)))
    if version != "2.0" and offset > MAX_OFFSET:
        raise invalid("offset_too_large", offset=offset, limit=MAX_OFFSET)
    return offset


def _chosen(store: Store, asked: Mapping[str, Any]) -> list[RunRecord]:
    """Return the runs that the query asks for, newest first."""
    active_only, completed_only = asked.get("active_only", False), asked.get("completed_only", False)
    if active_only and completed_only:
        raise invalid("both_active_and_completed")
    if active_only:
        runs = sorted(store.active.values(), key=lambda run: run.sequence, reverse=True)
    else:
        runs = list(reversed(store.runs.values()))
    since, until = asked.get("start_time_from") or 0, asked.get("start_time_to") or float("inf")
    job_id, run_type = asked.get("job_id"), asked.get("run_type")
    return [
        run
        for run in runs
        if not (completed_only and run.run_id in store.active)
        and (job_id is None or run.job_id == job_id)
        and (not run_type or run_type == run.run_type)
        and since <= run.start_time <= until
    ]
