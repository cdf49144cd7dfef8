"""`DatabricksHook`: one async method a call of the Jobs REST API 2.2, shared by everything that talks to Databricks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import httpx

from prefect_databricks_runs._answers import answered_at, read_answer
from prefect_databricks_runs._clock import Clock, SystemClock
from prefect_databricks_runs._http import client_options
from prefect_databricks_runs._retries import connection_reason, retrying
from prefect_databricks_runs.errors import DatabricksConnectionError, InvalidResponse, JobNameError
from prefect_databricks_runs.runs import Run, RunOutput, merge_pages

T = TypeVar("T")

_JOBS = "/api/2.2/jobs"
_JOBS_A_PAGE, _RUNS_A_PAGE = 100, 25

# One client a workspace and way to sign in, for all hooks of the background loop.
_shared: dict[Any, httpx.AsyncClient] = {}


class StartedRun(NamedTuple):
    """What Databricks said to a request to start a run.

    Attributes:
        run_id: The job run. With an `idempotency_token` that was used before it may be an older one, and over.
        answered_at: Seconds since 1970-01-01 UTC by the clock of Databricks, whole ones; None if it did not say.
    """

    run_id: int
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
        shared: Whether to share connections with other such hooks, as is done in the background loop. Otherwise the
            hook has a client of its own, which `async with` closes.
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
        shared: bool = False,
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
        self._timeout_seconds = timeout_seconds
        self._retry_limit, self._retry_delay = retry_limit, retry_delay
        self._logger = logger or logging.getLogger(__name__)
        self._is_shared = shared
        self._transport = transport
        self._options = (host, auth, timeout_seconds)
        self._own: httpx.AsyncClient | None = None

    async def __aenter__(self) -> DatabricksHook:
        """Use the hook for a while; the end closes the client of a hook that has its own."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            await self._own.aclose()
            self._own = None

    async def submit_run(self, payload: Mapping[str, Any]) -> int:
        """`POST runs/submit`: start a one-time run.

        Args:
            payload: The request body; gets a random `idempotency_token` if it has none.

        Returns:
            The job run's `run_id`.
        """
        return (await self.start_run("runs/submit", payload)).run_id

    async def run_now(self, payload: Mapping[str, Any]) -> int:
        """`POST run-now`: start a run of a saved job.

        Args:
            payload: The request body; gets a random `idempotency_token` if it has none.

        Returns:
            The job run's `run_id`.
        """
        return (await self.start_run("run-now", payload)).run_id

    async def start_run(self, endpoint: str, payload: Mapping[str, Any]) -> StartedRun:
        """`POST runs/submit` or `POST run-now`: start a run, and tell more of the answer than its `run_id`.

        Args:
            endpoint: `runs/submit` or `run-now`.
            payload: The request body; gets a random `idempotency_token` if it has none.
        """
        body = {"idempotency_token": uuid4().hex, **payload}
        answer, time = await self._exchange("POST", endpoint, json=body)
        return self._read("POST", endpoint, lambda: StartedRun(int(answer["run_id"]), time))

    async def get_run(self, run_id: int, *, include_history: bool = False) -> Run:
        """`GET runs/get`: the run with all its tasks and iterations, however many pages that takes.

        Args:
            run_id: The job run, or the attempt at a task.
            include_history: Whether to read its repairs too, for `run.latest_repair_id`.

        Raises:
            NotFound: There is no such run, or it was deleted.
        """
        params = {"run_id": run_id, "include_history": "true" if include_history else None}
        pages = [page async for page in self._pages("runs/get", params)]
        return self._read("GET", "runs/get", lambda: Run.from_api(merge_pages(pages), self.host))

    async def active_runs(self) -> AsyncIterator[Run]:
        """`GET runs/list`: the runs of the workspace that are not over, the newest first, with up to 100 tasks each."""
        params = {"active_only": "true", "expand_tasks": "true", "limit": _RUNS_A_PAGE}
        async for page in self._pages("runs/list", params):
            for run in self._read("GET", "runs/list", partial(_runs, page, self.host)):
                yield run

    async def get_run_output(self, run_id: int) -> RunOutput:
        """`GET runs/get-output`: what one task's attempt gave.

        Args:
            run_id: The attempt's id, `run.tasks[…].run_id`; Databricks refuses a job run's.
        """
        answer = await self.request("GET", "runs/get-output", params={"run_id": run_id})
        return self._read("GET", "runs/get-output", lambda: RunOutput.from_api(answer))

    async def cancel_run(self, run_id: int) -> None:
        """`POST runs/cancel`: ask Databricks to stop a run, which it does some time later; nothing if it is over."""
        await self.request("POST", "runs/cancel", json={"run_id": run_id})

    async def repair_run(self, run_id: int, latest_repair_id: int | None, payload: Mapping[str, Any]) -> int:
        """`POST runs/repair`: run the failed tasks of a run that is over once more, and those that wait for them.

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
        answer = await self.request("POST", "runs/repair", json=body)
        return self._read("POST", "runs/repair", lambda: int(answer["repair_id"]))

    async def find_job(self, job_name: str) -> int:
        """`GET list`: the id of the one job of that name; upper and lower case do not matter.

        Raises:
            JobNameError: No job has that name, or several have.
        """
        job_ids: list[int] = []
        async for page in self._pages("list", {"name": job_name, "limit": _JOBS_A_PAGE}):
            job_ids += self._read("GET", "list", partial(_job_ids, page))
        if len(job_ids) != 1:
            raise JobNameError(job_name, job_ids)
        return job_ids[0]

    async def _pages(self, endpoint: str, params: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        tokens: set[str | None] = {None}
        token: str | None = None
        while True:
            page = await self.request("GET", endpoint, params={**params, "page_token": token})
            yield page
            token = page.get("next_page_token")
            if not token:
                return
            if token in tokens:
                raise self._unusable("GET", endpoint, "the same page twice")
            tokens.add(token)

    async def request(
        self,
        method: str,
        endpoint: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request to the Jobs API, again where it helps, and give its answer.

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
        answer, _ = await self._exchange(method, endpoint, json, params)
        return answer

    async def _exchange(
        self, method: str, endpoint: str, json: Any = None, params: Any = None
    ) -> tuple[dict[str, Any], float | None]:
        """As `request`; gives the answer and when it was given, by the clock of Databricks."""
        query = {key: value for key, value in (params or {}).items() if value is not None}
        path = f"{_JOBS}/{endpoint}"
        async for attempt in retrying(self._retry_limit, self._retry_delay, self.clock, self._logger):
            with attempt:
                return await self._send(method, path, json, query)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(self, method: str, path: str, json: Any, params: Any) -> tuple[dict[str, Any], float | None]:
        try:
            response = await self._client().request(method, path, json=json, params=params)
        except httpx.HTTPError as error:
            reason = connection_reason(error, self._timeout_seconds)
            raise DatabricksConnectionError(reason, host=self.host, method=method, path=path) from error
        answer = read_answer(response, host=self.host, method=method, path=path, now=self.clock.time())
        return answer, answered_at(response)

    def _read(self, method: str, endpoint: str, reader: Callable[[], T]) -> T:
        try:
            return reader()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._unusable(method, endpoint, f"JSON without what it must have ({error!r})") from error

    def _unusable(self, method: str, endpoint: str, reason: str) -> InvalidResponse:
        return InvalidResponse(reason, host=self.host, method=method, path=f"{_JOBS}/{endpoint}", status_code=200)

    def _client(self) -> httpx.AsyncClient:
        if self._is_shared:
            key = (asyncio.get_running_loop(), *self._options)  # a connection belongs to the loop that made it
            if key not in _shared:
                _shared[key] = self._new_client()
            return _shared[key]
        if self._own is None:
            self._own = self._new_client()
        return self._own

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._transport, **client_options(*self._options))


def _runs(page: Mapping[str, Any], host: str) -> list[Run]:
    return [Run.from_api(run, host) for run in page.get("runs") or ()]


def _job_ids(page: Mapping[str, Any]) -> list[int]:
    return [int(job["job_id"]) for job in page.get("jobs") or ()]
