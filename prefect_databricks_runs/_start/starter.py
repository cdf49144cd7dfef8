"""Starting a run, or finding the run that an earlier attempt has started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import anyio

from .._connect.call import Call
from .._leave.leaving import Cancellations
from .._leave.started_here import StartedHere
from .._runtime import of_process
from ..errors import BadRequest, Conflict, DatabricksApiError, DatabricksError, NotFound
from ..hook import StartedRun
from ..options import StartOptions
from ..run_states import Outcome
from ..runs import Run
from .identity import Submission, caller, keep_given
from .in_flight import current_handover
from .marker import is_marked

# The date of an answer is in whole seconds, and the clocks behind one address may differ a little.
_CLOCK_SECONDS = 2.0
_MAX_GENERATIONS = 100
_SETTLE_SECONDS = _REPAIR_SECONDS = 60.0
_PERIOD = 0.5
# The answer to a token whose run was deleted is not documented; this pattern covers likely wordings. No request of ours
# to start a run names another run.
_OF_DELETED_RUN = re.compile(
    r"idempoten.*\bdeleted\b|\bdeleted\b.*idempoten|^(The )?run\b.*\b(deleted|(does not|doesn't) exist)\b",
    re.IGNORECASE | re.DOTALL,
)
# The fields of the request that Databricks does not remember for a repair.
_REPAIR_FIELDS = frozenset(
    {
        "job_parameters",
        "notebook_params",
        "jar_params",
        "python_params",
        "spark_submit_params",
        "python_named_params",
        "sql_params",
        "dbt_commands",
        "pipeline_params",
        "performance_target",
        "duration_target",
    }
)


@dataclass(frozen=True)
class Found:
    """The run that a request has started or found.

    Attributes:
        run_id: The job run.
        run: The run as it was read; None if it could not be read.
        note: The fate of the runs of earlier attempts; empty if there were none.
        past: The runs of earlier attempts, this one included if it is one of them.
    """

    run_id: int
    run: Run | None
    note: str = ""
    past: tuple[Run, ...] = ()


class Starter:
    """Start runs, each of them once.

    Args:
        call: The call of the task that starts a run.
    """

    def __init__(self, call: Call[StartOptions]) -> None:
        self._hook = call.hook
        self._handover = current_handover()
        self._repairs = call.options["on_retry"] == "repair"
        good = {Outcome.SUCCESS, Outcome.SUCCESS_WITH_FAILURES}
        self._good = {Outcome.SUCCESS} if self._handover.fail_on_task_failures else good
        self._logger = call.logger

    async def start(self, endpoint: str, payload: Mapping[str, Any], lasting: Mapping[str, Any]) -> Found:
        """Start a run, unless an earlier attempt has started it and it is active or succeeded.

        Args:
            endpoint: `runs/submit` or `run-now`.
            payload: The request. If it has an `idempotency_token`, only the token decides.
            lasting: The part of the request that is the same in each attempt.
        """
        who = None if payload.get("idempotency_token") else caller()
        if who is None:
            token = payload.get("idempotency_token") or uuid4().hex
            started = await self._post(endpoint, payload, token)
            of_process(StartedHere).add((self._hook.host, started.run_id))
            keep_given(started.run_id)
            return Found(started.run_id, await self._read(started.run_id))
        submission = Submission(who, self._hook.host, endpoint, lasting)
        if submission.is_remote:
            self._logger.info(
                "This task runs in another process than its flow: if the whole flow run is retried, and not only this"
                " task, a new Databricks run is started. Pass an `idempotency_token` to prevent that."
            )
        return await self._walk(submission, endpoint, payload)

    async def _walk(self, submission: Submission, endpoint: str, payload: Mapping[str, Any]) -> Found:
        """Step from the first attempt's run to the next ones, as long as they are from earlier attempts and failed."""
        notes: list[str] = []
        past: list[Run] = []
        for generation in range(_MAX_GENERATIONS):
            try:
                started = await self._post(endpoint, payload, submission.token(generation))
            except (BadRequest, NotFound, Conflict) as error:
                if not _OF_DELETED_RUN.search(error.message):
                    raise
                notes.append(self._say_that_it_is_deleted(error))
                continue
            since = submission.seconds_since_begin()
            run = await self._read(started.run_id)
            if run and _is_past(run, started.answered_at, submission, since):
                run = await self._settled(run)
                past.append(run)
                is_bad = self._ended_badly(run) and await self._is_confirmed(run.run_id, submission)
                if is_bad and self._repairs and (repaired := await self._repaired(run, payload)):
                    notes.append(self._say(run, f"ended {run.state.name}, and is repaired"))
                    run = repaired
                elif is_bad:
                    notes.append(self._say(run, f"ended {run.state.name}; another one is started"))
                    self._handover.drop(run.run_id)
                    continue
                else:
                    notes.append(self._say(run, f"is found again: {run.state.name}"))
            elif submission.is_of_before(started.run_id):
                notes.append(self._say_that_it_goes_on(started.run_id, run))
            submission.keep(started.run_id)
            of_process(StartedHere).add((self._hook.host, started.run_id))
            return Found(started.run_id, run, " ".join(notes), tuple(past))
        raise DatabricksError(
            f"{_MAX_GENERATIONS} Databricks runs of this request failed or were deleted (see the log), so no new one is"
            " started. Pass a different `idempotency_token` to start a new run anyway."
        )

    def _say(self, run: Run, what: str) -> str:
        note = f"Databricks run {run.run_id}, which an earlier attempt started, {what}. {run.url}"
        self._logger.info("%s", note)
        return note

    def _say_that_it_goes_on(self, run_id: int, run: Run | None) -> str:
        is_now = f": {run.state.name}. {run.url}" if run else "."
        note = f"Databricks run {run_id} was started before the flow run was suspended, and is found again{is_now}"
        self._logger.info("%s", note)
        return note

    def _say_that_it_is_deleted(self, error: DatabricksApiError) -> str:
        note = (
            "The Databricks run that an earlier attempt started was deleted; another one is started. Databricks said:"
            f" {error.message}"
        )
        self._logger.info("%s", note)
        return note

    def _ended_badly(self, run: Run) -> bool:
        return run.state.is_terminal and run.state.outcome not in self._good

    async def _is_confirmed(self, run_id: int, submission: Submission) -> bool:
        """Return whether a second answer, with its own date, confirms that a run of an earlier attempt failed.

        A single wrong answer, or a date from a proxy with another clock, must not start a run for the second time.
        """
        since = submission.seconds_since_begin()
        try:
            run, answered_at = await self._hook.look_at_run(run_id)
        except DatabricksError as error:
            self._logger.warning("Could not confirm that Databricks run %d failed. %s", run_id, error)
            return False
        return self._ended_badly(run) and _is_past(run, answered_at, submission, since)

    async def _settled(self, run: Run) -> Run:
        """Wait for a run that is about to end, and return it: the earlier attempt may have cancelled it at its end."""
        with anyio.move_on_after(_SETTLE_SECONDS):
            while not run.state.is_terminal and (
                run.state.life_cycle_state == "TERMINATING" or run.run_id in of_process(Cancellations)
            ):
                await self._hook.clock.sleep(_PERIOD)
                run = await self._read(run.run_id) or run
        return run

    async def _post(self, endpoint: str, payload: Mapping[str, Any], token: str) -> StartedRun:
        ask = partial(self._hook.start_run, endpoint, {**payload, "idempotency_token": token})
        try:
            return await self._handover.start(ask, partial(self._say_that_it_is_not_answered, payload, token))
        except DatabricksError as error:
            if error.outcome_unknown:
                self._say_that_it_may_be_going(token)
            raise

    def _say_that_it_may_be_going(self, token: str) -> None:
        self._logger.warning("Databricks may have started the run anyway: the answer was lost. %s", _found_by(token))

    def _say_that_it_is_not_answered(self, payload: Mapping[str, Any], token: str) -> None:
        self._logger.warning(
            "Databricks may have started the run, but has not answered yet. When it does, the log says whether the run"
            " is cancelled; if this process ends first, the run keeps running. %s%s",
            _found_by(token),
            " `prefect-databricks-runs orphans` lists it when the flow run has ended." if is_marked(payload) else "",
        )

    async def _read(self, run_id: int) -> Run | None:
        try:
            return await self._hook.get_run(run_id)
        except DatabricksError as error:
            self._logger.warning("Databricks run %d was started, but could not yet be read. %s", run_id, error)
            return None

    async def _repaired(self, run: Run, payload: Mapping[str, Any]) -> Run | None:
        """Repair a run and return it; None if Databricks refuses."""
        before = await self._hook.get_run(run.run_id, include_history=True)
        parameters = {key: value for key, value in payload.items() if key in _REPAIR_FIELDS}
        try:
            await self._hook.repair_run(run.run_id, before.latest_repair_id, parameters)
        except (BadRequest, Conflict) as error:
            # A repair is also refused if it is the retry of a repair whose answer was lost.
            after = await self._hook.get_run(run.run_id, include_history=True)
            if after.latest_repair_id == before.latest_repair_id and after.state.is_terminal:
                self._logger.warning("Databricks run %d cannot be repaired. %s", run.run_id, error)
                return None
        of_process(Cancellations).forget(run.run_id)
        return await self._going_again(before)

    async def _going_again(self, before: Run) -> Run:
        """Wait until the repair shows in the run: read too early, the run would look as if it had ended already."""
        run = before
        with anyio.move_on_after(_REPAIR_SECONDS):
            while run.state.is_terminal and run.latest_repair_id == before.latest_repair_id:
                await self._hook.clock.sleep(_PERIOD)
                run = await self._hook.get_run(before.run_id, include_history=True)
        return run


def _found_by(token: str) -> str:
    """Return how to find a run whose id is not known."""
    how = "A retry of this flow run or task finds it instead of starting another one. So does"
    return f"{how if caller() else 'To find it, send'} the same request with idempotency_token={token!r}."


def _is_past(run: Run, answered_at: float | None, submission: Submission, since: float) -> bool:
    """Return whether a run was started before the caller's current attempt, which began `since` seconds ago."""
    known = submission.is_of_this_attempt(run.run_id)
    if known is not None:
        return not known
    if answered_at is None or not run.start_time:
        return False
    return run.start_time / 1000 < answered_at - since - _CLOCK_SECONDS
