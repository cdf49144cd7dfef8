"""`DatabricksHook`: an async method for each call of the Jobs REST API 2.2. Every call to Databricks uses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

from ._client.requests import CANCEL, items
from ._client.saved_jobs import SavedJobRequests
from ._fields import as_id, as_int, as_mappings
from .runs import Run, RunOutput, merge_pages

RUNS_A_PAGE = 25
# A run has at most 1,000 tasks, and a for-each task 5,000 iterations, 100 a page, and each may have several attempts.
_MOST_PAGES_OF_A_RUN, _MOST_PAGES_OF_A_LIST = 500, 2_000


class StartedRun(NamedTuple):
    """The answer to a request to start a run.

    Attributes:
        run_id: The job run. If its `idempotency_token` was used before, it may be an older run that has finished.
        answered_at: Seconds since 1970-01-01 UTC by the clock of Databricks, without a fraction; None if the answer has
            no date.
    """

    run_id: int
    answered_at: float | None


class SeenRun(NamedTuple):
    """A run as one answer shows it.

    Attributes:
        run: The run, with up to 100 of its tasks.
        answered_at: Seconds since 1970-01-01 UTC by the clock of Databricks, without a fraction; None if the answer has
            no date.
    """

    run: Run
    answered_at: float | None


class DatabricksHook(SavedJobRequests):
    """Call the Jobs REST API of one workspace.

    Every POST that starts a run has an idempotency token, so that it can be sent again after a lost answer without
    starting a second run.

    Args:
        host: The workspace's address, such as `https://adb-1.2.azuredatabricks.net`.
        auth: How to sign in; see `prefect_databricks_runs.auth`.
        retry_limit: The number of tries of a request in all, at least 1.
        retry_delay: Seconds before the second try; doubles with each further one. A longer `Retry-After` takes
            precedence.
        timeout_seconds: How long to wait for an answer to one request.
        requests_per_second: The limit for all hooks of this event loop and workspace together; None for no limit. A
            request to cancel never waits.
        shared: Whether to share connections with other such hooks, as in the background loop. If not, the hook has its
            own client, which `async with` closes.
        refresh: Called for the current way to sign in if the workspace does not know the caller: 401, or 403 for a bad
            token. Then the request is sent once more. Without it, or if it returns None, the old way is used again
            after a pause.
        transport: Where requests go instead of the network, for tests.
        clock: The time, for tests.
        logger: The log for retries.

    Raises:
        ValueError: `retry_limit` is below 1, or `retry_delay` below 0.

    Example:
        ```python
        import asyncio
        from prefect_databricks_runs import DatabricksCredentials, DatabricksHook

        async def state_of_new_run() -> str:
            databricks = DatabricksCredentials.from_environment()
            task = {"task_key": "main", "notebook_task": {"notebook_path": "/Shared/nightly"}}
            async with DatabricksHook(databricks.host, databricks.get_auth()) as hook:
                run_id = await hook.submit_run({"tasks": [task]})
                return (await hook.get_run(run_id)).state.name

        print(asyncio.run(state_of_new_run()))
        ```
    """

    async def submit_run(self, payload: Mapping[str, Any]) -> int:
        """Start a one-time run, with `POST runs/submit`.

        Args:
            payload: The request body; a random `idempotency_token` is added if it has none.

        Returns:
            The job run's `run_id`.
        """
        return (await self.start_run("runs/submit", payload)).run_id

    async def run_now(self, payload: Mapping[str, Any]) -> int:
        """Start a run of a saved job, with `POST run-now`.

        Args:
            payload: The request body; a random `idempotency_token` is added if it has none.

        Returns:
            The job run's `run_id`.
        """
        return (await self.start_run("run-now", payload)).run_id

    async def start_run(self, endpoint: str, payload: Mapping[str, Any]) -> StartedRun:
        """Start a run with `POST runs/submit` or `POST run-now`, and return more of the answer than its `run_id`.

        Args:
            endpoint: `runs/submit` or `run-now`.
            payload: The request body; a random `idempotency_token` is added if it has none.
        """
        body = {"idempotency_token": uuid4().hex, **payload}
        run_id, answered = await self._exchange("POST", endpoint, lambda answer: as_id(answer["run_id"]), json=body)
        return StartedRun(run_id, answered.at)

    async def get_run(self, run_id: int, *, include_history: bool = False) -> Run:
        """Read a run with all its tasks and iterations, with one `GET runs/get` for each page.

        Args:
            run_id: The job run, or an attempt at a task.
            include_history: Whether to read its repairs too, for `run.latest_repair_id`.

        Raises:
            NotFound: The run does not exist, or was deleted.
        """
        params = {"run_id": run_id, "include_history": "true" if include_history else None}
        read = partial(_page_of, run_id, self.host)
        pages = [page async for page in self._pages("runs/get", params, read, _MOST_PAGES_OF_A_RUN, are_kept=True)]
        if len(pages) == 1:
            return pages[0]
        whole = merge_pages(page.raw for page in pages)
        return self._read("GET", "runs/get", lambda: Run.from_api(whole, self.host))

    async def look_at_run(self, run_id: int) -> SeenRun:
        """Read the state of a run with at most one page of its tasks, and the time of the answer.

        Args:
            run_id: The job run.

        Raises:
            NotFound: The run does not exist, or was deleted.
        """
        read = partial(_page_of, run_id, self.host)
        run, answered = await self._exchange("GET", "runs/get", read, params={"run_id": run_id})
        return SeenRun(run, answered.at)

    async def run_pages(
        self, *, active_only: bool = False, start_time_to: int | None = None
    ) -> AsyncGenerator[list[dict[str, Any]], None]:
        """Read the workspace's runs page by page, with `GET runs/list`: the newest first, with up to 100 tasks each.

        Args:
            active_only: Whether to leave out finished runs.
            start_time_to: The latest start of a run, in milliseconds UTC.
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
        """Return the run of an entry of `runs/list`; it is complete unless the entry has `has_more`."""
        return self._read("GET", "runs/list", lambda: Run.from_api(entry, self.host))

    async def get_run_output(self, run_id: int) -> RunOutput:
        """Read the output of one attempt at a task, with `GET runs/get-output`.

        Args:
            run_id: The attempt's id, `run.tasks[…].run_id`; Databricks refuses the id of a job run.
        """
        output, _ = await self._exchange("GET", "runs/get-output", RunOutput.from_api, params={"run_id": run_id})
        return output

    async def cancel_run(self, run_id: int) -> None:
        """Ask Databricks to stop a run, with `POST runs/cancel`. It stops later, unless it has already finished."""
        await self.request("POST", CANCEL, json={"run_id": run_id})

    async def repair_run(self, run_id: int, latest_repair_id: int | None, payload: Mapping[str, Any]) -> int:
        """Run the failed tasks of a finished run again, and the tasks that depend on them, with `POST runs/repair`.

        Args:
            run_id: The job run.
            latest_repair_id: `run.latest_repair_id`; Databricks refuses a repair that does not name the one before.
            payload: Parameters as in `run_now`; Databricks does not keep the parameters that the run was started with.

        Returns:
            The repair's id.
        """
        body = {**payload, "run_id": run_id, "rerun_all_failed_tasks": True}
        if latest_repair_id is not None:
            body["latest_repair_id"] = latest_repair_id
        repair_id, _ = await self._exchange("POST", "runs/repair", lambda answer: as_id(answer["repair_id"]), json=body)
        return repair_id


def _page_of(run_id: int, host: str, page: dict[str, Any]) -> Run:
    """Read a page of `runs/get` if it is about the requested run: a proxy may answer with another one."""
    about = {as_int(page.get(name)) for name in ("run_id", "original_attempt_run_id")}
    about |= {as_int(task.get("run_id")) for task in as_mappings(page.get("tasks"))}
    if run_id not in about:
        raise ValueError("a different run from the requested one")
    return Run.from_api(page, host)


def _listed(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a page that have an id; other runs are requested by their id."""
    found = [{**run, "run_id": as_int(run.get("run_id"))} for run in items(page, "runs")]
    return [each for each in found if each["run_id"] > 0]
