"""databricks-sdk as the client of a local workspace: alone on the machine, and without long sleeps."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.service.jobs import NotebookTask, Run, RunTask, SubmitTask, Task

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.simulated import simulated

_MODULES_THAT_SLEEP = ("databricks.sdk.clock", "databricks.sdk.service.jobs")
_LONGEST_SLEEP = 0.01
NOTEBOOK = NotebookTask("/n")


class SdkTime:
    """What databricks-sdk has instead of the module `time`.

    Attributes:
        slept: the seconds that it was told to sleep, one entry for each time.
        passes: what happens instead of the sleep.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0
        self.passes: Callable[[float], None] = lambda seconds: time.sleep(min(seconds, _LONGEST_SLEEP))

    @classmethod
    def installed(cls, monkeypatch: pytest.MonkeyPatch) -> SdkTime:
        own = cls()
        for module in _MODULES_THAT_SLEEP:
            monkeypatch.setattr(f"{module}.time", own)
        return own

    def time(self) -> float:
        return time.time() + self._ahead

    def skip(self, seconds: float) -> None:
        """Lets this time alone pass at once."""
        self._ahead += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passes(seconds)


def forget_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the machine's own settings of databricks-sdk: variables and `~/.databrickscfg`."""
    names = {name for attribute in Config.attributes() for name in (attribute.env, *_aliases(attribute)) if name}
    for name in names | {name for name in os.environ if name.startswith("DATABRICKS_")}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)


def sdk_of(workspace: LocalWorkspace, **options: Any) -> WorkspaceClient:
    """A client with the workspace's own token, or with other options."""
    return WorkspaceClient(host=workspace.url, **(options or {"token": workspace.token}))


@contextlib.contextmanager
def simulated_sdk(script: Any = None, **options: Any) -> Iterator[tuple[WorkspaceClient, LocalWorkspace]]:
    """A client, and its workspace where every task that `script` does not name succeeds at once."""
    with simulated(script, **options) as client:
        yield sdk_of(client.workspace), client.workspace


def submit_tasks(count: int) -> list[SubmitTask]:
    return [SubmitTask(f"t{number}", notebook_task=NOTEBOOK) for number in range(count)]


def job_tasks(count: int) -> list[Task]:
    return [Task(f"t{number}", notebook_task=NOTEBOOK) for number in range(count)]


def states(run: Run) -> dict[str, str | None]:
    """The result state of the latest attempt at each task, or the life-cycle state of one without."""
    last = {task.task_key: task for task in sorted(run.tasks, key=lambda each: each.attempt_number)}
    return {key: (task.state.result_state or task.state.life_cycle_state).value for key, task in last.items()}


def task_of(run: Run, task_key: str) -> RunTask:
    """The latest attempt at a task."""
    return max((task for task in run.tasks if task.task_key == task_key), key=lambda each: each.attempt_number)


def _aliases(attribute: Any) -> tuple[str, ...]:
    return tuple(getattr(attribute, "env_aliases", None) or ())
