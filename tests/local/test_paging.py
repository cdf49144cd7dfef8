"""Pages of a list that grows while they are turned."""

from __future__ import annotations

import pytest

from prefect_databricks_runs.local.web.errors import ApiError
from prefect_databricks_runs.local.web.paging import Page, turn_to


def page(newest: int, *, limit: int = 2, offset: int = 0, page_token: str | None = "") -> Page[int]:
    """Returns a page of the numbers from `newest` down to 1."""
    return turn_to(range(newest, 0, -1), int, limit=limit, offset=offset, page_token=page_token or "")


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_all_is_seen_once_there_and_back(limit: int) -> None:
    there, back = [page(5, limit=limit)], []
    while there[-1].next_page_token:
        there.append(page(5, limit=limit, page_token=there[-1].next_page_token))
    assert [number for each in there for number in each.items] == [5, 4, 3, 2, 1]
    back = [there[-1]]
    while back[-1].prev_page_token:
        back.append(page(5, limit=limit, page_token=back[-1].prev_page_token))
    assert [each.items for each in back] == [each.items for each in there][::-1]


def test_what_is_new_moves_nothing() -> None:
    first = page(5)
    assert page(9, page_token=first.next_page_token).items == [3, 2]
    assert page(9, page_token=page(5, page_token=first.next_page_token).prev_page_token).items == [5, 4]


def test_a_token_that_there_is_not_is_no_field() -> None:
    assert page(2).tokens == {}
    assert page(0).tokens == {}
    assert page(3).tokens == {"next_page_token": page(3).next_page_token}


def test_an_offset_counts_only_without_a_token() -> None:
    assert page(5, offset=3).items == [2, 1]
    assert page(5, offset=9).items == []
    assert page(5, offset=3, page_token=page(5).next_page_token).items == [3, 2]


@pytest.mark.parametrize("page_token", ["x", "next_", "next_-1", "next_²", "next_" + "1" * 40, "5", "Next_5"])
def test_a_token_that_no_page_gave_is_refused(page_token: str) -> None:
    with pytest.raises(ApiError, match="page_token"):
        page(5, page_token=page_token)
