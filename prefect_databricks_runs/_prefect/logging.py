"""The logger of a Prefect run."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger

from .._text import ours, safe_repr, visible

# A text, because `LoggerAdapter` takes no parameter before Python 3.11.
Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[logging.Logger]"

_LINE_OF_OTHERS = re.compile(r"\n(?=\S)")
_REPR_CHARACTERS = 2_000

if TYPE_CHECKING:
    _Adapter: TypeAlias = logging.LoggerAdapter[Any]
else:
    _Adapter = logging.LoggerAdapter


class SteadyLogger(_Adapter):
    """A logger that does not end the caller when nobody reads the console any more, as after a Prefect worker's death.

    Prefect's console is one of rich, which then raises `SystemExit`, and is quiet from there on. Prefect's API has got
    the line by that time.

    It is also the last door for texts of others: arguments are shown without what is hidden in them.

    Args:
        logger: What it logs to.
    """

    def __init__(self, logger: Logger) -> None:
        super().__init__(logger, getattr(logger, "extra", None))  # of Prefect's: which run it is of

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line; so do `info` and the others, through this."""
        try:
            super().log(level, msg, *map(_harmless, args), **kwargs)
        except SystemExit as error:
            if not isinstance(error.__context__, BrokenPipeError):
                raise

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Leave `extra` as it is, which adapters otherwise replace."""
        return msg, kwargs


class _Shown:
    """What a line of the log has of a value: nothing hidden, and no line that looks like another one of the log.

    Args:
        value: A text or an exception, of whomever.
    """

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return _LINE_OF_OTHERS.sub("\n    ", ours(str(self._value)))

    def __repr__(self) -> str:
        return visible(safe_repr(self._value, _REPR_CHARACTERS))


def _harmless(value: object) -> object:
    return value if isinstance(value, (int, float)) else _Shown(value)


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
