"""Numbers of the waits for the same runs in one attempt at a flow run, which its next process counts again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._runtime import of_process

if TYPE_CHECKING:
    from prefect.context import FlowRunContext


class _Waits:
    """The attempts that this process has begun, and how many waits each has had for the same runs."""

    def __init__(self) -> None:
        self.counts: dict[tuple[object, ...], Counter[frozenset[int]]] = {}


def number_of_wait(context: FlowRunContext, run_ids: Iterable[int]) -> int:
    """Return how many waits for the same runs an attempt had before, and count this one.

    Args:
        context: That of the outermost flow run.
        run_ids: The job runs.
    """
    flow_run = context.flow_run
    attempt = (flow_run and flow_run.id, flow_run and flow_run.run_count, context.start_time)
    waits = of_process(_Waits).counts
    if attempt not in waits:
        waits.clear()  # a process has one flow run of a deployment at a time
    counted, runs = waits.setdefault(attempt, Counter()), frozenset(run_ids)
    counted[runs] += 1
    return counted[runs] - 1
