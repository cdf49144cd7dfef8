"""What the local workspace remembers of jobs, runs and tasks.

Records change only in the event loop of the server's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import states
from .states import State
from .texts import text


@dataclass(frozen=True)
class JobRecord:
    """A job made with `jobs/create`.

    Attributes:
        job_id: its id.
        sequence: 1 for the first job of the workspace, and so on.
        settings: the body of `jobs/create`, checked.
        created_time: ms since 1970.
        queue_enabled: whether runs above `max_concurrent_runs` wait (True) or are skipped (False).
        creator_user_name: who made it.
    """

    job_id: int
    sequence: int
    settings: dict[str, Any]
    created_time: int
    queue_enabled: bool
    creator_user_name: str

    @property
    def max_concurrent_runs(self) -> int:
        """How many runs of the job may be active at once; 0 means that every run is skipped."""
        return int(self.settings.get("max_concurrent_runs", 1))


@dataclass
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


@dataclass(frozen=True)
class Ending:
    """How a task or a run ended: its last state, the state message, and for a task what it left behind."""

    state: State
    message: str = ""
    output: Output = field(default_factory=Output)


@dataclass
class Timed:
    """What runs and tasks share: where they stand, and since when. All times are ms since 1970, 0 = not yet."""

    state: State = states.PENDING
    message: str = text("waiting_for_cluster")
    start_time: int = 0
    running_since: int = 0
    end_time: int = 0

    def wait(self, now: int) -> None:
        """Passes to PENDING: nothing but compute is missing."""
        self.start_time = self.start_time or now
        self.state, self.message = states.PENDING, text("waiting_for_cluster")

    def run(self, now: int) -> None:
        """Passes from PENDING to RUNNING; in any other state nothing changes."""
        if self.state is not states.PENDING:
            return
        self.running_since = now
        self.state, self.message = states.RUNNING, text("in_run")

    def end(self, ending: Ending, now: int) -> None:
        """Passes to its last state."""
        self.state, self.message, self.end_time = ending.state, ending.message, now

    @property
    def setup_duration(self) -> int:
        """The time from the start until it ran, in ms; 0 until then."""
        return self.running_since - self.start_time if self.running_since else 0

    @property
    def execution_duration(self) -> int:
        """The time that it ran, in ms; 0 while it runs."""
        return self.end_time - self.running_since if self.end_time and self.running_since else 0


@dataclass
class TaskRecord(Timed):
    """One attempt at one task of a run.

    Attributes:
        run_id: the id of this task run.
        settings: the task as it was submitted, checked.
        output: what it left behind, once it has ended.
    """

    run_id: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    output: Output = field(default_factory=Output)

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
class RunRecord(Timed):
    """One run of a job, or one that was submitted.

    Attributes:
        run_id: its id.
        job_id: the job's id; a submitted run has one of its own that no job answers to.
        run_name: its name.
        settings: the body of `runs/submit`, or the settings of the job.
        overrides: the body of `run-now`; empty for a submitted run.
        job: the job that is run; None for a submitted run.
        tasks: its tasks.
        idempotency_token: the token it was started with; None when there was none.
        queue_duration: how long it waited, ms.
        creator_user_name: who started it.
    """

    run_id: int = 0
    job_id: int = 0
    run_name: str = "Untitled"
    settings: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)
    job: JobRecord | None = None
    tasks: list[TaskRecord] = field(default_factory=list)
    idempotency_token: str | None = None
    queue_duration: int = 0
    creator_user_name: str = ""

    @property
    def timeout_seconds(self) -> int:
        """The run's time-out in seconds; 0 = none."""
        return int(self.settings.get("timeout_seconds", 0))

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
