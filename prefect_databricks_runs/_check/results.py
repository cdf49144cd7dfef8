"""The results of a check: its steps, and the facts that they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .._client.retries import passes
from .._text import ours
from ..errors import DatabricksError

Result = Literal["ok", "failed", "error", "unknown", "not tried"]

STEPS = ("credentials", "address", "clock", "token", "user", "list jobs", "list runs", "submit runs")
FACTS = (
    "source",
    "host",
    "sign_in",
    "clock_difference_seconds",
    "token_ends_at",
    "user_name",
    "display_name",
    "user_id",
)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        step: Its name, one of `STEPS`.
        result: `ok`; `failed`, for something to correct; `error`, for a question without an answer; `unknown`, for
            something that only a run can show; or `not tried`, because an earlier step failed.
        detail: The fact, or the fault and the advice.
    """

    step: str
    result: Result
    detail: str

    @property
    def is_bad(self) -> bool:
        """Whether the step failed, or could not be done."""
        return self.result in ("failed", "error")

    @classmethod
    def of(cls, step: str, error: DatabricksError) -> Step:
        """Return a step that ended with an error.

        Args:
            step: Its name.
            error: The error.
        """
        return cls(step, "error" if passes(error) else "failed", ours(str(error)))


@dataclass
class Results:
    """All results of a check.

    Attributes:
        steps: The steps, in their order.
        facts: The facts, by the names of `FACTS`.
    """

    steps: list[Step] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(FACTS))

    @property
    def worst(self) -> Result:
        """`failed` if a step failed, else `error` if one could not be done, else `ok`."""
        results = {each.result for each in self.steps}
        return "failed" if "failed" in results else "error" if "error" in results else "ok"

    @property
    def bad(self) -> Sequence[Step]:
        """The steps that failed or could not be done."""
        return [each for each in self.steps if each.is_bad]
