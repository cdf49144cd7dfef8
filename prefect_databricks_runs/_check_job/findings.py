"""The findings, and the exit code that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Severity = Literal["error", "fault", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        file: The file.
        line: The line in it, if known.
        job: The name of the job in the file; empty if it is not about one.
        path: Where in the job, such as `tasks[2].new_cluster`; empty for the whole.
        severity: `error` if a file could not be checked; `fault` for what Databricks refuses or misreads; `warning` for
            what may be right.
        message: What is wrong, and what to do.
        targets: The targets of the bundle in which it is so; empty if it is so in all that were checked.
    """

    file: str
    line: int | None
    job: str
    path: str
    severity: Severity
    message: str
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """A definition that was checked.

    Attributes:
        file: The file.
        line: The line in it, if known.
        job: Its name in the file.
        kind: `job`, `submitted run` or `run of a job`.
        target: The target of the bundle; None where there is none.
    """

    file: str
    line: int | None
    job: str
    kind: str
    target: str | None = None


@dataclass
class Results:
    """All that was checked and found.

    Attributes:
        checked: What was checked.
        findings: What is wrong.
    """

    checked: list[Checked] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def count(self, severity: Severity) -> int:
        """Return how many findings are so severe."""
        return sum(each.severity == severity for each in self.findings)

    def exit_code(self, *, strict: bool) -> int:
        """Return 2 if something could not be checked, else 1 if there is something to correct, else 0."""
        if self.count("error"):
            return 2
        return 1 if self.count("fault") or (strict and self.findings) else 0


def merged(found: Iterable[tuple[str | None, Finding]], targets: int) -> list[Finding]:
    """Return the findings of several targets of a bundle, each once.

    Args:
        found: Each with its target.
        targets: How many were checked.
    """
    by_finding: dict[Finding, list[str]] = {}
    for target, finding in found:
        named = by_finding.setdefault(finding, [])
        if target is not None and target not in named:
            named.append(target)
    return [replace(each, targets=tuple(named) if len(named) < targets else ()) for each, named in by_finding.items()]
