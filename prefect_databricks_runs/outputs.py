"""What the tasks of a run gave, and why those that failed did, down to the task that raised.

A for-each task and a run-job task have no error of their own: it is in an iteration, or in a task of another run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import anyio

from prefect_databricks_runs.errors import DatabricksConnectionError, DatabricksError
from prefect_databricks_runs.hook import DatabricksHook
from prefect_databricks_runs.report import Logger
from prefect_databricks_runs.runs import Run, RunOutput, RunTask

T = TypeVar("T")

_SECONDS = 300.0
_AT_ONCE = 8
_MAX_DEPTH = 3  # of runs that start others; Databricks allows no more
_LINK_SECONDS = 5.0
_LINK_PAUSE_SECONDS = 60.0  # until a link that could not be read is asked for again


class OutputReader:
    """Reads the outputs of one run; how a run ended that is over must not hang on them.

    Args:
        hook: Where to read them.
        logger: Where it is said what could not be read.
    """

    def __init__(self, hook: DatabricksHook, logger: Logger) -> None:
        self._hook = hook
        self._logger = logger
        self._known: dict[int, RunOutput] = {}
        self._next_try: dict[int, float] = {}

    async def with_links(self, run: Run) -> Run:
        """The run as it goes on, its run-job tasks with the runs that they have started.

        Args:
            run: The run as it is.
        """
        started = [each for each in run.tasks.values() if each.is_run_job and each.start_time]
        now = self._hook.clock.monotonic()
        unread = [
            each
            for each in started
            if each.run_id not in self._known
            and not each.state.is_terminal
            and self._next_try.get(each.run_id, now) <= now
        ]
        if unread:
            # The run is not watched meanwhile, and this is done at each of its changes.
            self._next_try |= {each.run_id: now + _LINK_PAUSE_SECONDS for each in unread}
            with anyio.move_on_after(_LINK_SECONDS):
                await self._read_all(unread, quiet=True)
        return run.with_outputs(self._outputs(started))

    async def with_outputs(self, run: Run, *, every_task: bool) -> Run:
        """The run that is over, with its outputs and with why its failed tasks did.

        Args:
            run: The run as it ended.
            every_task: Whether to read the outputs of all its tasks; those of failed ones are always read.
        """
        wanted = [task for task in (run.tasks.values() if every_task else run.failed_tasks) if _has_output(task)]
        with anyio.move_on_after(_SECONDS):
            await self._read_all(wanted)
        run = run.with_outputs(self._outputs(run.tasks.values()))
        with anyio.move_on_after(_SECONDS):
            run = await self._explained(run, _MAX_DEPTH)
        unread = sum(task.run_id not in self._known for task in wanted)
        if unread:
            self._logger.warning(
                "%d of %d outputs of Databricks run %d could not be read.", unread, len(wanted), run.run_id
            )
        return run

    def _outputs(self, tasks: Iterable[RunTask]) -> Mapping[str, RunOutput]:
        return {task.task_key: self._known[task.run_id] for task in tasks if task.run_id in self._known}

    async def _read_all(self, tasks: Iterable[RunTask], *, quiet: bool = False) -> None:
        limiter = anyio.CapacityLimiter(_AT_ONCE)

        async def read(task: RunTask) -> None:
            async with limiter:
                if not await self._read_output(task, quiet=quiet):
                    together.cancel_scope.cancel()

        async with anyio.create_task_group() as together:
            for task in tasks:
                together.start_soon(read, task)

    async def _read_output(self, task: RunTask, *, quiet: bool = False) -> bool:
        """Read one output; returns whether it is worth trying the next one."""
        try:
            self._known[task.run_id] = await self._hook.get_run_output(task.run_id)
        except DatabricksError as error:
            if not quiet:
                self._logger.warning("The output of task %s could not be read. %s", task.task_key, error)
            return not isinstance(error, DatabricksConnectionError)
        return True

    async def _explained(self, run: Run, depth: int) -> Run:
        """The run, its failed for-each and run-job tasks with the error behind theirs."""
        tasks = dict(run.tasks)
        for task in run.failed_tasks:
            if task.is_for_each:
                tasks[task.task_key] = await self._with_trace(task)
            elif task.is_run_job and task.run_job_run_id and depth:
                child = await self._or_none(self._hook.get_run, task.run_job_run_id)
                if child:
                    await self._read_all(each for each in child.failed_tasks if _has_output(each))
                    child = child.with_outputs(self._outputs(child.tasks.values()))
                    tasks[task.task_key] = replace(task, run_job=await self._explained(child, depth - 1))
        return run.with_tasks(tasks)

    async def _with_trace(self, task: RunTask) -> RunTask:
        """A for-each task, with the error and traceback of an iteration that failed."""
        found = await self._or_none(self._hook.get_run, task.run_id)
        all_failed = [each for each in found.iterations if each.is_failed] if found else []
        # The one that was tried most often: the others may have succeeded at their next attempt.
        failed = max(all_failed, key=lambda each: each.attempt_number, default=None)
        output = await self._or_none(self._hook.get_run_output, failed.run_id) if failed else None
        own = task.output or RunOutput()
        if output is None or own.error_trace:
            return task
        return replace(task, output=replace(own, error=own.error or output.error, error_trace=output.error_trace))

    async def _or_none(self, read: Callable[[int], Awaitable[T]], run_id: int) -> T | None:
        try:
            return await read(run_id)
        except DatabricksError as error:
            self._logger.warning("What is behind a failed task could not be read. %s", error)
            return None


def _has_output(task: RunTask) -> bool:
    return task.start_time > 0 and task.state.life_cycle_state != "SKIPPED"
