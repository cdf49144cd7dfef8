"""Run `prefect-databricks-runs check`: one step after the other, until a step fails that the others need."""

from __future__ import annotations

from contextlib import aclosing

from ..errors import DatabricksError
from .found import found
from .printing import Printing
from .results import STEPS, Results, Step
from .steps import steps_of


async def check(block: str | None, profile: str | None, printing: Printing) -> Results:
    """Report who signs in, how, until when, and what that user may do. Nothing is started, saved or changed.

    Args:
        block: The name of a saved block; None for the environment.
        profile: A profile instead of the environment.
        printing: The output for each step.
    """
    results = Results()

    def add(step: Step) -> None:
        results.steps.append(step)
        printing.add(step)

    try:
        subject = await found(block, profile)
    except DatabricksError as error:
        add(Step("credentials", "error", str(error)))
    else:
        async with aclosing(steps_of(subject, results.facts)) as steps:
            async for step in steps:
                add(step)
    for name in STEPS[len(results.steps) :]:
        add(Step(name, "not tried", ""))
    printing.close(results)
    return results
