"""Every exception of this package.

```text
DatabricksError
├── InvalidCredentials          the block cannot sign in
├── InvalidPayload              also a ValueError: a request body has faults; nothing was sent
├── InvalidOption               also a ValueError: an option of a task or flow is wrong
├── InvalidJob                  also a ValueError: a `Job` has a fault, at the line of your code that made it
├── DatabricksConnectionError   no answer at all
│   └── SignInUnavailable       the token issuer did not answer, or answered without a token
├── InvalidResponse             not an answer of the Jobs API: a page of a proxy, or incomplete JSON
├── DatabricksApiError          an error answered by the Jobs API
│   ├── BadRequest              400
│   ├── Unauthenticated         401, and 403 for a token that is wrong or has expired
│   │   └── SignInFailed        no token: the issuer refused, or something that is needed to get one is missing
│   ├── PermissionDenied        403
│   ├── NotFound                404, and 400 for a run or job that does not exist
│   ├── Conflict                409
│   ├── RateLimited             429
│   └── ServerError             5xx, except 501
├── JobNameError                no job, or several jobs, with that name
├── JobProtected                a saved job that `apply_job` must not change
├── DatabricksUnreachable       polls failed for longer than `max_outage_seconds`; the run may still be active
├── WaitTimeout                 the run had not finished after `max_wait_seconds`
├── RunsFailed                  some of the runs in one wait failed
└── RunFailed                   the run failed
    ├── RunCanceled
    ├── RunTimedOut
    ├── RunSkipped
    └── RunInternalError
```

Every error can be pickled. No error contains a header, a request body or a secret.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._meanings import NO_ANSWER, Meaning, meaning_of
from ._text import identifier, indented, name, one_line, ours, quoted

if TYPE_CHECKING:
    from .runs import Run, RunOutput

# Limits of a message. Everything is in the error's attributes.
_LISTED, _LISTED_RUNS, _REASON_CHARACTERS = 20, 10, 2_000


def _rebuild(cls: type[DatabricksError], args: tuple[Any, ...], attributes: dict[str, Any]) -> DatabricksError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(attributes)
    return error


class DatabricksError(Exception):
    """Base class of every error that this package raises on purpose.

    Attributes:
        outcome_unknown: Whether Databricks may have done what the request asked for, because only the answer was lost.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, DatabricksError, wait_for_run

        databricks = DatabricksCredentials.from_environment()
        try:
            wait_for_run(databricks, run_id=7)
        except DatabricksError as error:
            print(error)
        ```
    """

    outcome_unknown = False

    def __init__(self, *args: Any) -> None:
        # The last check: no message contains a control character or a megabyte of text, wherever its parts come from.
        super().__init__(*(ours(each) if isinstance(each, str) else each for each in args))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes. The default calls `__init__` with the message alone."""
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidCredentials(DatabricksError):
    """A `DatabricksCredentials` block or a connection string cannot sign in.

    Not a `ValueError`: pydantic would wrap it in its own error, and Prefect in another one when it loads a block.
    """


class InvalidPayload(DatabricksError, ValueError):
    """Databricks would refuse this request body, or silently misread it. Nothing was sent.

    Attributes:
        faults: All faults, one sentence each.
        endpoint: The endpoint of the request, such as `runs/submit`.
    """

    def __init__(self, faults: Sequence[str], endpoint: str) -> None:
        self.faults = tuple(faults)
        self.endpoint = endpoint
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listed = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"The {endpoint} request was not sent, because it has {count}:\n{listed}")


class InvalidOption(DatabricksError, ValueError):
    """An option of a task or flow does not exist or has a wrong value. Nothing was sent.

    Attributes:
        faults: All faults, one sentence each.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(self.faults))


class InvalidJob(DatabricksError, ValueError):
    """A `Job`, or what was passed to `prefect-databricks-runs apply`, has a fault; nothing was sent.

    Attributes:
        file: The file of the call that has the fault; empty if it is not known.
        line: The line of the call; 0 if it is not known.
    """

    def __init__(self, fault: str, file: str = "", line: int = 0) -> None:
        self.file, self.line = file, line
        super().__init__(f"{file}:{line}: {fault}" if file else fault)


class DatabricksConnectionError(DatabricksError):
    """The workspace did not answer: connection refused or lost, name not found, timeout.

    Attributes:
        host: The workspace's address.
        method: HTTP method of the request.
        path: Path of the request.
    """

    def __init__(self, reason: str, *, host: str, method: str, path: str) -> None:
        self.host, self.method, self.path = host, method, path
        advice = meaning_of(type(self), NO_ANSWER).advice
        super().__init__(f"No answer from {host} to {method} {path}: {one_line(reason)}. {advice}")


class SignInUnavailable(DatabricksConnectionError):
    """The token issuer did not answer, or answered without a token. The outage may pass.

    Nothing was sent to the workspace.

    Attributes:
        host: The issuer's address, such as the workspace itself or Microsoft Entra ID.
        retry_after: Seconds to wait that the answer asked for, or None.
    """

    def __init__(self, reason: str, *, host: str, method: str, path: str, retry_after: float | None = None) -> None:
        super().__init__(reason, host=host, method=method, path=path)
        self.retry_after = retry_after
        advice = meaning_of(type(self), NO_ANSWER).advice
        self.args = (ours(f"No token from {host} ({method} {path}): {one_line(reason)}. {advice}"),)


class InvalidResponse(DatabricksError):
    """The answer from the workspace's address is not an answer of the Jobs API.

    Attributes:
        host: The workspace's address.
        method: HTTP method of the request.
        path: Path of the request.
        status_code: HTTP status of the answer.
    """

    def __init__(self, reason: str, *, host: str, method: str, path: str, status_code: int) -> None:
        self.host, self.method, self.path, self.status_code = host, method, path, status_code
        super().__init__(
            f"{host} answered {method} {path} with status {status_code} and {one_line(reason)}, which is not an answer "
            f"of the Databricks Jobs API. {self.meaning.advice}"
        )

    @property
    def meaning(self) -> Meaning:
        """The known effect of the request, and whether to send it again."""
        return meaning_of(type(self), self.status_code)


class DatabricksApiError(DatabricksError):
    """The Jobs API answered with an error. The classes below are for common ones.

    Attributes:
        status_code: HTTP status.
        error_code: Databricks' own code, such as `INVALID_PARAMETER_VALUE`; empty when the answer had none.
        message: Databricks' own message.
        request_id: The id to send to Databricks support, or None.
        method: HTTP method of the request.
        path: Path of the request.
        retry_after: Seconds to wait that the answer asked for, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        error_code: str = "",
        request_id: str | None = None,
        method: str,
        path: str,
        retry_after: float | None = None,
        advice: str = "",
    ) -> None:
        self.message = one_line(message)
        self.status_code = status_code
        self.error_code = identifier(error_code)
        self.request_id = identifier(request_id) if request_id else request_id
        self.method, self.path = method, path
        self.retry_after = retry_after
        code = f"{status_code} {self.error_code}".strip()
        request = f" (request id {self.request_id})" if request_id else ""
        sentence = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        advice = advice or self.meaning.advice
        super().__init__(f"Databricks answered {code} to {method} {path}: {sentence} {advice}{request}")

    @property
    def meaning(self) -> Meaning:
        """The known effect of the request, and whether to send it again."""
        return meaning_of(type(self), self.status_code, self.error_code)


class BadRequest(DatabricksApiError):
    """400: Databricks did not accept the request."""


class Unauthenticated(DatabricksApiError):
    """401, or 403 for a bad token: Databricks does not know the caller."""


class SignInFailed(Unauthenticated):
    """Could not get a token: the issuer refused, or something is missing where the flow runs.

    Nothing was sent to the Jobs API.

    Attributes:
        source: The token's source: an address, a file, a variable or a command.
        status_code: HTTP status of the issuer's answer; 401 if the issuer was not asked.
        error_code: The issuer's own code, such as `invalid_client`; may be empty.
        message: The issuer's own message, or what is missing.
    """

    def __init__(self, reason: str, *, source: str, advice: str, status_code: int = 401, error_code: str = "") -> None:
        super().__init__(reason, status_code=status_code, error_code=error_code, method="", path="")
        self.source = source
        code = f"{self.error_code}: " if self.error_code else ""
        sentence = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        self.args = (ours(f"No token from {source}: {code}{sentence} {advice}"),)


class PermissionDenied(DatabricksApiError):
    """403: the user or service principal may not do this."""


class NotFound(DatabricksApiError):
    """404, or 400 for something that does not exist: an unknown or deleted run or job."""


class Conflict(DatabricksApiError):
    """409: another change to the same job or run is in progress."""


class RateLimited(DatabricksApiError):
    """429: too many requests."""


class ServerError(DatabricksApiError):
    """5xx, except 501: Databricks, or a proxy in front of it, failed."""


class JobNameError(DatabricksError):
    """No job, or more than one job, has the name `job_name`.

    Attributes:
        job_name: The name that was searched for.
        job_ids: The jobs with this name; empty if there are none.
    """

    def __init__(self, job_name: str, job_ids: Sequence[int], advice: str = "") -> None:
        self.job_name, self.job_ids = job_name, tuple(job_ids)
        if job_ids:
            listed = ", ".join(str(job_id) for job_id in job_ids)
            advice = advice or "Pass `job_id` instead of `job_name`."
            text = f"{len(job_ids)} jobs are named {quoted(job_name)} (ids {listed}). {advice}"
        else:
            text = (
                f"No job is named {job_name!r}, or these credentials may not see it. "
                "Check the spelling (upper and lower case do not matter) and the job's permissions."
            )
        super().__init__(text)


class JobProtected(DatabricksError):
    """A saved job that `apply_job` must not change: it belongs to a bundle, is locked, or was made by other means.

    Attributes:
        job_id: The job.
        job_name: Its name.
    """

    def __init__(self, job_id: int, job_name: str, reason: str) -> None:
        self.job_id, self.job_name = job_id, job_name
        super().__init__(f"Databricks job {job_id} {quoted(job_name)} was not changed: {reason}")


class DatabricksUnreachable(DatabricksError):
    """Every poll failed for longer than `max_outage_seconds`. The run may still be active.

    Attributes:
        run_id: The run.
        seconds: How long polls had failed.
        url: The run's page.
        answered: Whether there were answers, such as refusals or pages of a proxy. If so, the run keeps running.
            Without any answer, the run is cancelled if the workspace accepts that request.
    """

    def __init__(self, *, run_id: int, seconds: float, url: str, reason: str, answered: bool = False) -> None:
        self.run_id, self.seconds, self.url, self.answered = run_id, seconds, url, answered
        super().__init__(
            f"Databricks run {run_id} could not be read for {seconds:.0f} s. The run may still be active. See {url}. "
            f"The last error was: {one_line(reason, _REASON_CHARACTERS)}"
        )


class WaitTimeout(DatabricksError):
    """The run had not finished after `max_wait_seconds`.

    Attributes:
        run_id: The run.
        max_wait_seconds: The limit.
        url: The run's page.
        state: The run's state at that time.
    """

    def __init__(self, *, run_id: int, max_wait_seconds: float, url: str, state: str, others: int = 0) -> None:
        self.run_id, self.max_wait_seconds, self.url, self.state = run_id, max_wait_seconds, url, state
        more = f" (and {others} more with it)" if others else ""
        limit = f"max_wait_seconds={max_wait_seconds:g}"
        super().__init__(
            f"Databricks run {run_id}{more} was still {name(state)} after {limit}, so it "
            f"is being cancelled. Allow more time, or find out what the run waits for. See {url}."
        )


class RunFailed(DatabricksError):
    """The run failed.

    Attributes:
        run: The run as last read, with the outputs of its failed tasks.
        errors: The output of each failed task, by `task_key`; for the runs that run-job tasks started, by
            `task_key/task_key`. `.error` and `.error_trace` are the words of Databricks.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, RunFailed, submit_run_and_wait

        databricks = DatabricksCredentials.from_environment()
        try:
            submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/broken"})
        except RunFailed as failed:
            print(failed.run.url, failed.errors["main"].error)
        ```
    """

    what, state_name = "failed", "Failed"

    def __init__(self, run: Run) -> None:
        self.run = run
        named = f" {quoted(run.run_name)}" if run.run_name else ""
        state = "" if run.state.name == self.state_name else f" ({run.state.name})"  # where it adds something
        lines = [
            f"Databricks run {run.run_id}{named} {self.what}{state}.",
            *self._reasons(),
            f"See {run.url}",
        ]
        super().__init__("\n".join(line for line in lines if line))

    @property
    def errors(self) -> Mapping[str, RunOutput]:
        """The outputs of the failed tasks, by `task_key` or `task_key/task_key`."""
        return {name: task.output for name, task in self.run.failures.items() if task.output}

    def _reasons(self) -> list[str]:
        failed = self.run.failed_tasks
        lines = [f"Task {name(task.task_key)}: {indented(task.reason or task.state.name)}" for task in failed[:_LISTED]]
        more = [f"{len(failed) - _LISTED} more tasks failed."] if len(failed) > _LISTED else []
        explanation = indented(self.run.explanation)
        # Indented, because its beginning comes from outside.
        return [f"    {explanation}" if explanation else "", *lines, *more]


class RunCanceled(RunFailed):
    """The run was cancelled, in Databricks or by this package."""

    what, state_name = "was cancelled", "Canceled"


class RunTimedOut(RunFailed):
    """Databricks stopped the run at its `timeout_seconds`."""

    what, state_name = "was stopped at its timeout", "TimedOut"


class RunSkipped(RunFailed):
    """Databricks never started the run: the job's `max_concurrent_runs` was reached."""

    what, state_name = "was skipped", "Skipped"


class RunInternalError(RunFailed):
    """The Jobs service failed, not the user's code."""

    what, state_name = "hit an internal Databricks error", "InternalError"


class RunsFailed(DatabricksError):
    """Some of the runs in one wait failed.

    Attributes:
        runs: The finished runs, in the order of `run_ids`, including the ones that succeeded.
        errors: The failure of each other run, by `run_id`: a `RunFailed`, or the error of reading the run.
        going: The `run_id` of each run that was still active when the wait ended.
        cancelled: The runs in `going` that Databricks was asked to cancel, and that are about to end.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, RunsFailed, submit_run, wait_for_runs

        @flow
        def both():
            databricks = DatabricksCredentials.from_environment()
            paths = ["/Shared/nightly", "/Shared/broken"]
            run_ids = [submit_run(databricks, notebook_task={"notebook_path": path}) for path in paths]
            try:
                return wait_for_runs(databricks, run_ids)
            except RunsFailed as failed:
                print(list(failed.errors))
                return failed.runs

        both()
        ```
    """

    def __init__(
        self,
        runs: Sequence[Run],
        errors: Mapping[int, DatabricksError],
        going: Sequence[int] = (),
        cancelled: Collection[int] = (),
    ) -> None:
        self.runs, self.errors, self.going = tuple(runs), dict(errors), tuple(going)
        self.cancelled = tuple(run_id for run_id in going if run_id in cancelled)
        total = len({run.run_id for run in runs} | set(errors) | set(going))
        lines = [f"{len(errors)} of {total} Databricks runs failed."]
        lines += [one_line(str(error), _REASON_CHARACTERS) for error in list(errors.values())[:_LISTED_RUNS]]
        if len(errors) > _LISTED_RUNS:
            lines.append(f"{len(errors) - _LISTED_RUNS} more are in `errors`.")
        still_active = [run_id for run_id in going if run_id not in self.cancelled]
        for run_ids, becomes in ((self.cancelled, "being cancelled"), (still_active, "not cancelled")):
            if run_ids:
                listed = ", ".join(map(str, run_ids[:_LISTED_RUNS]))
                more = f" and {len(run_ids) - _LISTED_RUNS} more" if len(run_ids) > _LISTED_RUNS else ""
                lines.append(f"Still active when the wait ended, and {becomes}: {listed}{more}.")
        super().__init__("\n".join(lines))
