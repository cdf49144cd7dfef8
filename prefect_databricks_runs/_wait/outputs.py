"""The outputs of a run's tasks, and the cause of each failed attempt, down to the task that raised.

A for-each task and a run-job task have no error themselves: the error is in an iteration, or in a task of another run.
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
_MAX_DEPTH = 3  # of runs that start other runs; Databricks allows no more
# A run is not watched while its outputs are read, so reading them before its end must be short.
_RUNNING_SECONDS = 5.0
_PAUSE_SECONDS = 60.0  # until an output that could not be read is read again


class OutputReader:
    """Read the outputs of one run, each once: of failed attempts, and of all tasks if requested.

    An output that cannot be read is logged and left out; it does not change how the run ended.

    Args:
        hook: The hook to read them with.
        logger: The log for outputs that could not be read.
        every_task: Whether to read the output of every task; outputs of failed attempts are always read.
    """

    def __init__(self, hook: DatabricksHook, logger: Logger, *, every_task: bool) -> None:
        self._hook = hook
        self._logger = logger
        self._every_task = every_task
        self._outputs: dict[int, RunOutput] = {}
        # Outputs of active run-job tasks: they have the run that was started, but not yet how it ends.
        self._links: dict[int, RunOutput] = {}
        self._iterations: dict[int, tuple[RunTask, ...]] = {}
        self._next_try: dict[int, float] = {}

    async def so_far(self, run: Run) -> Run:
        """Return the run with the outputs known so far, and with the runs that its run-job tasks started.

        Args:
            run: The run as it is.
        """
        await self._read(run, every_task=self._every_task, seconds=_RUNNING_SECONDS, quiet=True)
        return self.known(run)

    async def at_the_end(self, run: Run) -> Run:
        """Return a finished run with its outputs and with the causes of its failed attempts.

        Args:
            run: The run as it ended.
        """
        return await self._complete(run, every_task=self._every_task, depth=_MAX_DEPTH)

    async def _complete(self, run: Run, *, every_task: bool, depth: int) -> Run:
        await self._read(run, every_task=every_task, seconds=_SECONDS, quiet=False)
        wanted = self._wanted(run, every_task=every_task)
        unread = len(self._unread(wanted))
        if unread:
            text = "Could not read %d of %d outputs of Databricks run %d."
            self._logger.warning(text, unread, len(wanted), run.run_id)
        run = self.known(run)
        with anyio.move_on_after(_SECONDS):
            return await self._with_other_runs(run, depth)
        return run

    async def _with_other_runs(self, run: Run, depth: int) -> Run:
        """Return the run; its failed run-job attempts have the runs that they started, with the causes of failure."""
        found: dict[int, RunTask] = {}
        for attempt in run.failed_attempts:
            if attempt.is_run_job and attempt.run_job_run_id and depth:
                other = await self._or_none(self._hook.get_run, attempt.run_job_run_id)
                if other:
                    other = await self._complete(other, every_task=False, depth=depth - 1)
                    found[attempt.run_id] = replace(attempt, run_job=other)
        return run.with_attempts(found.get(each.run_id, each) for each in run.attempts)

    def known(self, run: Run) -> Run:
        """Return the run with the outputs that have been read, without reading anything.

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
            # The error of the iteration with the most attempts: the others may have succeeded at their next attempt.
            last = max(iterations, key=lambda each: each.attempt_number).output or RunOutput()
            own = output or RunOutput()
            error, trace = own.error or last.error, own.error_trace or last.error_trace
            output = replace(own, error=error, error_trace=trace)
        return replace(attempt, output=output, failed_iterations=iterations)

    def _wanted(self, run: Run, *, every_task: bool) -> list[RunTask]:
        """Return the attempts to read the output of now; the output of a run-job task has the run that it started."""
        tasks = [each for each in run.tasks.values() if (every_task if each.state.is_terminal else each.is_run_job)]
        iterations = [each for attempt in run.attempts for each in self._iterations.get(attempt.run_id, ())]
        return [each for each in (*run.failed_attempts, *tasks, *iterations) if _has_output(each)]

    def _unread(self, wanted: Collection[RunTask]) -> list[RunTask]:
        read = {True: self._outputs, False: self._links}
        return [each for each in wanted if each.run_id not in read[each.state.is_terminal]]

    def _unlisted(self, run: Run) -> list[RunTask]:
        """Return the ended for-each tasks that may have failed iterations which are not known yet."""
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
        """Read something of each, several at a time; if `quiet`, skip what could not be read a moment ago."""
        now = self._hook.clock.monotonic()
        chosen = {each.run_id: each for each in attempts if not (quiet and self._next_try.get(each.run_id, now) > now)}
        # All of them, even if there is no time for some: the wait is held up once and not at each change.
        self._next_try |= dict.fromkeys(chosen, now + _PAUSE_SECONDS)
        limiter = anyio.CapacityLimiter(_AT_ONCE)

        async def one(attempt: RunTask) -> None:
            async with limiter:
                try:
                    await read(attempt)
                except DatabricksError as error:
                    if not quiet:
                        self._logger.warning("Could not read the output of task %s. %s", name(attempt.task_key), error)
                    if isinstance(error, DatabricksConnectionError):
                        together.cancel_scope.cancel()  # the others cannot be read either

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
            return  # the run is not started yet: read again after the pause
        self._next_try.pop(attempt.run_id, None)

    async def _list_iterations(self, attempt: RunTask) -> None:
        """Record the failed attempts at a for-each task's iterations, oldest first; if very many, the last ones."""
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
