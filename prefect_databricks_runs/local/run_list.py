"""`runs/list`: which runs, and in which pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from .calls import Fields
from .errors import invalid
from .pages import page_token, read_page_token
from .records import RunRecord
from .store import Store

MAX_OFFSET = 1000
# By the API's version: the default limit and the largest.
_LIMITS = {"2.0": (20, 1000), "2.1": (25, 25), "2.2": (20, 25)}


def list_runs(store: Store, asked: Mapping[str, Any], version: str, answer: Callable[[RunRecord], Fields]) -> Fields:
    """Answers a page of runs, newest first.

    Args:
        store: the workspace's runs.
        asked: the query, checked for types.
        version: the API's version.
        answer: turns a run into JSON.

    Returns:
        `runs` if there are any; `next_page_token` and `prev_page_token` unless it is the last or the first page;
        before 2.2, `has_more`.

    Raises:
        ApiError: the query makes no sense.
    """
    size = _limit(asked, version)
    offset = _offset(asked, version)
    backwards, place = _place(asked.get("page_token", ""))
    if backwards:
        # Those that came later than the page, the ones nearest to it first.
        page = list(islice((run for run in _chosen(store, asked, reverse=False) if run.sequence > place), size))[::-1]
    else:
        runs = (run for run in _chosen(store, asked, reverse=True) if not place or run.sequence < place)
        page = list(islice(runs, offset, offset + size))
    found: Fields = {"runs": [answer(run) for run in page]} if page else {}
    first, last = (page[0].sequence, page[-1].sequence) if page else (0, 0)
    older = bool(page) and any(run.sequence < last for run in _chosen(store, asked, reverse=False))
    newer = bool(page) and any(run.sequence > first for run in _chosen(store, asked, reverse=True))
    if older:
        found["next_page_token"] = page_token(last)
    if newer:
        found["prev_page_token"] = _BACKWARDS + page_token(first)
    if version != "2.2":
        found["has_more"] = older
    return found


_BACKWARDS = "p"


def _place(token: str) -> tuple[bool, int]:
    backwards = token.startswith(_BACKWARDS)
    token = token.removeprefix(_BACKWARDS)
    return backwards, read_page_token(token) if token or backwards else 0


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


def _chosen(store: Store, asked: Mapping[str, Any], *, reverse: bool) -> Iterator[RunRecord]:
    """Yields the runs that the query asks for, by age: the newest first when `reverse`."""
    active_only, completed_only = asked.get("active_only", False), asked.get("completed_only", False)
    if active_only and completed_only:
        raise invalid("both_active_and_completed")
    if active_only:
        runs = iter(sorted(store.active.values(), key=lambda run: run.sequence, reverse=reverse))
    else:
        runs = reversed(store.runs.values()) if reverse else iter(store.runs.values())
    since, until = asked.get("start_time_from") or 0, asked.get("start_time_to") or float("inf")
    job_id, run_type = asked.get("job_id"), asked.get("run_type")
    for run in runs:
        if completed_only and run.run_id in store.active:
            continue
        if job_id is not None and run.job_id != job_id:
            continue
        if run_type and run_type != ("JOB_RUN" if run.job else "SUBMIT_RUN"):
            continue
        if since <= run.start_time <= until:
            yield run
