"""The runs that this process has started, or found again, and not read in a wait yet."""

from __future__ import annotations

_MAX = 10_000


class StartedHere:
    """Runs that there are, although a wait for them may be refused to read them at first."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, int], None] = {}

    def add(self, host: str, run_id: int) -> None:
        """Note that a run was started."""
        if len(self._runs) >= _MAX:
            del self._runs[next(iter(self._runs))]
        self._runs[host, run_id] = None

    def forget(self, host: str, run_id: int) -> None:
        """Note that a wait has read it, and knows it by itself."""
        self._runs.pop((host, run_id), None)

    def __contains__(self, run: tuple[str, int]) -> bool:
        return run in self._runs
