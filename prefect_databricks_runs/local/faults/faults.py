"""The faults of a workspace: which of them strikes a request, and how often each has."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

from ..web.patterns import Pattern
from .fault_rules import FaultRule


class Fault:
    """A fault that was set. Made by `LocalWorkspace.fault`.

    Attributes:
        rule: what happens to which requests.
        seen: how many requests its pattern has matched.
        met: how many of them it happened to.
    """

    def __init__(self, rule: FaultRule, remove: Callable[[Fault], None]) -> None:
        self.rule = rule
        self.seen = 0
        self.met = 0
        self._pattern = Pattern(rule.pattern)
        self._random = random.Random(rule.seed)  # noqa: S311 - faults by chance, which a seed repeats
        self._remove = remove

    def remove(self) -> None:
        """Remove the fault; do nothing when it was removed before."""
        self._remove(self)

    def as_json(self) -> dict[str, Any]:
        """Return its fields and counters, fit for JSON."""
        return {**self.rule.as_json(), "seen": self.seen, "met": self.met}

    def is_about(self, method: str, path: str) -> bool:
        """Return whether its pattern matches; count the request if so."""
        matches = self._pattern.matches(method, path)
        self.seen += matches
        return matches

    def strikes(self) -> bool:
        """Return whether it happens to the request that was just counted; count it if so."""
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
    """The faults of one workspace, in the order in which they were set. Can be used in any thread."""

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
        """Return all faults that are set, also those that have happened as often as they should."""
        with self._lock:
            return tuple(self._faults)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> FaultRule | None:
        """Return the rule of the fault that happens to a request; None when none does.

        Each fault whose pattern matches counts the request, also when an earlier one happens to it.
        """
        with self._lock:
            about = [fault for fault in self._faults if fault.is_about(method, path)]
            return next((fault.rule for fault in about if fault.strikes()), None)

    def _remove(self, fault: Fault) -> None:
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)
