"""A large request is read once, filled at its placeholders only, and never holds up the loop in which others wait."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Mapping
from time import thread_time
from typing import Any

from prefect_databricks_runs import DatabricksCredentials, submit_run
from prefect_databricks_runs._payload import plain
from prefect_databricks_runs._payload.build import submit_run_template
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs.local import LocalWorkspace

TASKS = 1_000
LONGEST_HOLD = 0.05
CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 2}


def large(tasks: int, day: str = "2026-11-28") -> dict[str, Any]:
    """A request whose every tenth task has `day` as a parameter."""
    return {
        "tasks": [
            {
                "task_key": f"task-{number}",
                "depends_on": [{"task_key": f"task-{number - 1}"}] if number else [],
                "new_cluster": CLUSTER,
                "libraries": [{"pypi": {"package": "x==1.0"}}],
                "notebook_task": {
                    "notebook_path": "/etl",
                    "base_parameters": {
                        "day": day if number % 10 == 0 else "2026-11-28",
                        **{f"p{each}": f"value {each}" for each in range(10)},
                    },
                },
            }
            for number in range(tasks)
        ]
    }


class Counted(Mapping[str, Any]):
    """A map that counts how often it is gone through."""

    def __init__(self, content: Mapping[str, Any], counts: list[int]) -> None:
        self._content, self._counts = content, counts

    def __getitem__(self, key: str) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        self._counts[0] += 1
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


def test_a_request_is_gone_through_once_and_then_only_its_placeholders_are_touched(monkeypatch) -> None:
    counts = [0]
    body = large(50, "{{ prefect.variables.day }}")
    body["tasks"] = [Counted(each, counts) for each in body["tasks"]]
    template = submit_run_template(body, {})
    assert counts == [50]
    read: list[Any] = []
    monkeypatch.setattr(plain.Reader, "plain", lambda _, value, *more, **options: read.append(value) or value)
    payload = template.fill({"prefect.variables.day": "2026-11-28"})
    assert len(read) == 1 + 5, "the value, and the five texts that it was put into"
    lasting = template.lasting({"prefect.variables.day": "2026-11-28"}, payload)
    assert counts == [50]
    assert payload["tasks"][1] is lasting["tasks"][1] is template.body["tasks"][1]


class Hold:
    """Measures how long the background loop is held, in CPU seconds of its own thread: other threads do not count.

    Nor does the garbage collector: it goes through everything that all tests of the process have left.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __enter__(self) -> Hold:
        gc.disable()
        portal.call(self._begin)
        return self

    def __exit__(self, *_: object) -> None:
        portal.call(self._end)
        gc.enable()

    async def _begin(self) -> None:
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def _end(self) -> None:
        self._beating.cancel()

    async def _beat(self) -> None:
        before = thread_time()
        while True:
            await asyncio.sleep(0.001)
            self.seconds.append(thread_time() - before)
            before = thread_time()


def test_to_start_a_run_of_a_thousand_tasks_holds_no_other_wait_up() -> None:
    with LocalWorkspace(script={"*": {"running": 3600}}, virtual_time=True) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        submit_run.fn(databricks, large(1))  # what is imported and made at first use is not of this
        with Hold() as hold:
            submit_run.fn(databricks, large(TASKS))
    assert len(hold.seconds) > 1
    assert max(hold.seconds) < LONGEST_HOLD, sorted(hold.seconds)[-5:]
