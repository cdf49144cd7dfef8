"""The runs that this process has started or found again, and that no wait has read yet."""

from __future__ import annotations

from .._runtime import Newest


class StartedHere(Newest[tuple[str, int]]):
    """The host and `run_id` of runs that exist, even if a wait is at first not allowed to read them."""

    most = 10_000
