"""Pages of a list whose newest things come first, and that grows while a client turns its pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .errors import invalid

T = TypeVar("T")

_NEXT, _PREVIOUS = "next", "previous"
# A token names the last or the first thing of the page that gave it, so that what is new moves nothing.
_TOKEN = re.compile(rf"({_NEXT}|{_PREVIOUS})_(\d{{1,18}})", re.ASCII)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page.

    Attributes:
        items: what is on it, newest first.
        next_page_token: the token of the page with older things; None on the last page.
        prev_page_token: the token of the page with newer things; None on the first page.
    """

    items: list[T]
    next_page_token: str | None
    prev_page_token: str | None

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens that there are, as an answer has them: a client takes an empty one for another page."""
        tokens = {"next_page_token": self.next_page_token, "prev_page_token": self.prev_page_token}
        return {name: token for name, token in tokens.items() if token is not None}


def turn_to(
    items: Sequence[T], place: Callable[[T], int], *, limit: int, offset: int = 0, page_token: str = ""
) -> Page[T]:
    """Return a page of `items`.

    Args:
        items: all that there is, newest first.
        place: returns the number that an item is ordered by: higher is newer, and no two are the same.
        limit: how many items a page has.
        offset: how many to leave out at the beginning; ignored with a token.
        page_token: the token of the page; empty for the first.

    Raises:
        ApiError: the token is none that a page gave.
    """
    begin, end = offset, offset + limit
    if page_token:
        begin, end = _bounds(items, place, limit, page_token)
    page = list(items[begin:end])
    return Page(
        page,
        f"{_NEXT}_{place(page[-1])}" if page and end < len(items) else None,
        f"{_PREVIOUS}_{place(page[0])}" if page and begin > 0 else None,
    )


def _bounds(items: Sequence[T], place: Callable[[T], int], limit: int, page_token: str) -> tuple[int, int]:
    match = _TOKEN.fullmatch(page_token)
    if not match:
        raise invalid("bad_page_token")
    direction, mark = match[1], int(match[2])
    if direction == _NEXT:
        begin = sum(place(item) >= mark for item in items)
        return begin, begin + limit
    end = sum(place(item) > mark for item in items)
    return max(0, end - limit), end
