"""The faults of a workspace: find the fault that happens to a request, and count."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from ..web.patterns import Pattern
from .fault_rules import FaultRule


class Fault:
    """A fault that is set. `LocalWorkspace.fault` returns it.

    Example:
        ```python
        from prefect_databricks_runs.local import LocalWorkspace

        with LocalWorkspace() as workspace:
            fault = workspace.fault("GET */runs/get", status=503)
            print(fault.seen, fault.met)
            fault.remove()
        ```

    Attributes:
        rule: The requests, and what happens to them.
        seen: The number of requests that matched its pattern.
        met: The number of requests that it happened to.
    """

    def __init__(self, rule: FaultRule, remove: Callable[[Fault], None]) -> None:
        self.rule = rule
        self.seen = 0
        self.met = 0
        self._pattern = Pattern(rule.pattern)
        self._random = random.Random(rule.seed)  # noqa: S311 - faults by chance, which a seed repeats
        self._remove = remove

    def remove(self) -> None:
        """Remove the fault, if it was not removed before."""
        self._remove(self)

    def as_json(self) -> dict[str, Any]:
        """Return the fields and the counters, fit for JSON."""
        return {**self.rule.as_json(), "seen": self.seen, "met": self.met}

    def is_about(self, method: str, path: str) -> bool:
        """Return whether the pattern matches a request; if so, count the request."""
        matches = self._pattern.matches(method, path)
        self.seen += matches
        return matches

    def strikes(self) -> bool:
        """Return whether the fault happens to the request just counted; if so, count it."""
        rule = self.rule
        if self.seen <= rule.after or (rule.times is not None and self.met >= rule.times):
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        self.met += 1
        return True

    def __repr__(self) -> str:
        times = "" if self.rule.times is None else f" of {self.rule.times}"
        return f"Fault({self.rule.pattern!r}, {self.rule}, met {self.met}{times})"


class Faults:
    """The faults of one workspace, in the order in which they were set. Safe to use in any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, rule: FaultRule) -> Fault:
        """Set a fault."""
        fault = Fault(rule, self._remove)
        with self._lock:
            self._faults.append(fault)
        return fault

    def all(self) -> tuple[Fault, ...]:
        """Return all faults, including the faults that are used up."""
        with self._lock:
            return tuple(self._faults)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> FaultRule | None:
        """Return the rule of the fault that happens to a request; None without one.

        Each fault whose pattern matches counts the request, even if an earlier fault happens to it.
        """
        with self._lock:
            about = [fault for fault in self._faults if fault.is_about(method, path)]
            return next((fault.rule for fault in about if fault.strikes()), None)

    def _remove(self, fault: Fault) -> None:
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)
