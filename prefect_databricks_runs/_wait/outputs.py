"""What the tasks of a run gave, and why each attempt that failed did, down to the task that raised.

A for-each task and a run-job task have no error of their own: it is in an iteration, or in a task of another run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import TypeAlias, TypeVar

import anyio

from .._prefect.logging import Logger
from .._text import name
from ..errors import DatabricksConnectionError, DatabricksError
from ..hook import DatabricksHook
from ..runs import MAX_FAILED_ITERATIONS, Run, RunOutput, RunTask

T = TypeVar("T")
_Read: TypeAlias = Callable[[RunTask], Awaitable[None]]

_SECONDS = 300.0
_AT_ONCE = 8
_MAX_DEPTH = 3  # of runs that start others; Databricks allows no more
# A run is not watched while its outputs are read, so there is little time for that before its end.
_RUNNING_SECONDS = 5.0
_PAUSE_SECONDS = 60.0  # until what could not be read is asked for again


class OutputReader:
    """Reads the outputs of one run, each once: of failed attempts, and of all tasks if that is wanted.

    What cannot be read is said and left out: a run that is over has ended as it did.

    Args:
        hook: Where to read them.
        logger: Where it is said what could not be read.
        every_task: Whether to read the output of every task; those of failed attempts are always read.
    """

    def __init__(self, hook: DatabricksHook, logger: Logger, *, every_task: bool) -> None:
        self._hook = hook
        self._logger = logger
        self._every_task = every_task
        self._outputs: dict[int, RunOutput] = {}
        # Those of run-job tasks that run: they have the run that was started, and nothing of how it will end.
        self._links: dict[int, RunOutput] = {}
        self._iterations: dict[int, tuple[RunTask, ...]] = {}
        self._next_try: dict[int, float] = {}

    async def so_far(self, run: Run) -> Run:
        """Return the run with what is known of what has ended in it, and with the runs that its run-job tasks started.

        Args:
            run: The run as it is.
        """
        await self._read(run, every_task=self._every_task, seconds=_RUNNING_SECONDS, quiet=True)
        return self.known(run)

    async def at_the_end(self, run: Run) -> Run:
        """Return the run that is over, with its outputs and with why its failed attempts did.

        Args:
            run: The run as it ended.
        """
        return await self._complete(run, every_task=self._every_task, depth=_MAX_DEPTH)

    async def _complete(self, run: Run, *, every_task: bool, depth: int) -> Run:
        await self._read(run, every_task=every_task, seconds=_SECONDS, quiet=False)
        wanted = self._wanted(run, every_task=every_task)
        unread = len(self._unread(wanted))
        if unread:
            text = "%d of %d outputs of Databricks run %d could not be read."
            self._logger.warning(text, unread, len(wanted), run.run_id)
        run = self.known(run)
        with anyio.move_on_after(_SECONDS):
            return await self._with_other_runs(run, depth)
        return run

    async def _with_other_runs(self, run: Run, depth: int) -> Run:
        """Return the run; its failed run-job attempts have the runs that they started, and why these failed."""
        found: dict[int, RunTask] = {}
        for attempt in run.failed_attempts:
            if attempt.is_run_job and attempt.run_job_run_id and depth:
                other = await self._or_none(self._hook.get_run, attempt.run_job_run_id)
                if other:
                    other = await self._complete(other, every_task=False, depth=depth - 1)
                    found[attempt.run_id] = replace(attempt, run_job=other)
        return run.with_attempts(found.get(each.run_id, each) for each in run.attempts)

    def known(self, run: Run) -> Run:
        """Return the run with what is known of it; nothing is read.

        Args:
            run: The run as it is.
        """
        return run.with_attempts(map(self._known, run.attempts))

    def _known(self, attempt: RunTask) -> RunTask:
        output = self._outputs.get(attempt.run_id) or self._links.get(attempt.run_id) or attempt.output
        iterations = tuple(
            replace(each, output=self._outputs.get(each.run_id)) for each in self._iterations.get(attempt.run_id, ())
        )
        if iterations and attempt.is_failed:
            # That of the one that was tried most often: the others may have succeeded at their next attempt.
            last = max(iterations, key=lambda each: each.attempt_number).output or RunOutput()
            own = output or RunOutput()
            error, trace = own.error or last.error, own.error_trace or last.error_trace
            output = replace(own, error=error, error_trace=trace)
        return replace(attempt, output=output, failed_iterations=iterations)

    def _wanted(self, run: Run, *, every_task: bool) -> list[RunTask]:
        """Return the attempts whose output is wanted now: that of a run-job task has the run that it started."""
        tasks = [each for each in run.tasks.values() if (every_task if each.state.is_terminal else each.is_run_job)]
        iterations = [each for attempt in run.attempts for each in self._iterations.get(attempt.run_id, ())]
        return [each for each in (*run.failed_attempts, *tasks, *iterations) if _has_output(each)]

    def _unread(self, wanted: Collection[RunTask]) -> list[RunTask]:
        read = {True: self._outputs, False: self._links}
        return [each for each in wanted if each.run_id not in read[each.state.is_terminal]]

    def _unlisted(self, run: Run) -> list[RunTask]:
        """Return the for-each tasks that have ended and may have failed iterations, as far as these are not known."""
        for_eaches = [
            each for each in run.attempts if each.is_for_each and each.state.is_terminal and _has_output(each)
        ]
        return [
            each
            for each in for_eaches
            if each.run_id not in self._iterations and (each.is_failed or each.retries_iterations)
        ]

    async def _read(self, run: Run, *, every_task: bool, seconds: float, quiet: bool) -> None:
        with anyio.move_on_after(seconds):
            wanted = self._unread(self._wanted(run, every_task=every_task))
            await self._each(self._read_output, wanted, quiet=quiet)
            await self._each(self._list_iterations, self._unlisted(run), quiet=quiet)
            asked = {each.run_id for each in wanted}
            iterations = self._unread(self._wanted(run, every_task=every_task))
            await self._each(self._read_output, [each for each in iterations if each.run_id not in asked], quiet=quiet)

    async def _each(self, read: _Read, attempts: Collection[RunTask], *, quiet: bool) -> None:
        """Read something of each, some at a time; a quiet one leaves out what could not be read a moment before."""
        now = self._hook.clock.monotonic()
        chosen = {each.run_id: each for each in attempts if not (quiet and self._next_try.get(each.run_id, now) > now)}
        # All of them, those too that the time is too short for: the wait is held up once and not at each change.
        self._next_try |= dict.fromkeys(chosen, now + _PAUSE_SECONDS)
        limiter = anyio.CapacityLimiter(_AT_ONCE)

        async def one(attempt: RunTask) -> None:
            async with limiter:
                try:
                    await read(attempt)
                except DatabricksError as error:
                    if not quiet:
                        self._logger.warning(
                            "The output of task %s could not be read. %s", name(attempt.task_key), error
                        )
                    if isinstance(error, DatabricksConnectionError):
                        together.cancel_scope.cancel()  # nor can the others

        async with anyio.create_task_group() as together:
            for attempt in chosen.values():
                together.start_soon(one, attempt)

    async def _read_output(self, attempt: RunTask) -> None:
        output = await self._hook.get_run_output(attempt.run_id)
        if attempt.state.is_terminal:
            self._outputs[attempt.run_id] = output
        elif output.raw.get("run_job_output"):
            self._links[attempt.run_id] = output
        else:
            return  # the run is not started yet: asked for again after the pause
        self._next_try.pop(attempt.run_id, None)

    async def _list_iterations(self, attempt: RunTask) -> None:
        """Note the failed attempts at the iterations of a for-each task, the oldest first; of very many, the last."""
        found = await self._hook.get_run(attempt.run_id)
        failed = sorted((each for each in found.iterations if each.is_failed), key=lambda each: -each.attempt_number)
        in_order = sorted(failed[:MAX_FAILED_ITERATIONS], key=lambda each: (each.start_time, each.attempt_number))
        self._iterations[attempt.run_id] = tuple(in_order)
        self._next_try.pop(attempt.run_id, None)

    async def _or_none(self, read: Callable[[int], Awaitable[T]], run_id: int) -> T | None:
        try:
            return await read(run_id)
        except DatabricksError as error:
            self._logger.warning("Could not read the cause of a failed task. %s", error)
            return None


def _has_output(task: RunTask) -> bool:
    return task.start_time > 0 and task.state.life_cycle_state != "SKIPPED"
