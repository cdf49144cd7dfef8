"""`DatabricksHook`: one async method a call of the Jobs REST API 2.2, shared by everything that talks to Databricks."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from copy import copy
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import httpx

from ._client.bodies import MAX_BYTES_OF_PAGES
from ._client.retries import is_worth_retrying, may_be_done, passes, retrying
from ._client.session import Answered, Refresh, Session
from ._clock import Clock, SystemClock
from ._fields import as_id, as_int, as_mappings, as_text
from ._text import safe_repr
from .errors import DatabricksError, InvalidResponse, JobNameError, Unauthenticated
from .runs import Run, RunOutput, merge_pages

T = TypeVar("T")

_JOBS = "/api/2.2/jobs"
_CANCEL = "runs/cancel"
_JOBS_A_PAGE, RUNS_A_PAGE = 100, 25
# A run has 1,000 tasks and a for-each task 5,000 iterations at most, 100 a page, and each may have some attempts; a
# workspace has 12,000 saved jobs.
_MOST_PAGES_OF_A_RUN, _MOST_PAGES_OF_JOBS, _MOST_PAGES_OF_A_LIST = 500, 500, 2_000


class StartedRun(NamedTuple):
    """What Databricks said to a request to start a run.

    Attributes:
        run_id: The job run. With an `idempotency_token` that was used before it may be an older one, and over.
        answered_at: Seconds since 1970-01-01 UTC by the clock of Databricks, whole ones; None if it did not say.
    """

    run_id: int
    answered_at: float | None


class SeenRun(NamedTuple):
    """A run as one answer shows it.

    Attributes:
        run: With up to 100 of its tasks.
        answered_at: Seconds since 1970-01-01 UTC by the clock of Databricks, whole ones; None if it did not say.
    """

    run: Run
    answered_at: float | None


class DatabricksHook:
    """The Jobs REST API of one workspace.

    Every POST that starts something carries an idempotency token, so that it can be sent again after a lost answer
    without starting a second run.

    Args:
        host: The workspace's address, such as `https://adb-1.2.azuredatabricks.net`.
        auth: How to sign in; see `prefect_databricks_runs.auth`.
        retry_limit: How often a request is tried in all, at least 1.
        retry_delay: Seconds before the second try; doubles with each further one. `Retry-After` wins over it.
        timeout_seconds: How long to wait for an answer to one request.
        requests_per_second: How fast all hooks of this event loop may send to this workspace together; None for as fast
            as they like. A request to cancel never waits.
        shared: Whether to share connections with other such hooks, as is done in the background loop. Otherwise the
            hook has a client of its own, which `async with` closes.
        refresh: Asked for the way to sign in that holds now, when the workspace does not know who asks: 401, or 403 for
            a bad token. Then the request is sent once more. None, or what gives None, is the same way after a pause.
        transport: Where requests go instead of the network, for tests.
        clock: The time, for tests.
        logger: Where retries are told.

    Raises:
        ValueError: `retry_limit` is below 1, or `retry_delay` below 0.
    """

    def __init__(
        self,
        host: str,
        auth: httpx.Auth,
        *,
        retry_limit: int = 3,
        retry_delay: float = 1.0,
        timeout_seconds: float = 60.0,
        requests_per_second: float | None = None,
        shared: bool = False,
        refresh: Refresh | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
    ) -> None:
        if retry_limit < 1:
            raise ValueError(
                f"databricks_retry_limit is the number of tries in all and must be at least 1, not {retry_limit}."
            )
        if retry_delay < 0:
            raise ValueError(f"databricks_retry_delay is in seconds and must not be negative, not {retry_delay}.")
        self.host = host
        self.clock = clock or SystemClock()
        self._retry_limit, self._retry_delay = retry_limit, retry_delay
        self._logger = logger or logging.getLogger(__name__)
        self._session = Session(
            host,
            auth,
            timeout_seconds=timeout_seconds,
            shared=shared,
            transport=transport,
            refresh=refresh,
            pause=retry_delay,
            requests_per_second=requests_per_second,
            clock=self.clock,
            logger=self._logger,
        )

    async def __aenter__(self) -> DatabricksHook:
        """Use the hook for a while; the end closes the client of a hook that has its own."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.aclose()

    def trying_once(self) -> DatabricksHook:
        """Return a hook that sends each request once, on the same connections and with what is known of them."""
        hook = copy(self)
        hook._retry_limit = 1
        return hook

    def may_pass(self, error: DatabricksError) -> bool:
        """Return whether an error is of the way to Databricks and not of the request, so that it may pass by itself.

        A token that Databricks does not know counts only where it was good before: tokens are changed one day, and the
        block a little later.
        """
        return passes(error) or self._was_good(error)

    async def until_free(self, *endpoints: str) -> None:
        """Wait until no other request to these endpoints waits for its turn; see `requests_per_second`."""
        await self._session.until_free(endpoints)

    async def sign_in(self) -> None:
        """Have the token that the next request is signed with, if one has to be fetched; again where it helps.

        Raises:
            SignInFailed: It was refused, or what it is made of is missing.
            SignInUnavailable: Its issuer gave no answer, or none with a token.
        """
        async for attempt in retrying(self._retry_limit, self._retry_delay, self._helps, self.clock, self._logger):
            with attempt:
                await self._session.sign_in()

    async def submit_run(self, payload: Mapping[str, Any]) -> int:
        """Start a one-time run, with `POST runs/submit`.

        Args:
            payload: The request body; gets a random `idempotency_token` if it has none.

        Returns:
            The job run's `run_id`.
        """
        return (await self.start_run("runs/submit", payload)).run_id

    async def run_now(self, payload: Mapping[str, Any]) -> int:
        """Start a run of a saved job, with `POST run-now`.

        Args:
            payload: The request body; gets a random `idempotency_token` if it has none.

        Returns:
            The job run's `run_id`.
        """
        return (await self.start_run("run-now", payload)).run_id

    async def start_run(self, endpoint: str, payload: Mapping[str, Any]) -> StartedRun:
        """Start a run, with `POST runs/submit` or `POST run-now`, and return more of the answer than its `run_id`.

        Args:
            endpoint: `runs/submit` or `run-now`.
            payload: The request body; gets a random `idempotency_token` if it has none.
        """
        body = {"idempotency_token": uuid4().hex, **payload}
        run_id, answered = await self._exchange("POST", endpoint, lambda answer: as_id(answer["run_id"]), json=body)
        return StartedRun(run_id, answered.at)

    async def get_run(self, run_id: int, *, include_history: bool = False) -> Run:
        """Read a run with all its tasks and iterations, with as many `GET runs/get` as it has pages.

        Args:
            run_id: The job run, or the attempt at a task.
            include_history: Whether to read its repairs too, for `run.latest_repair_id`.

        Raises:
            NotFound: There is no such run, or it was deleted.
        """
        params = {"run_id": run_id, "include_history": "true" if include_history else None}
        read = partial(_page_of, run_id, self.host)
        pages = [page async for page in self._pages("runs/get", params, read, _MOST_PAGES_OF_A_RUN, are_kept=True)]
        if len(pages) == 1:
            return pages[0]
        whole = merge_pages(page.raw for page in pages)
        return self._read("GET", "runs/get", lambda: Run.from_api(whole, self.host))

    async def look_at_run(self, run_id: int) -> SeenRun:
        """Read the state of a run, without more of its tasks than one page has, and the time of that answer.

        Args:
            run_id: The job run.

        Raises:
            NotFound: There is no such run, or it was deleted.
        """
        read = partial(_page_of, run_id, self.host)
        run, answered = await self._exchange("GET", "runs/get", read, params={"run_id": run_id})
        return SeenRun(run, answered.at)

    async def run_pages(
        self, *, active_only: bool = False, start_time_to: int | None = None
    ) -> AsyncGenerator[list[dict[str, Any]], None]:
        """Read the workspace's runs page by page, with `GET runs/list`: the newest first, with up to 100 tasks each.

        Args:
            active_only: Whether to leave out those that are over.
            start_time_to: Leaves out those that started later, in milliseconds UTC.
        """
        params = {
            "active_only": "true" if active_only else None,
            "start_time_to": start_time_to,
            "expand_tasks": "true",
            "limit": RUNS_A_PAGE,
        }
        async for page in self._pages("runs/list", params, _listed, _MOST_PAGES_OF_A_LIST):
            yield page

    async def active_runs(self) -> AsyncIterator[Run]:
        """Read the workspace's active runs, with `GET runs/list`: the newest first, with up to 100 tasks each."""
        async for page in self.run_pages(active_only=True):
            for entry in page:
                yield self.read_listed(entry)

    def read_listed(self, entry: Mapping[str, Any]) -> Run:
        """Return a run as an entry of `runs/list` gives it; all of it, unless the entry says `has_more`."""
        return self._read("GET", "runs/list", lambda: Run.from_api(entry, self.host))

    async def get_run_output(self, run_id: int) -> RunOutput:
        """Read the output of one attempt at a task, with `GET runs/get-output`.

        Args:
            run_id: The attempt's id, `run.tasks[…].run_id`; Databricks refuses a job run's.
        """
        output, _ = await self._exchange("GET", "runs/get-output", RunOutput.from_api, params={"run_id": run_id})
        return output

    async def cancel_run(self, run_id: int) -> None:
        """Ask Databricks to stop a run, with `POST runs/cancel`: it stops some time later, unless it has finished."""
        await self.request("POST", _CANCEL, json={"run_id": run_id})

    async def repair_run(self, run_id: int, latest_repair_id: int | None, payload: Mapping[str, Any]) -> int:
        """Run the failed tasks of a finished run again, and those that depend on them, with `POST runs/repair`.

        Args:
            run_id: The job run.
            latest_repair_id: `run.latest_repair_id`; Databricks refuses a repair that does not know of the one before.
            payload: Parameters as in `run_now`; Databricks does not remember those that the run was started with.

        Returns:
            The repair's id.
        """
        body = {**payload, "run_id": run_id, "rerun_all_failed_tasks": True}
        if latest_repair_id is not None:
            body["latest_repair_id"] = latest_repair_id
        repair_id, _ = await self._exchange("POST", "runs/repair", lambda answer: as_id(answer["repair_id"]), json=body)
        return repair_id

    async def find_job(self, job_name: str) -> int:
        """Find the id of the only job with a name, with `GET list`; upper and lower case do not matter.

        Raises:
            JobNameError: No job has that name, or several have.
        """
        job_ids: list[int] = []
        async for page in self._pages("list", {"name": job_name, "limit": _JOBS_A_PAGE}, _job_ids, _MOST_PAGES_OF_JOBS):
            job_ids += page
        if len(job_ids) != 1:
            raise JobNameError(job_name, job_ids)
        return job_ids[0]

    async def _pages(
        self,
        endpoint: str,
        params: Mapping[str, Any],
        read: Callable[[dict[str, Any]], T],
        most: int,
        *,
        are_kept: bool = False,
    ) -> AsyncIterator[T]:
        """Read each page with `read`; more pages than the API can have, or too many bytes, cannot be read.

        Args:
            endpoint: What has pages.
            params: The query.
            read: Reads one.
            most: How many there may be.
            are_kept: Whether all of them are kept, so that there is a limit for all of them together.
        """

        def with_token(page: dict[str, Any]) -> tuple[T, str]:
            return read(page), as_text(page.get("next_page_token"))

        tokens: set[str] = set()
        token, size = "", 0
        for _ in range(most):
            (page, token), answered = await self._exchange(
                "GET", endpoint, with_token, params={**params, "page_token": token or None}
            )
            size += answered.size
            if are_kept and size > MAX_BYTES_OF_PAGES:
                raise self._unusable("GET", endpoint, f"pages of more than {MAX_BYTES_OF_PAGES // 1024**2} MB")
            yield page
            if not token:
                return
            if token in tokens:
                raise self._unusable("GET", endpoint, "the same page twice")
            tokens.add(token)
        raise self._unusable("GET", endpoint, f"more than {most} pages")

    async def request(
        self,
        method: str,
        endpoint: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request to the Jobs API, again where it helps, and return its answer.

        Args:
            method: `GET` or `POST`.
            endpoint: Path below `/api/2.2/jobs/`.
            json: The body of a POST.
            params: The query; None values are left out.

        Raises:
            DatabricksApiError: Databricks answered with an error.
            DatabricksConnectionError: No answer came.
            InvalidResponse: The answer is not one of the Jobs API.
        """
        answer, _ = await self._exchange(method, endpoint, dict, json, params)
        return answer

    async def _exchange(
        self, method: str, endpoint: str, read: Callable[[dict[str, Any]], T], json: Any = None, params: Any = None
    ) -> tuple[T, Answered]:
        """Send a request as `request` does; return what is read in the answer, and what else is known of that."""
        query = {key: value for key, value in (params or {}).items() if value is not None}
        path = f"{_JOBS}/{endpoint}"
        lane = None if endpoint == _CANCEL else endpoint
        failures: list[DatabricksError] = []
        async for attempt in retrying(self._retry_limit, self._retry_delay, self._helps, self.clock, self._logger):
            with attempt:
                try:
                    answer, answered = await self._session.send(method, path, json, query, lane=lane)
                    return self._read(method, endpoint, partial(read, answer)), answered
                except DatabricksError as error:
                    failures.append(error)
                    error.outcome_unknown = method == "POST" and any(map(may_be_done, failures))
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _helps(self, error: BaseException) -> bool:
        """Return whether to send the same request again."""
        return is_worth_retrying(error) or self._was_good(error)

    def _was_good(self, error: BaseException) -> bool:
        return isinstance(error, Unauthenticated) and self._session.was_let_in

    def _read(self, method: str, endpoint: str, reader: Callable[[], T]) -> T:
        try:
            return reader()
        except DatabricksError:
            raise
        except Exception as error:  # whatever there is in it, it is an answer that cannot be read, and no more
            raise self._unusable(method, endpoint, f"JSON without what it must have ({safe_repr(error)})") from error

    def _unusable(self, method: str, endpoint: str, reason: str) -> InvalidResponse:
        return InvalidResponse(reason, host=self.host, method=method, path=f"{_JOBS}/{endpoint}", status_code=200)


def _page_of(run_id: int, host: str, page: dict[str, Any]) -> Run:
    """Read a page of `runs/get`, if it is about the run that was asked for: a proxy may answer with another one."""
    about = {as_int(page.get(name)) for name in ("run_id", "original_attempt_run_id")}
    about |= {as_int(task.get("run_id")) for task in as_mappings(page.get("tasks"))}
    if run_id not in about:
        raise ValueError("another run than the one that was asked for")
    return Run.from_api(page, host)


def _listed(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a page whose runs can be told; another one is asked for by its id."""
    found = [{**run, "run_id": as_int(run.get("run_id"))} for run in _items(page, "runs")]
    return [each for each in found if each["run_id"] > 0]


def _job_ids(page: Mapping[str, Any]) -> list[int]:
    return [as_id(job["job_id"]) for job in _items(page, "jobs")]


def _items(page: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    if not isinstance(page.get(name, []), (list, type(None))):
        raise TypeError(f"`{name}` that is not a list")
    return as_mappings(page.get(name))
