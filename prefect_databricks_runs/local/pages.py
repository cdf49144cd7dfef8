"""Pages of lists, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from .errors import invalid

T = TypeVar("T")


def page_token(place: int) -> str:
    """Returns a token that stands for a place in a list."""
    return base64.urlsafe_b64encode(f"place:{place}".encode()).decode()


def read_page_token(token: str) -> int:
    """Returns the place that a token stands for.

    Raises:
        ApiError: it is none that was given out.
    """
    try:
        name, _, place = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        name, place = "", ""
    digits = place.removeprefix("-")
    if name != "place" or not digits.isdigit() or not digits.isascii() or page_token(int(digits[:18])) != token:
        raise invalid("bad_page_token")
    return int(place)


def after(items: Sequence[T], token: str, size: int, place: Callable[[T], int]) -> tuple[Sequence[T], str | None]:
    """Returns a page of a list that is sorted by `place`, and the token of the next page; None when there is none.

    Items that come and go between two pages shift nothing: a token stands for the last item of its page.

    Args:
        items: the whole list.
        token: of the page before; empty for the first page.
        size: how many items a page has.
        place: returns an item's place, a number of 0 or more.

    Raises:
        ApiError: the token is none that was given out.
    """
    if token:
        last = read_page_token(token)
        items = [item for item in items if place(item) > last]
    page = items[:size]
    return page, page_token(place(page[-1])) if len(items) > size else None
