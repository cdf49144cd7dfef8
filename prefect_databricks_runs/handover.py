"""Runs that are started and not handed over yet: an interruption must not lose them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio

from prefect_databricks_runs import _portal
from prefect_databricks_runs.calls import hook_for
from prefect_databricks_runs.credentials import DatabricksCredentials
from prefect_databricks_runs.leaving import leave
from prefect_databricks_runs.report import run_logger


class Handover:
    """The runs of one call, from when Databricks has answered until its caller has their ids.

    Args:
        credentials: The workspace, and how to sign in.
        options: How requests are tried.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a bad end for who waits for them.
    """

    def __init__(
        self, credentials: DatabricksCredentials, options: Mapping[str, Any], *, fail_on_task_failures: bool = False
    ) -> None:
        self.fail_on_task_failures = fail_on_task_failures
        self._credentials = credentials
        self._options = options
        self._run_ids: list[int] = []
        self._interruption: BaseException | None = None

    async def add(self, run_id: int) -> None:
        """Take a run; where nobody waits for it any more, it is left at once."""
        self._run_ids.append(run_id)
        if self._interruption:
            with anyio.CancelScope(shield=True):
                await self._leave(run_id, self._interruption)

    def drop(self, run_id: int) -> None:
        """Forget a run that turned out to be over."""
        self._run_ids.remove(run_id)

    def interrupted(self, reason: BaseException) -> None:
        """Leave all runs that there are, and those that are still to come."""
        self._interruption = reason
        for run_id in self._run_ids:
            _portal.call(self._leave, run_id, reason)

    def pass_on(self, outer: Handover) -> None:
        """Hand the runs over to who has called."""
        outer._run_ids += self._run_ids

    async def _leave(self, run_id: int, reason: BaseException) -> None:
        logger = run_logger()
        await leave(hook_for(self._credentials, self._options, logger), [run_id], reason, logger)


_current: ContextVar[Handover | None] = ContextVar("handover", default=None)


def current_handover() -> Handover:
    """The innermost handover that this is called in."""
    handover = _current.get()
    if handover is None:
        raise RuntimeError("Runs are started inside `handing_over` only.")
    return handover


@contextmanager
def handing_over(
    credentials: DatabricksCredentials, options: Mapping[str, Any], *, fail_on_task_failures: bool = False
) -> Iterator[None]:
    """Leave whatever run is started in this block, when the block is interrupted before its end.

    Args:
        credentials: The workspace, and how to sign in.
        options: How requests are tried.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a bad end; also so where it is one for who has called.
    """
    outer = _current.get()
    fails = fail_on_task_failures or bool(outer and outer.fail_on_task_failures)
    handover = Handover(credentials, options, fail_on_task_failures=fails)
    token = _current.set(handover)
    try:
        yield
    except BaseException as reason:
        handover.interrupted(reason)
        raise
    finally:
        _current.reset(token)
    if outer:
        handover.pass_on(outer)
