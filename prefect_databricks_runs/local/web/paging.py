"""Pages of a list that has its newest items first, and that may grow while a client reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .errors import invalid

T = TypeVar("T")

_NEXT, _PREVIOUS = "next", "previous"
# A token names the last or the first item of the page with the token, so that new items do not shift the pages.
_TOKEN = re.compile(rf"({_NEXT}|{_PREVIOUS})_(\d{{1,18}})", re.ASCII)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page.

    Attributes:
        items: Its items, newest first.
        next_page_token: The token of the page with older items; None on the last page.
        prev_page_token: The token of the page with newer items; None on the first page.
    """

    items: list[T]
    next_page_token: str | None
    prev_page_token: str | None

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens of an answer. A missing token is left out: a client takes an empty token for another page."""
        tokens = {"next_page_token": self.next_page_token, "prev_page_token": self.prev_page_token}
        return {name: token for name, token in tokens.items() if token is not None}


def turn_to(
    items: Sequence[T], place: Callable[[T], int], *, limit: int, offset: int = 0, page_token: str = ""
) -> Page[T]:
    """Return a page of `items`.

    Args:
        items: All items, newest first.
        place: Returns the number by which items are ordered: a newer item has a higher number, and no two are equal.
        limit: The number of items on a page.
        offset: The number of items to leave out at the beginning; ignored with a token.
        page_token: The token of the page; empty for the first page.

    Raises:
        ApiError: The token is not valid.
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
