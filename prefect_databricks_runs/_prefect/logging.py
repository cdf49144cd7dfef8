"""The logger of a Prefect run."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger

# A text, because `LoggerAdapter` takes no parameter before Python 3.11.
Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[logging.Logger]"

if TYPE_CHECKING:
    _Adapter: TypeAlias = logging.LoggerAdapter[Any]
else:
    _Adapter = logging.LoggerAdapter


class SteadyLogger(_Adapter):
    """A logger that does not end the caller when nobody reads the console any more, as after a Prefect worker's death.

    Prefect's console is one of rich, which then raises `SystemExit`, and is quiet from there on. Prefect's API has got
    the line by that time.

    Args:
        logger: What it logs to.
    """

    def __init__(self, logger: Logger) -> None:
        super().__init__(logger, getattr(logger, "extra", None))  # of Prefect's: which run it is of

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line; so do `info` and the others, through this."""
        try:
            super().log(level, msg, *args, **kwargs)
        except SystemExit as error:
            if not isinstance(error.__context__, BrokenPipeError):
                raise

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Leave `extra` as it is, which adapters otherwise replace."""
        return msg, kwargs


def run_logger() -> Logger:
    """Return the logger of the Prefect run that this is called in; outside of one, this package's."""
    return SteadyLogger(_run_logger())


def _run_logger() -> Logger:
    task = TaskRunContext.get()
    if task and task.task_run.flow_run_id is None and not FlowRunContext.get():
        return get_logger("prefect_databricks_runs")  # Prefect 3 warns of each line of a task without a flow
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("prefect_databricks_runs")
