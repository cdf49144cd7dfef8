"""The end of a stream that is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs.local.runs.child_process import Tail


@given(st.lists(st.text("abc").map(str.encode)), st.integers(min_value=1, max_value=20))
def test_the_last_bytes_are_kept(chunks: list[bytes], limit: int) -> None:
    tail = Tail(limit)
    for chunk in chunks:
        tail.add(chunk)
    whole = b"".join(chunks)
    assert tail.text() == whole[-limit:].decode()
    assert tail.truncated == (len(whole) > limit)
