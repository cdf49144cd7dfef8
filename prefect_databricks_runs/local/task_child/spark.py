"""The objects `spark`, `sc` and `sqlContext` of notebooks, whose errors say that the local workspace has no Spark."""

from __future__ import annotations

from typing import NoReturn

NAMES = ("spark", "sc", "sqlContext")


class NoSparkError(AttributeError):
    """The notebook used Spark."""

    __module__ = "builtins"  # so that tracebacks have the bare name


class NoSpark:
    """A stand-in for Spark.

    Args:
        name: Its name in the notebook.
    """

    def __init__(self, name: str) -> None:
        self.__name = name

    def __getattr__(self, name: str) -> NoReturn:
        raise NoSparkError(f"{self.__name}.{name} needs Spark, which the local workspace does not have")

    def __repr__(self) -> str:
        return f"<{self.__name}: the local workspace has no Spark>"
