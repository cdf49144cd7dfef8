"""The kinds of work on a task: simulated, a child process, a condition, iterations, or another job."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from ..bodies.bodies import TASK_TYPES
from ..texts import text
from ..web.errors import ApiError
from . import states
from .attempts import CANCELED, Going, Progress, Work, internal_error
from .composed import CannotRunError, Decided, ForEachWork, JobStarter, RunJobWork, compare, read_inputs
from .records import Ending, RunRecord, TaskRecord
from .references import References, UnresolvedReferenceError
from .simulation import SimulatedWork, Simulation
from .workshop import Workshop


class Works:
    """Begin the work on attempts.

    Args:
        simulation: The tasks to simulate.
        workshop: Really runs the other tasks.
        references: Returns the values that a task's strings can refer to.
    """

    def __init__(
        self, simulation: Simulation, workshop: Workshop, references: Callable[[RunRecord, TaskRecord], References]
    ) -> None:
        self._simulation = simulation
        self._workshop = workshop
        self._references = references
        # The engine sets it, because the engine is made with this object.
        self.starter: JobStarter | None = None

    def begin(self, going: Going, task: TaskRecord, progress: Progress) -> Work:
        """Begin the work on one attempt."""
        try:
            course = self._simulation.course(going.run, task)
            if course:
                task.outcome = course.outcome or None
                return SimulatedWork(going.clock, course, progress)
            return self._begin_real(going, task, progress)
        except CannotRunError as error:
            return Decided(going.clock, progress, error.ending)
        except (UnresolvedReferenceError, ApiError) as error:
            ending = CannotRunError(states.INVALID_CONFIGURATION, str(error)).ending
            return Decided(going.clock, progress, ending)
        except Exception as error:  # a bug in a script that is a function, or in this package
            return Decided(going.clock, progress, internal_error(going.run, task, error))

    def _begin_real(self, going: Going, task: TaskRecord, progress: Progress) -> Work:
        resolve = self._references(going.run, task).resolve
        if "condition_task" in task.settings:
            task.resolved = resolve(task.settings["condition_task"])
            task.outcome = "true" if compare(task.resolved) else "false"
            return Decided(going.clock, progress, Ending(states.SUCCESS))
        if "for_each_task" in task.settings:
            settings = task.settings["for_each_task"]
            task.resolved = {"inputs": resolve(settings["inputs"])}
            task.inputs, task.iterations = read_inputs(task.resolved["inputs"]), []
            return ForEachWork(going, task, settings.get("concurrency", 1), progress)
        if "run_job_task" in task.settings and self.starter:
            task.resolved = resolve(task.settings["run_job_task"])
            return RunJobWork(going, task, task.resolved, progress, self.starter)
        if "notebook_task" in task.settings or "spark_python_task" in task.settings:
            return ChildWork(going, task, progress, self._workshop, self._references(going.run, task))
        task_type = next(name for name in TASK_TYPES if name in task.settings)
        raise CannotRunError(states.NOT_RUN_HERE, text("not_run_here", task_type=task_type))


class ChildWork:
    """An attempt in a child process.

    Args:
        going: The run.
        task: The attempt.
        progress: Receives the progress.
        workshop: Runs the task.
        references: The values that its strings can refer to.
    """

    def __init__(
        self, going: Going, task: TaskRecord, progress: Progress, workshop: Workshop, references: References
    ) -> None:
        self._going = going
        self._task = task
        self._progress = progress
        self._job = asyncio.ensure_future(workshop.run(going.run, task, references, progress.started))
        self._job.add_done_callback(self._done)

    def stop(self, *, at_once: bool) -> None:  # noqa: ARG002, a child process is always killed at once
        """Kill the child process."""
        self._job.cancel()

    def _done(self, job: asyncio.Task[Ending]) -> None:
        if job.cancelled():
            ending = Ending(CANCELED.state, CANCELED.message, self._task.output)
        elif error := job.exception():
            ending = internal_error(self._going.run, self._task, error)
        else:
            ending = job.result()
        self._going.clock.call_later(0, functools.partial(self._progress.ended, ending))
