"""What notebooks know as `spark`, `sc` and `sqlContext`: the local workspace has no Spark, and they say so."""

from __future__ import annotations

from typing import NoReturn

NAMES = ("spark", "sc", "sqlContext")


class NoSparkError(AttributeError):
    """The notebook asked Spark for something."""

    __module__ = "builtins"  # so that tracebacks have the bare name


class NoSpark:
    """A stand-in for Spark.

    Args:
        name: what the notebook calls it.
    """

    def __init__(self, name: str) -> None:
        self.__name = name

    def __getattr__(self, name: str) -> NoReturn:
        raise NoSparkError(f"{self.__name}.{name} needs Spark, which the local workspace does not have")

    def __repr__(self) -> str:
        return f"<{self.__name}: the local workspace has no Spark>"
