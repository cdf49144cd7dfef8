"""A Prefect client that only remembers what it was told."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from prefect_databricks_runs._prefect import compat
from prefect_databricks_runs._report import queue


class PrefectThatListens:
    """Stands in for Prefect's client.

    Attributes:
        told: Each call in order, by name and what matters of it.
        names: The names of the task runs that it was told of, by id.
        headers: What all of its requests say.
    """

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.seconds_a_call = 0.0
        self.names: dict[UUID, str] = {}
        self.headers: dict[str, str] = {}
        self._client = SimpleNamespace(headers=self.headers)

    async def __aenter__(self) -> PrefectThatListens:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The calls of one kind, without their name."""
        return [each[1:] for each in self.told if each[0] == name]

    def states_of(self, task_key: str) -> list[tuple[str, str]]:
        """The type and name of each state that a task run was given."""
        created = [each[2:] for each in self.of("create_task_run") if each[0] == task_key]
        return [*created, *(each[1:3] for each in self.of("set_task_run_state") if each[0] == task_key)]

    async def create_task_run(self, *, name: str, task_inputs: Any, state: Any, **_: Any) -> Any:
        await asyncio.sleep(self.seconds_a_call)
        upstream = [self.names[each.id] for each in (task_inputs or {}).get("upstream", [])]
        self.told.append(("create_task_run", name, upstream, state.type.value, state.name))
        task_run_id = uuid4()
        self.names[task_run_id] = name
        return SimpleNamespace(id=task_run_id, state=state)

    async def set_task_run_state(self, task_run_id: UUID, state: Any, *, force: bool) -> None:
        assert force
        self.told.append(("set_task_run_state", self.names[task_run_id], state.type.value, state.name, state.message))

    async def set_flow_run_state(self, flow_run_id: UUID, state: Any) -> None:
        self.told.append(("set_flow_run_state", state.name))

    async def read_flow_run(self, flow_run_id: UUID) -> Any:
        self.told.append(("read_flow_run",))
        return SimpleNamespace(tags=["mine"])

    async def update_flow_run(self, flow_run_id: UUID, *, name: str, tags: list[str]) -> None:
        self.told.append(("update_flow_run", name, tags))

    async def create_artifact(self, artifact: Any) -> Any:
        self.told.append(("create_artifact", artifact.key, artifact.data))
        return SimpleNamespace(id=uuid4())


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> PrefectThatListens:
    client = PrefectThatListens()

    async def update_artifact(_: object, artifact_id: UUID, data: Any) -> None:
        client.told.append(("update_artifact", data))

    monkeypatch.setattr(queue, "get_client", lambda: client)
    monkeypatch.setattr(compat, "update_artifact", update_artifact)
    return client
