"""The records that the local workspace keeps of jobs, runs and tasks.

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
        job_id: The id.
        sequence: 1 for the first job of the workspace, and so on.
        settings: Its settings, checked and without defaults. A change replaces them as a whole, so that runs can keep
            the settings that they were started with.
        created_time: The time of creation, in ms since 1970.
        queues_by_default: Whether its runs are queued if its settings do not say so.
        creator_user_name: The user that created it.
        grants: Its permissions: the permission level of each principal, which is a kind and a name.
        deleted: Whether it was deleted.
    """

    job_id: int
    sequence: int
    settings: dict[str, Any]
    created_time: int
    queues_by_default: bool
    creator_user_name: str = ""
    grants: dict[tuple[str, str], str] = field(default_factory=dict)
    deleted: bool = False

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.settings.get("name", "Untitled"))

    @property
    def max_concurrent_runs(self) -> int:
        """The number of runs of the job that may be active at once; with 0, every run is skipped."""
        return int(self.settings.get("max_concurrent_runs", 1))

    @property
    def queue_enabled(self) -> bool:
        """Whether runs above `max_concurrent_runs` are queued (True) or skipped (False)."""
        queue = self.settings.get("queue")
        return self.queues_by_default if queue is None else bool(queue.get("enabled", True))

    @property
    def runs_continuously(self) -> bool:
        """Whether it is a continuous job that is not paused."""
        continuous = self.settings.get("continuous")
        return continuous is not None and continuous.get("pause_status", "UNPAUSED") == "UNPAUSED"

    @property
    def run_as_user_name(self) -> str:
        """The user or service principal that the job runs as."""
        run_as: dict[str, str] = self.settings.get("run_as", {})
        names = (run_as.get(kind) for kind in ("user_name", "service_principal_name", "group_name"))
        return next((name for name in names if name), self.creator_user_name)


@dataclass(frozen=True)
class Output:
    """The output of a task.

    Attributes:
        result: The value of `dbutils.notebook.exit`; None when it was not called.
        result_truncated: Whether `result` was cut.
        values: The task values that were set, by key.
        error: The last line of the traceback, or an error before the code ran; None without an error.
        error_trace: The traceback; None without one.
        logs: The end of the output to stdout and stderr; None for task types without logs.
        logs_truncated: Whether the beginning of `logs` was cut.
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
    """The ending of a task or a run: its last state, the state message, and the output of a task."""

    state: State
    message: str = ""
    output: Output = NO_OUTPUT


@dataclass
class Timed:
    """The state and the times that runs and tasks share.

    Times are in ms since 1970, 0 = not yet; durations are in ms.
    """

    state: State = states.PENDING
    message: str = text("waiting_for_cluster")
    start_time: int = 0
    running_since: int = 0
    terminating_since: int = 0
    end_time: int = 0
    queue_duration: int = 0

    def wait(self, now: int) -> None:
        """Pass to PENDING: the run or task waits only for compute."""
        self.start_time = self.start_time or now
        self.state, self.message = states.PENDING, text("waiting_for_cluster")

    def run(self, now: int) -> None:
        """Pass from PENDING to RUNNING; in any other state do nothing."""
        if self.state is not states.PENDING:
            return
        self.running_since = now
        self.state, self.message = states.RUNNING, text("in_run")

    def end(self, ending: Ending, now: int) -> None:
        """Pass to the last state."""
        self.state, self.message, self.end_time = ending.state, ending.message, now

    @property
    def setup_duration(self) -> int:
        """The time from the start until it ran, without the time in a queue, in ms; 0 until it runs."""
        return self.running_since - self.start_time - self.queue_duration if self.running_since else 0

    @property
    def execution_duration(self) -> int:
        """The time for which it ran, in ms; 0 while it runs."""
        return (self.terminating_since or self.end_time) - self.running_since if self._ran else 0

    @property
    def cleanup_duration(self) -> int:
        """The time from the end of its work until its end, in ms; 0 while it runs."""
        return self.end_time - self.terminating_since if self._ran and self.terminating_since else 0

    @property
    def _ran(self) -> bool:
        return bool(self.end_time and self.running_since)


@dataclass
class TaskRecord(Timed):
    """One attempt at one task of a run, or at one iteration of a for-each task.

    Attributes:
        run_id: The id of this task run.
        settings: The task as it was submitted, checked; for an iteration, the nested task.
        attempt_number: 0 for the first attempt, and so on.
        retries: The number of earlier attempts since the run, or its latest repair, began.
        original_attempt_run_id: The id of the first attempt.
        output: Its output, when it has ended.
        source: The source of its notebook when the attempt began; None before that, and for other tasks.
        outcome: The outcome of a condition task, `true` or `false`; None until it is known.
        child_run_id: The id of the run that a run-job task started; None until then.
        resolved: The settings with resolved references, as in `resolved_values`; None until they are resolved.
        inputs: The inputs of a for-each task; None until they are resolved.
        iterations: The attempts at the iterations of a for-each task, in the order in which they began.
        queued_since: The time since when it is queued, in ms since 1970; 0 when it is not queued.
        input: The input of an iteration.
        parent: The for-each task's attempt that an iteration belongs to.
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
        """The task's timeout in seconds; 0 = no timeout."""
        return int(self.settings.get("timeout_seconds", 0))


@dataclass
class RepairRecord(Timed):
    """The original run of the tasks, or a repair.

    Attributes:
        repair_id: The repair's id; None for the original run.
        overrides: The parameters of the repair, or of `run-now` for the original run.
        tasks: The attempts at tasks in it.
    """

    repair_id: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    tasks: list[TaskRecord] = field(default_factory=list)


@dataclass
class RunRecord(Timed):
    """One run of a job, or one submitted run.

    Attributes:
        run_id: The id.
        sequence: 1 for the first run of the workspace, and so on.
        job_id: The job's id. A submitted run has its own job id, which has permissions but no job.
        run_name: The name.
        settings: The body of `runs/submit`, or the settings of the job.
        overrides: The parameters of `run-now`, or of the latest repair; empty for a submitted run.
        job: The job; None for a submitted run.
        tasks: All attempts at its tasks, in the order in which they were made.
        current: The latest attempt at each task, by task key.
        history: The original run and the repairs, in order.
        trigger: The trigger, such as `ONE_TIME`.
        parent: The run with the run-job task that started it; None without one.
        idempotency_token: The token that it was started with; None without one.
        creator_user_name: The user that started it.
        grants: The permissions of a submitted run; see `JobRecord`.
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
    grants: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def run_type(self) -> str:
        """The `run_type`: of a job, or submitted."""
        return "JOB_RUN" if self.job else "SUBMIT_RUN"

    @property
    def timeout_seconds(self) -> int:
        """The run's timeout in seconds; 0 = no timeout."""
        settings = self.job.settings if self.job else self.settings
        return int(settings.get("timeout_seconds", 0))

    @property
    def parameter_defaults(self) -> dict[str, str]:
        """The defaults of the job's parameters, by name."""
        return {parameter["name"]: parameter["default"] for parameter in self.settings.get("parameters", [])}

    @property
    def parameter_overrides(self) -> dict[str, str]:
        """The job parameters in the request of `run-now`, by name."""
        given: dict[str, str] = self.overrides.get("job_parameters", {})
        return given

    @property
    def job_parameters(self) -> dict[str, str]:
        """The job parameters by name: the defaults, replaced by the parameters of `run-now`."""
        return {**self.parameter_defaults, **self.parameter_overrides}
