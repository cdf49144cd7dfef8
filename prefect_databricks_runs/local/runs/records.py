"""What the local workspace remembers of jobs, runs and tasks.

Records change only in the event loop of the server's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..texts import text
from . import states
from .states import State


@dataclass
class JobRecord:
    """A job made with `jobs/create`.

    Attributes:
        job_id: its id.
        sequence: 1 for the first job of the workspace, and so on.
        settings: its settings, checked, without what is filled in when they are read. A change replaces them as a
            whole, so that runs can keep those that they were started with.
        created_time: ms since 1970.
        queues_by_default: whether its runs wait when its settings do not say so.
        creator_user_name: who made it.
        access_control_list: who may do what with it, as `jobs/create` was told.
        deleted: whether it was deleted.
    """

    job_id: int
    sequence: int
    settings: dict[str, Any]
    created_time: int
    queues_by_default: bool
    creator_user_name: str = ""
    access_control_list: list[dict[str, Any]] = field(default_factory=list)
    deleted: bool = False

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.settings.get("name", "Untitled"))

    @property
    def max_concurrent_runs(self) -> int:
        """How many runs of the job may be active at once; 0 means that every run is skipped."""
        return int(self.settings.get("max_concurrent_runs", 1))

    @property
    def queue_enabled(self) -> bool:
        """Whether runs above `max_concurrent_runs` wait (True) or are skipped (False)."""
        queue = self.settings.get("queue")
        return self.queues_by_default if queue is None else bool(queue.get("enabled", True))

    @property
    def run_as_user_name(self) -> str:
        """In whose name its runs are."""
        run_as: dict[str, str] = self.settings.get("run_as", {})
        names = (run_as.get(kind) for kind in ("user_name", "service_principal_name", "group_name"))
        return next((name for name in names if name is not None), self.creator_user_name)


@dataclass(frozen=True)
class Output:
    """What a task left behind.

    Attributes:
        result: the value of `dbutils.notebook.exit`; None when it was not called.
        result_truncated: whether `result` was cut.
        values: the task values that were set, by key.
        error: the last line of the traceback, or what went wrong before there was one; None when nothing did.
        error_trace: the traceback; None when there is none.
        logs: the end of what was written to stdout and stderr; None for tasks whose logs are not given.
        logs_truncated: whether the beginning of `logs` was cut.
    """

    result: str | None = None
    result_truncated: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    error_trace: str | None = None
    logs: str | None = None
    logs_truncated: bool = False


NO_OUTPUT = Output()


@dataclass(frozen=True)
class Ending:
    """How a task or a run ended: its last state, the state message, and for a task what it left behind."""

    state: State
    message: str = ""
    output: Output = NO_OUTPUT


@dataclass
class Timed:
    """What runs and tasks share: where they stand, and since when.

    Times are ms since 1970, 0 = not yet; durations are ms.
    """

    state: State = states.PENDING
    message: str = text("waiting_for_cluster")
    start_time: int = 0
    running_since: int = 0
    terminating_since: int = 0
    end_time: int = 0
    queue_duration: int = 0

    def wait(self, now: int) -> None:
        """Pass to PENDING: nothing but compute is missing."""
        self.start_time = self.start_time or now
        self.state, self.message = states.PENDING, text("waiting_for_cluster")

    def run(self, now: int) -> None:
        """Pass from PENDING to RUNNING; in any other state nothing changes."""
        if self.state is not states.PENDING:
            return
        self.running_since = now
        self.state, self.message = states.RUNNING, text("in_run")

    def end(self, ending: Ending, now: int) -> None:
        """Pass to its last state."""
        self.state, self.message, self.end_time = ending.state, ending.message, now

    @property
    def setup_duration(self) -> int:
        """The time from the start until it ran, without that in a queue, in ms; 0 until then."""
        return self.running_since - self.start_time - self.queue_duration if self.running_since else 0

    @property
    def execution_duration(self) -> int:
        """The time that it ran, in ms; 0 while it runs."""
        return (self.terminating_since or self.end_time) - self.running_since if self._ran else 0

    @property
    def cleanup_duration(self) -> int:
        """The time from when its work was over until its end, in ms; 0 while it runs."""
        return self.end_time - self.terminating_since if self._ran and self.terminating_since else 0

    @property
    def _ran(self) -> bool:
        return bool(self.end_time and self.running_since)


@dataclass
class TaskRecord(Timed):
    """One attempt at one task of a run, or at one iteration of a for-each task.

    Attributes:
        run_id: the id of this task run.
        settings: the task as it was submitted, checked; of an iteration, the nested task.
        attempt_number: 0 for the first attempt, and so on.
        retries: how many attempts were made before this one since the run, or its latest repair, began.
        original_attempt_run_id: the id of the first attempt.
        output: what it left behind, once it has ended.
        source: the text of its notebook, as it was when the attempt began; None before, and for other tasks.
        outcome: of a condition task, `true` or `false`; None before.
        child_run_id: of a run-job task, the run that it started; None before.
        resolved: its settings with references resolved, as `resolved_values` shows them; None before.
        inputs: of a for-each task, what it goes through; None before.
        iterations: of a for-each task, the attempts at its iterations, in the order in which they began.
        queued_since: since when it waits for a place, ms since 1970; 0 when it does not.
        input: of an iteration, its input.
        parent: of an iteration, the for-each task's attempt.
    """

    run_id: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    attempt_number: int = 0
    retries: int = 0
    original_attempt_run_id: int = 0
    output: Output = NO_OUTPUT
    source: str | None = None
    outcome: str | None = None
    child_run_id: int | None = None
    resolved: dict[str, Any] | None = None
    inputs: list[Any] | None = None
    iterations: list[TaskRecord] | None = None
    queued_since: int = 0
    input: Any = None
    parent: TaskRecord | None = None

    @property
    def task_key(self) -> str:
        """The task's key."""
        return str(self.settings["task_key"])

    @property
    def upstream(self) -> list[str]:
        """The keys of the tasks that it depends on."""
        return [dependency["task_key"] for dependency in self.settings.get("depends_on", [])]

    @property
    def timeout_seconds(self) -> int:
        """The task's time-out in seconds; 0 = none."""
        return int(self.settings.get("timeout_seconds", 0))


@dataclass
class RepairRecord(Timed):
    """The first go at a run's tasks, or a repair of them.

    Attributes:
        repair_id: the repair's id; None for the first go.
        overrides: the parameters that came with the repair; those of `run-now` for the first go.
        tasks: the attempts at tasks that were made in it.
    """

    repair_id: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    tasks: list[TaskRecord] = field(default_factory=list)


@dataclass
class RunRecord(Timed):
    """One run of a job, or one that was submitted.

    Attributes:
        run_id: its id.
        sequence: 1 for the first run of the workspace, and so on.
        job_id: the job's id; a submitted run has one of its own that no job answers to.
        run_name: its name.
        settings: the body of `runs/submit`, or the settings of the job.
        overrides: the parameters of `run-now`, or of the latest repair; empty for a submitted run.
        job: the job that is run; None for a submitted run.
        tasks: all attempts at its tasks, in the order in which they were made.
        current: the latest attempt at each task, by task key.
        history: the first go and the repairs, in order.
        trigger: such as `ONE_TIME`.
        parent: the run with the run-job task that started it; None without one.
        idempotency_token: the token it was started with; None when there was none.
        creator_user_name: who started it.
    """

    run_id: int = 0
    sequence: int = 0
    job_id: int = 0
    run_name: str = "Untitled"
    settings: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    job: JobRecord | None = None
    tasks: list[TaskRecord] = field(default_factory=list)
    current: dict[str, TaskRecord] = field(default_factory=dict)
    history: list[RepairRecord] = field(default_factory=list)
    trigger: str = "ONE_TIME"
    parent: RunRecord | None = None
    idempotency_token: str | None = None
    creator_user_name: str = ""

    @property
    def run_type(self) -> str:
        """Whether it is a run of a job."""
        return "JOB_RUN" if self.job else "SUBMIT_RUN"

    @property
    def timeout_seconds(self) -> int:
        """The run's time-out in seconds; 0 = none."""
        settings = self.job.settings if self.job else self.settings
        return int(settings.get("timeout_seconds", 0))

    @property
    def parameter_defaults(self) -> dict[str, str]:
        """The defaults of the job's parameters, by name."""
        return {parameter["name"]: parameter["default"] for parameter in self.settings.get("parameters", [])}

    @property
    def parameter_overrides(self) -> dict[str, str]:
        """The job parameters that `run-now` gave, by name."""
        given: dict[str, str] = self.overrides.get("job_parameters", {})
        return given

    @property
    def job_parameters(self) -> dict[str, str]:
        """The job's parameters by name, those of `run-now` over the defaults."""
        return {**self.parameter_defaults, **self.parameter_overrides}
