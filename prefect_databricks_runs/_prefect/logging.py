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

# A string, because `LoggerAdapter` takes no parameter before Python 3.11.
Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[logging.Logger]"

_LINE_OF_OTHERS = re.compile(r"\n(?=\S)")
_REPR_CHARACTERS = 2_000

if TYPE_CHECKING:
    _Adapter: TypeAlias = logging.LoggerAdapter[Any]
else:
    _Adapter = logging.LoggerAdapter


class SteadyLogger(_Adapter):
    """A logger that keeps working when its console is gone, as after the death of a Prefect worker.

    Prefect's console is a rich console. If it is gone, rich raises `SystemExit` once, and is quiet from then on. At
    that time, the line has already reached Prefect's API.

    It is also the last safeguard for foreign strings: hidden characters in arguments are made visible.

    Args:
        logger: The logger to write to.
    """

    def __init__(self, logger: Logger) -> None:
        super().__init__(logger, getattr(logger, "extra", None))  # Prefect's: the run that it belongs to

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line; `info` and the others use this too."""
        try:
            super().log(level, msg, *map(_harmless, args), **kwargs)
        except SystemExit as error:
            if not isinstance(error.__context__, BrokenPipeError):
                raise

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Keep `extra` as it is; adapters replace it by default."""
        return msg, kwargs


class _Shown:
    """A value as a log line shows it: nothing hidden, and no part that looks like another line.

    Args:
        value: A string or an exception; may be foreign.
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
    """Return the logger of the current Prefect run; outside of one, this package's logger."""
    return SteadyLogger(_run_logger())


def _run_logger() -> Logger:
    task = TaskRunContext.get()
    if task and task.task_run.flow_run_id is None and not FlowRunContext.get():
        return get_logger("prefect_databricks_runs")  # Prefect 3 warns about each line of a task without a flow
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("prefect_databricks_runs")
