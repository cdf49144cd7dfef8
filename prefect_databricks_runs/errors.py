"""Every exception of this package.

```text
DatabricksError
├── InvalidCredentials          the block cannot sign in as it is
├── InvalidPayload              also a ValueError: a request body with faults, found before it was sent
├── InvalidOption               also a ValueError: an option of a task or flow that makes no sense
├── DatabricksConnectionError   no answer at all
│   └── SignInUnavailable       the issuer of tokens gave no answer, or none with a token
├── InvalidResponse             an answer that the Jobs API does not give: a proxy's page, cut-off JSON
├── DatabricksApiError          an error answered by the Jobs API
│   ├── BadRequest              400
│   ├── Unauthenticated         401, and 403 for a token that is wrong or has expired
│   │   └── SignInFailed        no token to sign in with: refused, or what it is made of is missing
│   ├── PermissionDenied        403
│   ├── NotFound                404, and 400 for a run or job that does not exist
│   ├── Conflict                409
│   ├── RateLimited             429
│   └── ServerError             5xx, but for 501
├── JobNameError                no job, or several jobs, of that name
├── DatabricksUnreachable       polls failed for longer than `max_outage_seconds`; the run may still be going
├── WaitTimeout                 the run was not over after `max_wait_seconds`
├── RunsFailed                  of several runs that were waited for together, some did not end well
└── RunFailed                   the run ended, and not well
    ├── RunCanceled
    ├── RunTimedOut
    ├── RunSkipped
    └── RunInternalError
```

All of them pickle, and none of them carries a header, a request body or a secret.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._meanings import NO_ANSWER, Meaning, meaning_of
from ._text import identifier, indented, name, one_line, ours, quoted

if TYPE_CHECKING:
    from .runs import Run, RunOutput

# Of what an error is made of; all of it is in its attributes.
_LISTED, _LISTED_RUNS, _REASON_CHARACTERS = 20, 10, 2_000


def _rebuild(cls: type[DatabricksError], args: tuple[Any, ...], attributes: dict[str, Any]) -> DatabricksError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(attributes)
    return error


class DatabricksError(Exception):
    """Base of everything that this package raises on purpose.

    Attributes:
        outcome_unknown: Whether Databricks may have done what it was asked for all the same: only the answer was lost.
    """

    outcome_unknown = False

    def __init__(self, *args: Any) -> None:
        # The last door: no message of ours has a control character or a megabyte in it, whatever was put into it.
        super().__init__(*(ours(each) if isinstance(each, str) else each for each in args))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes: the default calls `__init__` with the message alone."""
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidCredentials(DatabricksError):
    """A `DatabricksCredentials` block, or a connection string, that cannot sign in as it is.

    Not a `ValueError`, which pydantic would bury in an error of its own, and Prefect in another when a block is loaded.
    """


class InvalidPayload(DatabricksError, ValueError):
    """A request body that Databricks would refuse, or silently misread.

    Attributes:
        faults: One sentence a fault, all that were found.
        endpoint: The endpoint the body was meant for, such as `runs/submit`.
    """

    def __init__(self, faults: Sequence[str], endpoint: str) -> None:
        self.faults = tuple(faults)
        self.endpoint = endpoint
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listed = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"The {endpoint} request was not sent, because it has {count}:\n{listed}")


class InvalidOption(DatabricksError, ValueError):
    """An option of a task or flow that makes no sense, or that there is not; nothing was sent.

    Attributes:
        faults: One sentence a fault, all that were found.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(" ".join(self.faults))


class DatabricksConnectionError(DatabricksError):
    """The workspace gave no answer: connection refused or cut, name not found, time-out.

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
    """The issuer of tokens did not answer, or not with a token: an outage, which may pass.

    Nothing was sent to the workspace.

    Attributes:
        host: The address of the issuer, such as the workspace itself or Microsoft Entra ID.
        retry_after: Seconds that the answer asked to wait, or None.
    """

    def __init__(self, reason: str, *, host: str, method: str, path: str, retry_after: float | None = None) -> None:
        super().__init__(reason, host=host, method=method, path=path)
        self.retry_after = retry_after
        advice = meaning_of(type(self), NO_ANSWER).advice
        self.args = (ours(f"No token from {host} ({method} {path}): {one_line(reason)}. {advice}"),)


class InvalidResponse(DatabricksError):
    """The workspace's address answered with something that is no answer of the Jobs API.

    Attributes:
        host: The workspace's address.
        method: HTTP method of the request.
        path: Path of the request.
        status_code: HTTP status of the answer.
    """

    def __init__(self, reason: str, *, host: str, method: str, path: str, status_code: int) -> None:
        self.host, self.method, self.path, self.status_code = host, method, path, status_code
        super().__init__(
            f"{host} answered {method} {path} with status {status_code} and {one_line(reason)}, which is no answer of "
            f"the Databricks Jobs API. {self.meaning.advice}"
        )

    @property
    def meaning(self) -> Meaning:
        """What is known of the effect, and whether to ask again."""
        return meaning_of(type(self), self.status_code)


class DatabricksApiError(DatabricksError):
    """The Jobs API answered with an error, one of the classes below if it is one of them.

    Attributes:
        status_code: HTTP status.
        error_code: Databricks' own code, such as `INVALID_PARAMETER_VALUE`; empty when the answer had none.
        message: Databricks' own message.
        request_id: What to give Databricks' support, or None.
        method: HTTP method of the request.
        path: Path of the request.
        retry_after: Seconds that the answer asked to wait, or None.
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
        """What is known of the effect, and whether to ask again."""
        return meaning_of(type(self), self.status_code, self.error_code)


class BadRequest(DatabricksApiError):
    """400: Databricks could not accept the request."""


class Unauthenticated(DatabricksApiError):
    """401, or 403 for a bad token: Databricks does not know who is asking."""


class SignInFailed(Unauthenticated):
    """No token to sign in with: its issuer refused, or what it is made of is missing where the flow runs.

    Nothing was sent to the Jobs API.

    Attributes:
        source: Where the token was to come from: an address, a file, a variable or a command.
        status_code: HTTP status of the issuer's answer; 401 where it was not asked.
        error_code: The issuer's own code, such as `invalid_client`; empty if there is none.
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
    """404, or 400 for what does not exist: an unknown run or job, or one that was deleted."""


class Conflict(DatabricksApiError):
    """409: something else is being done to the same thing."""


class RateLimited(DatabricksApiError):
    """429: too many requests."""


class ServerError(DatabricksApiError):
    """5xx, but for 501: Databricks, or a proxy before it, failed."""


class JobNameError(DatabricksError):
    """A `job_name` that names no job, or more than one.

    Attributes:
        job_name: The name that was looked for.
        job_ids: The jobs that have it; empty when none has.
    """

    def __init__(self, job_name: str, job_ids: Sequence[int]) -> None:
        self.job_name, self.job_ids = job_name, tuple(job_ids)
        if job_ids:
            listed = ", ".join(str(job_id) for job_id in job_ids)
            text = f"{len(job_ids)} jobs are named {job_name!r} (ids {listed}). Give `job_id` instead of `job_name`."
        else:
            text = (
                f"No job is named {job_name!r}, or these credentials may not see it. "
                "Check the spelling (upper and lower case do not matter) and the job's permissions."
            )
        super().__init__(text)


class DatabricksUnreachable(DatabricksError):
    """Every poll failed for longer than `max_outage_seconds`. The run may still be going.

    Attributes:
        run_id: The run that was waited for.
        seconds: How long polls had failed.
        url: The run's page.
        answered: Whether there were answers, such as refusals or a proxy's pages. Then the run is left running; without
            any answer it is cancelled, if the workspace takes that.
    """

    def __init__(self, *, run_id: int, seconds: float, url: str, reason: str, answered: bool = False) -> None:
        self.run_id, self.seconds, self.url, self.answered = run_id, seconds, url, answered
        super().__init__(
            f"Databricks run {run_id} could not be read for {seconds:.0f} s. The run may still be going. See {url}. "
            f"The last error was: {one_line(reason, _REASON_CHARACTERS)}"
        )


class WaitTimeout(DatabricksError):
    """The run was not over after `max_wait_seconds`.

    Attributes:
        run_id: The run that was waited for.
        max_wait_seconds: The limit that was set.
        url: The run's page.
        state: How it was.
    """

    def __init__(self, *, run_id: int, max_wait_seconds: float, url: str, state: str, others: int = 0) -> None:
        self.run_id, self.max_wait_seconds, self.url, self.state = run_id, max_wait_seconds, url, state
        more = f" (and {others} more with it)" if others else ""
        limit = f"max_wait_seconds={max_wait_seconds:g}"
        super().__init__(
            f"Databricks run {run_id}{more} was {name(state)}, not over, after {limit}, so it "
            f"is being cancelled. Give it longer, or find out what it waits for. See {url}."
        )


class RunFailed(DatabricksError):
    """The run ended, and not well.

    Attributes:
        run: The run as Databricks gave it last, with the outputs of its failed tasks.
        errors: What went wrong in each failed task, by `task_key`, and in those of the runs that run-job tasks started,
            by `task_key/task_key`; `.error` and `.error_trace` are Databricks' words.
    """

    what, state_name = "failed", "Failed"

    def __init__(self, run: Run) -> None:
        self.run = run
        named = f" {quoted(run.run_name)}" if run.run_name else ""
        state = "" if run.state.name == self.state_name else f" ({run.state.name})"  # where it says more
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
        # Set in: it begins as somebody else wants.
        return [f"    {explanation}" if explanation else "", *lines, *more]


class RunCanceled(RunFailed):
    """The run was cancelled, in Databricks or from here."""

    what, state_name = "was cancelled", "Canceled"


class RunTimedOut(RunFailed):
    """Databricks stopped the run at its `timeout_seconds`."""

    what, state_name = "was stopped at its time-out", "TimedOut"


class RunSkipped(RunFailed):
    """Databricks never started the run: the job's `max_concurrent_runs` was reached."""

    what, state_name = "was skipped", "Skipped"


class RunInternalError(RunFailed):
    """The Jobs service failed, not the user's code."""

    what, state_name = "met an internal error of Databricks", "InternalError"


class RunsFailed(DatabricksError):
    """Of several runs that were waited for together, some did not end well.

    Attributes:
        runs: Those that are over, in the order in which they were given, the good ones too.
        errors: Why each of the others is no good, by `run_id`: a `RunFailed`, or why it could not be read.
        going: The `run_id` of each that was still going when the wait ended.
        cancelled: Those of them that Databricks was asked to cancel, and that are about to end.
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
        going_on = [run_id for run_id in going if run_id not in self.cancelled]
        for run_ids, becomes in ((self.cancelled, "being cancelled"), (going_on, "not cancelled")):
            if run_ids:
                listed = ", ".join(map(str, run_ids[:_LISTED_RUNS]))
                more = f" and {len(run_ids) - _LISTED_RUNS} more" if len(run_ids) > _LISTED_RUNS else ""
                lines.append(f"Still going when the wait ended, and {becomes}: {listed}{more}.")
        super().__init__("\n".join(lines))
