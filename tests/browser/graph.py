"""What the page of a flow run is told to draw: a bar for each task run, with its times and its arrows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple


class Bar(NamedTuple):
    """One task run: times in seconds since the flow run began, and the names of those that it comes after."""

    state_type: str
    start: float
    end: float | None
    after: set[str]


class Graph:
    """The answer of `/flow_runs/<id>/graph-v2`.

    Args:
        answer: The answer.

    Attributes:
        end: When the flow run ended, in seconds since it began; None while it runs.
        bars: The bars by the name that stands on them.
    """

    def __init__(self, answer: dict[str, Any]) -> None:
        self._began = datetime.fromisoformat(answer["start_time"].replace("Z", "+00:00"))
        nodes = dict(answer["nodes"])
        self.end = self._seconds(answer["end_time"])
        self.bars = {
            node["label"]: Bar(
                node["state_type"],
                self._seconds(node["start_time"]) or 0.0,
                self._seconds(node["end_time"]),
                {nodes[parent["id"]]["label"] for parent in node["parents"]},
            )
            for node in nodes.values()
        }

    @property
    def tasks(self) -> dict[str, Bar]:
        """The bars of Databricks tasks."""
        return {name: bar for name, bar in self.bars.items() if not name.startswith("submit_run")}

    def span(self, state_type: str) -> tuple[float, float]:
        """From the first start to the last end of the bars with such a state."""
        bars = [bar for bar in self.bars.values() if bar.state_type == state_type]
        return min(bar.start for bar in bars), max(bar.end or 0.0 for bar in bars)

    def _seconds(self, time: str | None) -> float | None:
        if time is None:
            return None
        return (datetime.fromisoformat(time.replace("Z", "+00:00")) - self._began).total_seconds()
