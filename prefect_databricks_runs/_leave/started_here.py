"""The runs that this process has started, or found again, and not read in a wait yet."""

from __future__ import annotations

from .._runtime import Newest


class StartedHere(Newest[tuple[str, int]]):
    """The host and `run_id` of runs that exist, even if a wait for them is refused to read them at first."""

    most = 10_000
