"""The parts of `dbutils` that the local workspace has: `widgets`, `notebook` and `jobs.taskValues`.

All names, also of parameters, are the names on Databricks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NoReturn

from .other_notebook import OtherNotebooks

_NO_DEFAULT: Any = object()
MAX_TASK_VALUE_BYTES = 48 * 1024


class InputWidgetNotDefined(Exception):  # the name that Databricks uses
    """The notebook asked for a widget that has neither a value nor a default."""

    __module__ = "builtins"  # tracebacks have the bare name, as on Databricks


class NotebookExit(Exception):
    """The early end of a notebook, with success. An `except Exception` around the call catches it, as on Databricks."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class _Part:
    """One part of `dbutils`. An unknown name raises an error: the local workspace does not have it."""

    _path = "dbutils"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self._path}.{name} is not served by the local workspace")


class Widgets(_Part):
    """`dbutils.widgets`.

    Args:
        parameters: The values from the run, which win over the defaults of the widgets. The mapping is not copied,
            because a `%run` adds its arguments to it.
    """

    _path = "dbutils.widgets"

    def __init__(self, parameters: MutableMapping[str, str]) -> None:
        self._parameters = parameters
        self._defaults: dict[str, str] = {}

    def get(self, name: str) -> str:
        """Return a widget's value.

        Raises:
            InputWidgetNotDefined: The run has no parameter of this name, and the notebook has no widget.
        """
        values = self.getAll()
        if name not in values:
            raise InputWidgetNotDefined(f"No input widget named {name} is defined")
        return values[name]

    def getArgument(self, name: str, optional: str | None = None) -> str:  # noqa: N802, the name on Databricks
        """Return a widget's value, or `optional` without a widget of this name.

        Raises:
            InputWidgetNotDefined: There is neither a value nor an `optional`.
        """
        if optional is None:
            return self.get(name)
        return self.getAll().get(name, optional)

    def getAll(self) -> dict[str, str]:  # noqa: N802, the name on Databricks
        """Return the values of all widgets by name."""
        return {**self._defaults, **self._parameters}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: N803, ARG002, as on Databricks
        """Define a widget with free text."""
        self._defaults[name] = defaultValue

    def dropdown(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:  # noqa: N803, ARG002
        """Define a widget with one of `choices`.

        Raises:
            ValueError: The default is not one of them.
        """
        self._choose(name, defaultValue, choices)

    def combobox(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:  # noqa: N803, ARG002
        """Define a widget with one of `choices` or free text."""
        self._defaults[name] = defaultValue

    def multiselect(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:  # noqa: N803, ARG002
        """Define a widget with some of `choices`; in its value, they are separated by commas.

        Raises:
            ValueError: The default is not one of them.
        """
        self._choose(name, defaultValue, choices)

    def remove(self, name: str) -> None:
        """Remove a widget and its value."""
        self._defaults.pop(name, None)
        self._parameters.pop(name, None)

    def removeAll(self) -> None:  # noqa: N802, the name on Databricks
        """Remove all widgets and their values."""
        self._defaults.clear()
        self._parameters.clear()

    def _choose(self, name: str, default: str, choices: Sequence[str]) -> None:
        if default not in choices:
            raise ValueError(f"The default {default!r} of the widget {name} is not one of its choices {list(choices)}")
        self._defaults[name] = default


class Notebook(_Part):
    """`dbutils.notebook`.

    Args:
        others: Runs other notebooks.
    """

    _path = "dbutils.notebook"

    def __init__(self, others: OtherNotebooks) -> None:
        self._others = others

    def run(self, path: str, timeout_seconds: float, arguments: Mapping[str, str] | None = None) -> str | None:
        """Run another notebook and return its exit value; None if it ends without one.

        Args:
            path: An absolute path in the workspace, or a path relative to this notebook.
            timeout_seconds: The timeout in seconds; 0 = no timeout.
            arguments: Its widgets.

        Raises:
            WorkflowException: The notebook failed, took too long, or does not exist.
            ValueError: The timeout is negative.
            TypeError: An argument or its name is not a string.
        """
        return self._others.run(path, timeout_seconds, arguments or {})

    def exit(self, value: object) -> NoReturn:
        """End the notebook with success. `value`, as a string, is the result in `runs/get-output`."""
        raise NotebookExit(str(value))


class TaskValues(_Part):
    """`dbutils.jobs.taskValues`.

    Args:
        earlier: The values that earlier tasks of the run set, by task key and key.
    """

    _path = "dbutils.jobs.taskValues"

    def __init__(self, earlier: Mapping[str, Mapping[str, Any]]) -> None:
        self._earlier = earlier
        self.mine: dict[str, Any] = {}

    def set(self, key: str, value: Any) -> None:
        """Set a value of this task for later tasks.

        Args:
            key: Its name.
            value: A JSON value, at most 48 KiB as JSON.

        Raises:
            TypeError: The value is not a JSON value.
            ValueError: The value is too long.
        """
        encoded = json.dumps(value)
        if len(encoded) > MAX_TASK_VALUE_BYTES:
            raise ValueError(
                f"The task value {key!r} has {len(encoded)} bytes as JSON, more than {MAX_TASK_VALUE_BYTES}"
            )
        self.mine[key] = json.loads(encoded)

    def get(self, taskKey: str, key: str, default: Any = _NO_DEFAULT, debugValue: Any = None) -> Any:  # noqa: N803, ARG002
        """Return a value that an earlier task of the run set.

        Args:
            taskKey: The task that set it.
            key: Its name.
            default: The value to return if it was not set; may be None.
            debugValue: The value to return outside of a job. Not used here, where a notebook always runs in a job.

        Raises:
            ValueError: The value was not set, and there is no default.
        """
        values = self._earlier.get(taskKey, {})
        if key in values:
            return values[key]
        if default is _NO_DEFAULT:
            raise ValueError(
                f"No task value with the key {key!r} was set by the task {taskKey!r}, and there is no default"
            )
        return default


class Jobs(_Part):
    """`dbutils.jobs`."""

    _path = "dbutils.jobs"

    def __init__(self, task_values: TaskValues) -> None:
        self.taskValues = task_values


class DBUtils(_Part):
    """The object `dbutils` of notebooks.

    Args:
        parameters: The values of widgets from the run.
        earlier_values: The values that earlier tasks set, by task key and key.
        others: Runs other notebooks.
    """

    def __init__(
        self,
        parameters: MutableMapping[str, str],
        earlier_values: Mapping[str, Mapping[str, Any]],
        others: OtherNotebooks,
    ) -> None:
        self.widgets = Widgets(parameters)
        self.notebook = Notebook(others)
        self.jobs = Jobs(TaskValues(earlier_values))
